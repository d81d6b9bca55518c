"""A chapter is a seeded run of messages into one store; chapters are independent."""

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field

from benchmarks.fuzz.account import Books, counted
from benchmarks.fuzz.database import compare_tables, fresh_database
from benchmarks.fuzz.drive import drive, keys_of, new_core, places_in_memory
from benchmarks.fuzz.messages import make_messages
from benchmarks.fuzz.wrong import Wrong, be_wrong
from collector.decode import Places
from collector.memory_sink import MemorySink
from collector.postgres_sink import PostgresSink
from wattwitness.domain.ingest import IngestOutcome
from wattwitness.domain.readings import MEASURANDS, empty_readings


@dataclass(slots=True)
class Result:
    """What a chapter, or several, came to."""

    payloads: int = 0
    outcome: IngestOutcome = field(default_factory=IngestOutcome)
    kinds: Counter[str] = field(default_factory=Counter)
    good_beside_bad: int = 0
    busy_s: float = 0.0
    took_s: float = 0.0
    mismatches: list[str] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        """Add another one."""
        self.payloads += other.payloads
        self.outcome += other.outcome
        self.kinds += other.kinds
        self.good_beside_bad += other.good_beside_bad
        self.busy_s += other.busy_s
        self.took_s += other.took_s
        self.mismatches += other.mismatches


def in_memory(seed: str, payloads: int, wrong: Wrong | None) -> Result:
    """A chapter into the sink in memory."""
    be_wrong(wrong)
    return _survived(seed, _in_memory(seed, payloads))


def in_database(seed: str, payloads: int, wrong: Wrong | None) -> Result:
    """A chapter into a real PostgreSQL, whose tables are compared in the end."""
    be_wrong(wrong)
    return _survived(seed, _in_database(seed, payloads))


def _survived(seed: str, chapter: Coroutine[None, None, Result]) -> Result:
    try:
        return asyncio.run(chapter)
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        line = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        return Result(mismatches=[f"chapter {seed} crashed in {line}: {error!r}"])


async def _in_memory(seed: str, payloads: int) -> Result:
    places, sink = places_in_memory(), MemorySink()
    books = Books(keys_of(places))
    started_s = time.perf_counter()
    core = new_core(places, seed)
    busy_s = await drive(make_messages(seed, payloads), core, sink, books)
    if _values_kept(sink) != books.rows:
        books.mismatches.append("what the sink in memory holds is not what it has to hold")
    return _result(payloads, books, busy_s, time.perf_counter() - started_s)


async def _in_database(seed: str, payloads: int) -> Result:
    async with fresh_database() as (db, registry):
        places = Places.of(registry)
        books = Books(keys_of(places))
        started_s = time.perf_counter()
        sink, core = PostgresSink(db), new_core(places, seed)
        busy_s = await drive(make_messages(seed, payloads), core, sink, books)
        took_s = time.perf_counter() - started_s
        books.mismatches += await compare_tables(db, registry, books)
        return _result(payloads, books, busy_s, took_s)


def _result(payloads: int, books: Books, busy_s: float, took_s: float) -> Result:
    return Result(
        payloads, books.total, books.kinds, books.good_beside_bad, busy_s, took_s, books.mismatches
    )


def _values_kept(sink: MemorySink) -> dict[tuple[int, int], Sequence[int | None]]:
    rows = empty_readings(len(sink.rows))
    rows["circuit"] = [key for key, _ in sink.rows]
    rows["ts"] = [ts_us for _, ts_us in sink.rows]
    for k, name in enumerate(MEASURANDS):
        rows[name] = [float("nan") if v[k] is None else v[k] for v in sink.rows.values()]
    return {(key, ts_us): counts for key, ts_us, counts in counted(rows)}
