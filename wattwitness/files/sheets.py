"""A small table as text: from a CSV file (also gzipped) or from a sheet of an .xlsx workbook.

Rows are numbered as a spreadsheet shows them: the header is row 1.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook

from wattwitness.domain.errors import InputRefusedError
from wattwitness.files.encodings import detect_encoding

_EXACT_DIGITS: Final = 1e15  # a spreadsheet keeps 15 digits of a number
_Cell = str | float | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: its number, and the text of each column that the header names."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A header and its rows, all text.

    `spoilt` holds cells that lost something in the spreadsheet: (row, column) → what to do.
    `malformed` holds rows whose number of cells does not fit the header: row → the text.
    """

    source: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    spoilt: Mapping[tuple[int, str], str] = field(default_factory=dict)
    malformed: Mapping[int, str] = field(default_factory=dict)


def read_csv_sheet(path: Path) -> Sheet:
    """Read a CSV file in UTF-8 (with or without BOM) or GB18030.

    Raises:
        InputRefusedError: not there, not text, no header, or a column named twice.
    """
    data = _bytes_of(path)
    encoding = detect_encoding(data, path.name, whole=True)
    reader = csv.reader(io.StringIO(data.decode(encoding), newline=""), strict=True)
    numbered: list[tuple[int, list[str]]] = []
    first_line = 1
    try:
        for cells in reader:  # a quoted cell may span lines; a row is named by its first line
            numbered.append((first_line, [cell.strip() for cell in cells]))
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise InputRefusedError(
            f"{path.name}: line {reader.line_num} is not CSV ({error})", "check its quotes"
        ) from error
    return _sheet(path.name, numbered, {})


def read_workbook(path: Path) -> dict[str, Sheet]:
    """Read all sheets of an .xlsx workbook that are not empty, by name.

    Raises:
        InputRefusedError: not a workbook, or a sheet without a usable header.
    """
    found = {}
    try:
        with CalamineWorkbook.from_path(str(path)) as workbook:
            tables = {name: _grid(workbook, name) for name in workbook.sheet_names}
    except (CalamineError, OSError, ValueError) as error:
        raise InputRefusedError(
            f"{path.name} is not an .xlsx workbook ({_short(error)})",
            "save it as .xlsx, or as CSV",
        ) from error
    for name, grid in tables.items():
        if not any(cell != "" for row in grid for cell in row):
            continue
        numbered = [(n, [_text(cell) for cell in row]) for n, row in enumerate(grid, 1)]
        found[name.strip()] = _sheet(f"{path.name}[{name}]", numbered, _spoilt(grid))
    return found


def _grid(workbook: CalamineWorkbook, name: str) -> Sequence[Sequence[_Cell]]:
    return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)


def _bytes_of(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise InputRefusedError(
            f"{path} cannot be read ({_short(error)})", "check the path, and that it is whole"
        ) from error


def _sheet(
    source: str,
    numbered: Sequence[tuple[int, list[str]]],
    spoilt: Mapping[tuple[int, int], str],
) -> Sheet:
    if not numbered or not any(numbered[0][1]):
        raise InputRefusedError(f"{source} has no header row", "write column names in its row 1")
    header = numbered[0][1]
    while not header[-1]:
        header.pop()
    _check_header(source, header)
    rows: list[Row] = []
    malformed: dict[int, str] = {}
    for number, cells in numbered[1:]:
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(cells) > len(header):
            malformed[number] = ",".join(cells)
            continue
        padded = cells + [""] * (len(header) - len(cells))
        rows.append(Row(number=number, cells=dict(zip(header, padded, strict=True))))
    named = {(n, header[c]): why for (n, c), why in spoilt.items() if c < len(header)}
    return Sheet(
        source=source, header=tuple(header), rows=tuple(rows), spoilt=named, malformed=malformed
    )


def _check_header(source: str, header: Sequence[str]) -> None:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise InputRefusedError(
            f"{source}: the header is one cell, {header[0][:80]!r}", "separate columns by commas"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputRefusedError(
            f"{source} has the column {twice[0]} twice", "rename or remove one of them"
        )


def _text(cell: _Cell) -> str:
    """A spreadsheet's cell as its user reads it."""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, (date, time)):  # a datetime is a date
        return cell.isoformat()
    return str(cell).strip()


def _spoilt(grid: Sequence[Sequence[_Cell]]) -> dict[tuple[int, int], str]:
    """What a spreadsheet has changed beyond repair: dates without offset, digits cut off."""
    spoilt = {}
    for n, row in enumerate(grid, 1):
        for column, cell in enumerate(row):
            if isinstance(cell, (date, time, timedelta)):
                spoilt[n, column] = (
                    f"{_text(cell)!r} is a spreadsheet date, which has no offset"
                    " - format the cell as text and write 2026-01-01T08:00:00+08:00"
                )
            elif isinstance(cell, (int, float)) and abs(cell) >= _EXACT_DIGITS:
                spoilt[n, column] = (
                    f"the spreadsheet has rounded the long number {_text(cell)}"
                    " - format the cell as text and write its digits again"
                )
    return spoilt


def _short(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0].rstrip(". ")[:160]
