"""What a city-day costs from the store to episodes, and what reading the same rows costs alone."""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psutil

from analytics.bench import Bench
from analytics.day_end import KEPT_DAYS
from analytics.executors import InProcess
from analytics.results import PostgresResults
from analytics.running import analyse_range
from analytics.series import PostgresSeries
from benchmarks.analytics.city import (
    copied_name,
    copied_registry,
    copied_rows,
    together,
)
from benchmarks.analytics.clock import Cost, cost_of, peak_mb
from benchmarks.analytics.memory import Ready
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_DAY, day_bounds, to_us
from wattwitness.domain.readings import MEASURANDS, Readings
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.store.copy_format import decode
from wattwitness.store.database import Database
from wattwitness.store.days import clear_dirty, take_dirty
from wattwitness.store.findings import DayResults, replace_day_results
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.scales import STORED

BATCH_ROWS = 200_000
TURNS = 7
_SQL_TYPE = {">i2": "smallint", ">i4": "int", ">i8": "bigint"}


@dataclass(frozen=True, slots=True)
class Stored:
    """Of the measured enterprises together."""

    enterprises: int
    readings: int  # of the measured day
    fetched: int  # readings that the analysis of the day asks the store for
    first: Cost  # the city-day, of which nothing was known
    # its readings by COPY into numpy; the same as the analysis reads them; the city-day again
    turns: Sequence[tuple[Cost, Cost, Cost]]
    episodes: int
    peak_mb: float
    models_mb: float  # of these: readings that the benchmark itself holds


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    with tempfile.TemporaryDirectory(prefix="wattwitness-analytics-") as folder:
        async with (
            services(Settings(home=Path(folder)), database=True) as found,
            await Database.open(found.dsn, application="benchmark", max_connections=3) as db,
        ):
            await upgrade(db)
            yield db


async def measure_stored(found: Sequence[Ready], enterprises: int) -> Stored:
    """Fill a database with copies of the models, and analyse the day in it."""
    async with _database() as db:
        names = await _fill(db, found, enterprises)
        keys = (await load_registry(db)).circuit_keys
        backends = await _backends(db)
        day = found[0].model.days[-1]
        start, end = day_bounds(day, DEFAULT_ZONE)
        registry = await load_registry(db)
        blocks = [[keys[c.circuit_id] for c in registry.circuits_of(name)] for name in names]
        rows = 0

        async def bare() -> None:
            nonlocal rows
            rows = 0
            for block in blocks:
                rows += await _bare(db, block, start, end)

        async def read() -> None:
            for block in blocks:
                await PostgresSeries(db).block(block, to_us(start), to_us(end))

        fetched = 0

        async def analyse() -> None:
            nonlocal fetched
            bench = Bench(registry, PostgresSeries(db), PostgresResults(db), InProcess(), db.zone)
            done = await analyse_range(db, bench, start, end, [], lambda _done, _all: None)
            fetched = done.readings

        await bare()
        first = await cost_of(analyse, backends)
        # by turns: the pace of a machine that others share changes from minute to minute
        turns = [
            (
                await cost_of(bare, backends),
                await cost_of(read, backends),
                await cost_of(analyse, backends),
            )
            for _ in range(TURNS)
        ]
        async with db.connection() as connection:
            episodes = await connection.fetchval("SELECT count(*) FROM episodes")
        own_mb = sum(one.model.rows.nbytes for one in found) / 1e6
        return Stored(enterprises, rows, fetched, first, turns, episodes, peak_mb(), own_mb)


async def _backends(db: Database) -> list[psutil.Process]:
    """The server's processes behind the pool's connections, all of them open."""
    async with db.pool.acquire() as one, db.pool.acquire() as two, db.pool.acquire() as three:
        pids = [await c.fetchval("SELECT pg_backend_pid()") for c in (one, two, three)]
    return [psutil.Process(pid) for pid in pids]


async def _bare(db: Database, keys: Sequence[int], start: datetime, end: datetime) -> int:
    """The rows of one block, every column that is stored, as numpy columns; nothing restored."""
    stored = [("circuit_key", ">i4"), ("ts", ">i8"), ("form", ">i2"), ("delay_s", ">i4")]
    stored += [STORED[name][:2] for name in MEASURANDS]
    chosen = [f"coalesce({column}, 0::{_SQL_TYPE[kind]})" for column, kind in stored]
    chosen[1] = "ts"
    parts: list[bytes] = []

    async def keep(data: bytes) -> None:
        parts.append(data)

    async with db.connection() as connection:
        await connection.copy_from_query(
            f"SELECT {', '.join(chosen)} FROM readings WHERE circuit_key = ANY ($1)"  # noqa: S608
            " AND ts >= $2 AND ts < $3 ORDER BY circuit_key, ts",
            list(keys),
            start,
            end,
            output=keep,
            format="binary",
        )
    raw = decode(b"".join(parts), [[part] for part in stored])
    columns = {name: raw[name].astype("f4" if name != "ts" else "i8") for name, _ in stored}
    return len(columns["ts"])


async def _fill(db: Database, found: Sequence[Ready], enterprises: int) -> list[str]:
    names = [f"E{n:04d}" for n in range(enterprises)]
    registries = [
        copied_registry(found[n % len(found)].model, name, 1) for n, name in enumerate(names)
    ]
    await save_registry(db, replace(together(registries), circuit_keys={}))
    keys = (await load_registry(db)).circuit_keys
    for n, name in enumerate(names):
        one = found[n % len(found)]
        await _fill_one(db, one, name, keys, n)
    await clear_dirty(db, await take_dirty(db, 10_000_000))
    async with db.connection() as connection:
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    return names


async def _fill_one(
    db: Database, one: Ready, name: str, keys: Mapping[str, int], seed: int
) -> None:
    """History as results, with one reading a circuit and day; the last two days as readings."""
    model = one.model
    by_key = {
        key: keys[copied_name(model, c, name)] for c, key in model.registry.circuit_keys.items()
    }
    last_us = to_us(day_bounds(model.days[-2], DEFAULT_ZONE)[0])
    rows = model.rows
    day = (rows["ts"] - to_us(day_bounds(model.days[0], DEFAULT_ZONE)[0])) // US_PER_DAY
    first = (day[1:] != day[:-1]) | (rows["circuit"][1:] != rows["circuit"][:-1])
    chosen = rows["ts"] >= last_us
    chosen[1:] |= first
    chosen[0] = True
    copied = _rekeyed(copied_rows(rows[chosen], 1, seed), by_key)
    for start in range(0, len(copied), BATCH_ROWS):
        batch = IngestBatch(rows=copied[start : start + BATCH_ROWS], from_gateways=False)
        await write_batch(db, batch)

    def named(subject: str) -> str:
        return copied_name(model, subject, name)

    results = {}
    for judged_day, judged in one.results.days[model.enterprise_id].items():
        if judged_day == model.days[-1]:
            continue
        results[judged_day] = DayResults(
            states=[replace(s, circuit_id=named(s.circuit_id)) for s in judged.states],
            quality=[replace(q, circuit_id=named(q.circuit_id)) for q in judged.quality],
            thresholds={named(c): t for c, t in judged.thresholds.items()},
            spells=[
                replace(s, enterprise_id=name, subject=named(s.subject)) for s in judged.spells
            ],
            facts=[replace(f, enterprise_id=name, subject=named(f.subject)) for f in judged.facts],
            end=[replace(f, enterprise_id=name, subject=named(f.subject)) for f in judged.end],
            histograms={
                named(c): days[judged_day]
                for c, days in one.results.histograms.items()
                if judged_day in days
            },
        )
    await replace_day_results(db, name, results, KEPT_DAYS)


def _rekeyed(rows: Readings, by_key: Mapping[int, int]) -> Readings:
    rows["circuit"] = [by_key[key] for key in rows["circuit"].tolist()]
    return rows
