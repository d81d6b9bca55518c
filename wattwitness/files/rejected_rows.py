"""Rows of a file that were refused: each with row, column and reason, all of them in a CSV file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from wattwitness.domain.errors import SetupError

UNKNOWN_CIRCUIT: Final = "unknown_circuit"
"""Code of a reading whose circuit the registry does not have; other codes: `RejectCode`."""

_HEADER: Final = ("file", "row", "column", "code", "reason", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReject:
    """One refused row. `row` counts as a spreadsheet does: the header is row 1.

    Parquet has no header; its first record is row 1.
    """

    file: str
    row: int
    column: str
    code: str
    reason: str
    value: str = ""

    def __str__(self) -> str:
        """One line for people: where, and why."""
        where = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{where}: {self.reason}"


class RejectLog:
    """Writes rejects to `<name>.rejected.csv` as they come; remembers only the first few.

    The file is made with the first reject, in the first of `folders` that can be written. Closed by
    leaving the context.
    """

    def __init__(self, name: str, folders: Iterable[Path], keep: int = 5) -> None:
        self.first: list[RowReject] = []
        self.count = 0
        self.path: Path | None = None
        self._name = f"{name}.rejected.csv"
        self._folders = tuple(folders)
        self._keep = keep
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(self, rejects: Iterable[RowReject]) -> None:
        """Record rejects.

        Raises:
            SetupError: no folder can be written, or the disk is full.
        """
        for reject in rejects:
            if self._file is None:
                self._file = self._open()
            self.count += 1
            if len(self.first) < self._keep:
                self.first.append(reject)
            row = (reject.file, reject.row, reject.column, reject.code, reject.reason, reject.value)
            try:
                csv.writer(self._file, lineterminator="\n").writerow(row)
            except OSError as error:
                raise SetupError(
                    f"{self.path} cannot be written ({error.strerror})", "free some disk space"
                ) from error

    def _open(self) -> TextIO:
        for folder in self._folders:
            path = folder / self._name
            try:
                file = path.open("w", encoding="utf-8", newline="")
            except OSError:
                continue
            self.path = path
            csv.writer(file, lineterminator="\n").writerow(_HEADER)
            return file
        tried = " or ".join(str(folder) for folder in self._folders)
        raise SetupError(
            f"the list of refused rows cannot be written in {tried}",
            "run the import in a folder where you may write",
        )
