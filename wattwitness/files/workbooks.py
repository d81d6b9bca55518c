"""Tables into an .xlsx workbook, row by row, with formulas guarded.

Only the packed file is held in memory (a sheet ends at a million rows): packing straight into a
stream that fails, as a full disk does, cannot be ended quietly.
"""

import io
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import xlsxwriter  # type: ignore[import-untyped]

from wattwitness.domain.errors import InputRefusedError

MAX_ROWS: Final = 1_048_576
"""Rows of a sheet, the header among them: a limit of the format."""

FORMULA_MARKS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is marked as text: a spreadsheet would take it for a formula."""
Value = str | float | bool | None


class Workbook:
    """One sheet with a header row that stays in view; closed by leaving the context."""

    def __init__(self, stream: BinaryIO, sheet: str, header: Sequence[str]) -> None:
        self._stream = stream
        self._packed = io.BytesIO()
        options = {"constant_memory": True, "in_memory": False}
        self._book = xlsxwriter.Workbook(self._packed, options)
        self._sheet: Any = self._book.add_worksheet(sheet[:31])
        # text that looks like a formula is marked as text, as a leading ' does by hand: it stays
        # text when a user edits the cell, and the value itself is not changed
        self._guarded = self._book.add_format({"quote_prefix": True})
        bold = self._book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(header):
            self._sheet.set_column(column, column, max(12, min(28, len(name) + 4)))
            self._sheet.write_string(0, column, name, bold)
        self._row = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    def close(self) -> None:
        """Pack the workbook and write it to the stream."""
        self._book.close()
        self._stream.write(self._packed.getbuffer())

    def abandon(self) -> None:
        """Let go of what was written, after an error."""
        self._book.close()

    def write(self, rows: Iterable[Sequence[Value]]) -> None:
        """Append rows.

        Raises:
            InputRefusedError: more rows, or a longer text, than the format can hold.
        """
        for values in rows:
            self._row += 1
            if self._row >= MAX_ROWS:
                raise InputRefusedError(
                    f"an .xlsx sheet ends at {MAX_ROWS:,} rows",
                    "export as csv or parquet, or narrow --from and --to",
                )
            for column, value in enumerate(values):
                self._write_cell(column, value)

    def _write_cell(self, column: int, value: Value) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self._sheet.write_number(self._row, column, int(value))
        elif isinstance(value, str):
            style = self._guarded if value.startswith(FORMULA_MARKS) else None
            if self._sheet.write_string(self._row, column, value, style):
                raise InputRefusedError(
                    "a text is too long for a cell of an .xlsx sheet", "export as json or parquet"
                )
        else:
            self._sheet.write_number(self._row, column, value)
