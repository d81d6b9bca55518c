"""What every readings file gives, whatever its format: known columns, batch by batch."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.readings import MEASURANDS

READING_COLUMNS: Final = ("circuit_id", "ts", *MEASURANDS, "received_at", "resent")
"""Columns of contract §4, in the order in which they are exported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of a file: known columns as Arrow arrays of equal length."""

    columns: Mapping[str, pa.Array]
    row_numbers: NDArray[np.int64]  # (n,)
    malformed: Sequence[tuple[int, str]]  # rows with too few or too many cells: number, text
    share_done: float


class ReadingsSource(ABC):
    """An open readings file."""

    def __init__(self, path: Path, header: Sequence[str], remedy: str = "") -> None:
        self.path = path
        self.columns = known_columns(header, path.name, remedy)
        self.unknown_columns = tuple(name for name in header if name not in READING_COLUMNS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def batches(self) -> Iterator[Batch]:
        """The file's rows, in order."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""


def known_columns(header: Sequence[str], file: str, remedy: str = "") -> tuple[str, ...]:
    """The columns of a header that a readings file may have.

    Raises:
        InputRefusedError: a required column is missing, or one stands there twice.
    """
    known = tuple(name for name in header if name in READING_COLUMNS)
    found = "found: " + (", ".join(header)[:200] or "nothing")
    if not known and not remedy:
        raise InputRefusedError(
            f"{file} is no readings file: it names none of their columns",
            f"circuit_id, ts, p_kw or e_kwh are needed; {found}",
        )
    missing = [name for name in ("circuit_id", "ts") if name not in known]
    if missing:
        raise InputRefusedError(
            f"{file} has no column {' and no column '.join(missing)}", remedy or found
        )
    if not {"p_kw", "e_kwh"} & set(known):
        raise InputRefusedError(f"{file} has neither a column p_kw nor e_kwh", remedy or found)
    twice = sorted({name for name in known if known.count(name) > 1})
    if twice:
        raise InputRefusedError(
            f"{file} has the column {twice[0]} twice", "rename or remove one of them"
        )
    return known


def short_reason(error: Exception) -> str:
    """The first line of a library's error, as a part of a sentence."""
    return str(error).split("\n", maxsplit=1)[0].rstrip(". ")[:160]
