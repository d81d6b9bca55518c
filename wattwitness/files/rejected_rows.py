"""Rows of a file that were refused: each with row, column and reason, all of them in a CSV file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from wattwitness.domain.errors import SetupError

UNKNOWN_CIRCUIT: Final = "unknown_circuit"
"""Code of a reading whose circuit the registry does not have; other codes: `RejectCode`."""

_HEADER: Final = ["file", "row", "column", "code", "reason", "value"]


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

    The file is made with the first reject, in the first of `folders` that can be written. It takes
    the place of an earlier list of the same source; any other file of that name stays, and the list
    is numbered (`<name>.rejected.2.csv`). Closed by leaving the context.

    Args:
        name: of the list, without its ending.
        folders: where it may be, the best first.
        source: the refused file as the user named it; stands in the column `file`.
        keep: how many rejects to remember.
    """

    def __init__(self, name: str, folders: Iterable[Path], source: str, keep: int = 5) -> None:
        self.first: list[RowReject] = []
        self.count = 0
        self.path: Path | None = None
        self._name = f"{name}.rejected"
        self._source = source
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
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as failure:
            raise self._unwritable(failure) from failure
        finally:
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
            row = (
                self._source, reject.row, reject.column, reject.code, reject.reason, reject.value,
            )  # fmt: skip
            try:
                csv.writer(self._file, lineterminator="\n").writerow(row)
            except OSError as error:
                raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SetupError:
        return SetupError(
            f"{self.path} cannot be written ({error.strerror})", "free some disk space"
        )

    def _open(self) -> TextIO:
        for folder in self._folders:
            try:
                path = self._free(folder)
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

    def _free(self, folder: Path) -> Path:
        """The first name in a folder that is not taken by anything but an earlier such list."""
        number, path = 1, folder / f"{self._name}.csv"
        while path.exists() and not self._is_earlier(path):
            number += 1
            path = folder / f"{self._name}.{number}.csv"
        return path

    def _is_earlier(self, path: Path) -> bool:
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(islice(csv.reader(file), 2))
        except (OSError, ValueError, csv.Error):
            return False
        return rows[:1] == [_HEADER] and all(row[:1] == [self._source] for row in rows[1:])
