"""Readings files into the store: chunk by chunk, reading ahead while the database writes."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wattwitness.domain.bounds import power_limit_kw
from wattwitness.domain.errors import (
    InputRefusedError,
    SetupError,
    StoreUnavailableError,
    WattWitnessError,
)
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import Registry
from wattwitness.files.readings_bounds import Calendar, beyond_bounds
from wattwitness.files.readings_files import (
    DEFAULT_CHUNK_ROWS,
    ReadingsChunk,
    read_chunks,
    read_header,
)
from wattwitness.files.rejected_rows import UNKNOWN_CIRCUIT, RejectLog, RowReject
from wattwitness.store.database import Database
from wattwitness.store.readings import write_batch

Progress = Callable[[float], None]
"""Told the share of the file that is stored, 0 to 1."""


@dataclass(slots=True, kw_only=True)
class ReadingsReport:
    """What became of one readings file; every row read is in exactly one of the counts."""

    file: str
    rows_read: int = 0
    stored: int = 0
    already_there: int = 0
    revised: int = 0  # a stored key with another value: noted beside it, never over it
    rejected: int = 0
    first_rejects: list[RowReject] = field(default_factory=list)
    rejected_path: Path | None = None
    unknown_columns: tuple[str, ...] = ()
    error: str = ""  # why the file, or the rest of it, could not be used; empty = it could


class ImportBrokenOffError(WattWitnessError):
    """The database, or the disk, gave up in the middle of a file; another would fare no better.

    Attributes:
        report: what was done until then; its `error` is this error's line.
    """

    def __init__(self, report: ReadingsReport, failure: WattWitnessError) -> None:
        super().__init__(
            f"{report.file} was not finished: {failure}; {report.stored} of its rows were stored, "
            "and repeating the import goes on from there"
        )
        self.report = report
        report.error = str(self)


async def import_readings(
    db: Database,
    path: Path,
    registry: Registry,
    calendar: Calendar,
    *,
    reject_folders: Sequence[Path],
    progress: Progress = lambda _: None,
    chunk_rows: int = DEFAULT_CHUNK_ROWS,
) -> ReadingsReport:
    """Import one file; what was stored before an error stays, and importing again is harmless.

    Raises:
        ImportBrokenOffError: the database went away or is full, or the list of rejects cannot be
            written; chunks before are stored. What is wrong with the file, the report says.
    """
    report = ReadingsReport(file=str(path))
    try:
        report.unknown_columns = (await asyncio.to_thread(read_header, path)).unknown_columns
        with RejectLog(path.name, reject_folders, str(path)) as log:
            try:
                await _store(
                    db, _Matcher(path, registry, calendar, chunk_rows), report, log, progress
                )
            finally:
                report.rejected = log.count
                report.first_rejects = log.first
                report.rejected_path = log.path
    except InputRefusedError as refusal:
        report.error = str(refusal)
    except (StoreUnavailableError, SetupError) as failure:
        raise ImportBrokenOffError(report, failure) from failure
    return report


class _Matcher:
    """Turns chunks of a file into rows with registry keys; runs in the read-ahead thread."""

    def __init__(self, path: Path, registry: Registry, calendar: Calendar, chunk_rows: int) -> None:
        self._file = path.name
        self._chunks = read_chunks(path, chunk_rows)
        self._keys = registry.circuit_keys
        self._limits = {c: power_limit_kw(circuit) for c, circuit in registry.circuits.items()}
        self._calendar = calendar

    def next(self) -> "tuple[ReadingsChunk, Readings, list[RowReject]] | None":
        """The next chunk, its rows that may be stored, and all its rejects; None at the end."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return None
        keys = np.array([self._keys.get(c, 0) for c in chunk.circuits], dtype=np.int32)
        limits = np.array([self._limits.get(c, 0.0) for c in chunk.circuits])
        places = chunk.rows["circuit"]
        known = keys[places] > 0
        rejects = [*chunk.rejects, *self._unknown(chunk, ~known)]
        rows = chunk.rows[known]
        numbers = chunk.row_numbers[known]
        problems = beyond_bounds(rows, limits[places[known]], self._calendar)
        for n, (column, problem) in problems.items():
            rejects.append(
                RowReject(
                    file=self._file,
                    row=int(numbers[n]),
                    column=column,
                    code=problem.code,
                    reason=problem.reason,
                    value=problem.value,
                )
            )
        good = np.ones(len(rows), dtype=bool)
        good[list(problems)] = False
        rows = rows[good]
        rows["circuit"] = keys[rows["circuit"]]
        return chunk, rows, sorted(rejects, key=lambda reject: reject.row)

    def close(self) -> None:
        """Close the file."""
        self._chunks.close()

    def _unknown(
        self, chunk: ReadingsChunk, where: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    ) -> list[RowReject]:
        found = []
        for n in np.flatnonzero(where).tolist():
            circuit = chunk.circuits[int(chunk.rows["circuit"][n])]
            found.append(
                RowReject(
                    file=self._file,
                    row=int(chunk.row_numbers[n]),
                    column="circuit_id",
                    code=UNKNOWN_CIRCUIT,
                    reason=f"no circuit {circuit!r} - import the registry that has it first",
                    value=circuit,
                )
            )
        return found


async def _store(
    db: Database,
    matcher: _Matcher,
    report: ReadingsReport,
    log: RejectLog,
    progress: Progress,
) -> None:
    """Write chunk after chunk; a thread of its own decodes the next one meanwhile."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        ahead = loop.run_in_executor(thread, matcher.next)
        try:
            while (found := await ahead) is not None:
                ahead = loop.run_in_executor(thread, matcher.next)
                chunk, rows, rejects = found
                outcome = IngestOutcome()
                if len(rows):
                    outcome = await write_batch(db, IngestBatch(rows=rows, from_gateways=False))
                report.rows_read += chunk.rows_read
                report.stored += outcome.stored
                report.already_there += outcome.duplicates
                report.revised += outcome.revisions
                log.add(rejects)
                progress(chunk.share_done)
        finally:
            # the generator may only be closed when the thread no longer runs it
            await asyncio.gather(ahead, return_exceptions=True)
            await loop.run_in_executor(thread, matcher.close)
