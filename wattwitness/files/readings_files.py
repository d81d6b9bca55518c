"""Readings files (contract §4) as a stream of chunks: .csv, .csv.gz, .parquet, .json and .xlsx.

    for chunk in read_chunks(path):
        chunk.circuits[chunk.rows["circuit"][0]]   # the first reading's circuit id

What kind a file is, its first bytes decide; a name that promises something else is refused.
Nothing here knows the registry or the database; the same stream feeds the import and the
simulator's replay.
"""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings, empty_readings
from wattwitness.domain.rejects import RejectCode
from wattwitness.files.readings_columns import (
    Column,
    Problem,
    cell_text,
    flags,
    instants,
    numbers,
    texts,
)
from wattwitness.files.readings_csv import CsvSource
from wattwitness.files.readings_json import JsonSource
from wattwitness.files.readings_parquet import ParquetSource
from wattwitness.files.readings_sources import Batch, ReadingsSource
from wattwitness.files.readings_workbook import WorkbookSource
from wattwitness.files.rejected_rows import RowReject

DEFAULT_CHUNK_ROWS: Final = 100_000
_WORKBOOK_MAGIC: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_JSON_START: Final = re.compile(rb"(\xef\xbb\xbf)?\s*[\[{]")

_Found = dict[int, tuple[str, Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsChunk:
    """Some rows of a file, in file order.

    `rows["circuit"]` is a position in `circuits`, **not** a key of the registry.
    """

    circuits: tuple[str, ...]  # distinct circuit ids of this chunk
    rows: Readings  # (n,) READING_DTYPE
    row_numbers: NDArray[np.int64]  # (n,) row in the file of each reading
    rejects: tuple[RowReject, ...]
    rows_read: int  # = n + number of rejects
    share_done: float  # of the file, 0–1, for progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsHeader:
    """What a file's header says, before any row is read."""

    unknown_columns: tuple[str, ...]


def read_header(path: Path) -> ReadingsHeader:
    """Check that a file is a readings file at all.

    Raises:
        InputRefusedError: missing, not a readings file, a required column missing.
    """
    with open_readings(path, 1) as source:
        return ReadingsHeader(unknown_columns=source.unknown_columns)


def read_chunks(
    path: Path, chunk_rows: int = DEFAULT_CHUNK_ROWS
) -> Generator[ReadingsChunk, None, None]:
    """Stream a readings file; bounded memory, about `chunk_rows` readings at a time.

    Rows are refused singly (`rejects`): no offset, not a number, neither power nor energy, ….
    Chunks that came before an error stay good.

    Raises:
        InputRefusedError: the file cannot be used, or ends in the middle.
    """
    with open_readings(path, chunk_rows) as source:
        for batch in source.batches():
            yield _chunk(batch, path.name)


def open_readings(path: Path, chunk_rows: int) -> ReadingsSource:
    """Open a readings file by what its first bytes say it is.

    Raises:
        InputRefusedError: not there, not such a file, or a required column is missing.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise InputRefusedError(f"{path}: {reason}", "check the path") from error
    if not head:
        raise InputRefusedError(f"{path.name} is empty", "a header row is needed")
    ending, gzipped = path.suffix.lower(), head.startswith(b"\x1f\x8b")
    if head.startswith(b"PAR1") or ending == ".parquet":
        return ParquetSource(path, chunk_rows)
    if head.startswith(_WORKBOOK_MAGIC) or ending == ".xlsx":
        return WorkbookSource(path, chunk_rows)
    if ending == ".gz" and not gzipped:
        raise InputRefusedError(
            f"{path.name} is not a gzip file", "name it .csv if that is what it is, or get it again"
        )
    if _JSON_START.match(head) or ending == ".json":
        return JsonSource(path, chunk_rows)
    return CsvSource(path, chunk_rows, gzipped=gzipped)


def _chunk(batch: Batch, file: str) -> ReadingsChunk:
    positions, circuits = texts(batch.columns["circuit_id"])
    rows = empty_readings(len(positions))
    rows["circuit"] = positions
    found: _Found = {}
    parsed = [("ts", instants(batch.columns["ts"]))]
    if "received_at" in batch.columns:
        parsed.append(("received_at", instants(batch.columns["received_at"])))
    parsed += [(name, numbers(batch.columns[name])) for name in MEASURANDS if name in batch.columns]
    if "resent" in batch.columns:
        parsed.append(("resent", flags(batch.columns["resent"])))
    for name, column in parsed:
        rows[name] = column.values
        for n, problem in column.problems.items():
            found.setdefault(n, (name, problem))
    _check_presence(rows, circuits, parsed[0][1], found)
    blank = _blank(batch, found)
    refused = [n for n in sorted(found) if n not in blank]
    rejects = [_reject(file, int(batch.row_numbers[n]), *found[n]) for n in refused]
    rejects += [_malformed(file, row, text) for row, text in batch.malformed]
    good = np.ones(len(rows), dtype=bool)
    good[list(found)] = False
    return ReadingsChunk(
        circuits=tuple(circuits),
        rows=rows[good],
        row_numbers=batch.row_numbers[good],
        rejects=tuple(sorted(rejects, key=lambda reject: reject.row)),
        rows_read=int(good.sum()) + len(rejects),
        share_done=batch.share_done,
    )


def _check_presence(rows: Readings, circuits: Sequence[str], ts: Column, found: _Found) -> None:
    """Refuse rows without circuit, time, or any of power and energy."""
    neither = np.isnan(rows["p_kw"]) & np.isnan(rows["e_kwh"])
    absent = (
        ("circuit_id", rows["circuit"] == circuits.index(""), "circuit_id is empty"),
        ("ts", ts.values == NEVER, "ts is empty - write RFC 3339 such as 2026-01-01T08:00:00Z"),
        ("p_kw", neither, "neither p_kw nor e_kwh is given - one of them is needed"),
    )
    for column, mask, reason in absent:
        code = RejectCode.NO_VALUE if column == "p_kw" else RejectCode.MALFORMED
        for n in np.flatnonzero(mask).tolist():
            found.setdefault(n, (column, Problem(code, reason, "")))


def _blank(batch: Batch, found: _Found) -> set[int]:
    """Rows in which every cell is empty, as spreadsheets leave them: no readings at all."""
    blank = set()
    for n, (column, _) in found.items():
        if column == "circuit_id" and not any(
            cell_text(array[n].as_py()) for array in batch.columns.values()
        ):
            blank.add(n)
    return blank


def _reject(file: str, row: int, column: str, problem: Problem) -> RowReject:
    return RowReject(
        file=file,
        row=row,
        column=column,
        code=problem.code,
        reason=problem.reason,
        value=problem.value,
    )


def _malformed(file: str, row: int, text: str) -> RowReject:
    reason = "the number of cells differs from the header's - check commas and quotes"
    return RowReject(
        file=file, row=row, column="", code=RejectCode.MALFORMED, reason=reason, value=text[:500]
    )
