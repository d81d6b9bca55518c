"""One city in one database: sizes per column, rates, and what rollups gain."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np

from benchmarks.truth.stage import fill
from gateway_sim.city import City
from wattwitness.domain.instants import US_PER_DAY, US_PER_HOUR, from_us
from wattwitness.store.database import Database
from wattwitness.store.maintenance import maintain
from wattwitness.store.mode import Mode
from wattwitness.store.preparing import copy_payload, copy_rows
from wattwitness.store.readings import read_block
from wattwitness.store.registry import load_registry
from wattwitness.store.rollups import keep_rollups
from wattwitness.store.series import bands

_TABLE = """
SELECT sum(pg_relation_size(t)) AS heap, sum(pg_indexes_size(t)) AS key,
       sum(pg_total_relation_size(t)) AS total
FROM unnest($1::regclass[]) AS t
"""
_PLAIN_PIECES = "SELECT relid::regclass::text AS t FROM pg_partition_tree($1) WHERE isleaf"
_CHUNKS = """
SELECT format('%I.%I', chunk_schema, chunk_name) AS t FROM timescaledb_information.chunks
WHERE hypertable_name = $1
"""
_INSIDE = """
SELECT compress_relid::regclass::text AS t FROM _timescaledb_catalog.compression_settings
WHERE compress_relid IS NOT NULL AND relid = ANY ($1::regclass[])
"""
_COLUMNS = ("circuit_key", "ts", "form", "delay_s", "received_at", "resent", "p", "e", "q", "u_a",
            "u_b", "u_c", "i_a", "i_b", "i_c", "pf")  # fmt: skip


@dataclass(kw_only=True)
class Figures:
    """What one kind of database was seen to do; sizes in bytes a reading."""

    mode: Mode
    readings: int
    copy_per_s: float
    written: dict[str, float]  # as it is written: heap, key, total
    compressed: dict[str, float] = field(default_factory=dict)  # the same, in the columnstore
    batches: int = 0
    columns: dict[str, float]
    compress_s: float = 0.0
    read_per_s: dict[str, float] = field(default_factory=dict)
    rollup_s: float = 0.0
    rollup_rows: int = 0
    rollup_bytes: float = 0.0  # a rollup row
    bands_ms: dict[str, float] = field(default_factory=dict)


async def measure(db: Database, city: City) -> Figures:
    """Fill the database, look, compress, look again."""
    readings = sum((await fill(db, city)).values())
    columns, _ = await _columns(db, ["readings"])
    figures = Figures(
        mode=db.mode,
        readings=readings,
        copy_per_s=await _copy_rate(db),
        written=_per(await _sizes(db, "readings"), readings),
        columns={name: size / readings for name, size in columns.items()},
    )
    figures.read_per_s["as written"] = await _read_rate(db)
    began_s = time.perf_counter()
    later = from_us(city.end_us) + timedelta(days=60)
    while await keep_rollups(db, later):
        pass
    figures.rollup_s = time.perf_counter() - began_s
    if db.mode is Mode.TIMESCALE_FULL:
        began_s = time.perf_counter()
        report = await maintain(db, later)
        assert not report.failed, report.failed  # noqa: S101 - figures of a failure are none
        figures.compress_s = time.perf_counter() - began_s
        figures.compressed = _per(await _sizes(db, "readings"), readings)
        inside, figures.batches = await _columns(db, await _inside(db, "readings"))
        figures.columns = {name: size / readings for name, size in inside.items()}
        figures.read_per_s["compressed"] = await _read_rate(db)
    async with db.connection() as connection:
        figures.rollup_rows = await connection.fetchval("SELECT count(*) FROM rollups")
    figures.rollup_bytes = _per(await _sizes(db, "rollups"), figures.rollup_rows)["total"]
    await _time_bands(db, city, figures)
    return figures


async def _pieces(db: Database, table: str) -> list[str]:
    if not db.mode.hypertable:
        return await _names(db, _PLAIN_PIECES, table) or [table]
    return await _names(db, _CHUNKS, table)


async def _inside(db: Database, table: str) -> list[str]:
    return await _names(db, _INSIDE, await _pieces(db, table))


async def _names(db: Database, query: str, argument: Any) -> list[str]:
    async with db.connection() as connection:
        return [row["t"] for row in await connection.fetch(query, argument)]


async def _sizes(db: Database, table: str) -> dict[str, float]:
    pieces = await _pieces(db, table)
    if db.mode is Mode.TIMESCALE_FULL:
        pieces += await _inside(db, table)
    async with db.connection() as connection:
        (row,) = await connection.fetch(_TABLE, pieces)
    return {name: float(size) for name, size in row.items()}


def _per(sizes: dict[str, float], n: int) -> dict[str, float]:
    return {name: size / n for name, size in sizes.items()}


async def _columns(db: Database, tables: Sequence[str]) -> tuple[dict[str, float], int]:
    found, rows = dict.fromkeys(_COLUMNS, 0.0), 0
    sums = ", ".join(f"coalesce(sum(pg_column_size({c})), 0) AS {c}" for c in _COLUMNS)
    async with db.connection() as connection:
        for table in tables:
            (row,) = await connection.fetch(f"SELECT count(*) AS n, {sums} FROM {table}")  # noqa: S608
            rows += row["n"]
            for name in found:
                found[name] += row[name]
    return found, rows


async def _span(db: Database) -> tuple[list[int], int, int]:
    keys = sorted((await load_registry(db)).circuit_keys.values())
    async with db.connection() as connection:
        row = await connection.fetchrow(
            "SELECT (extract(epoch FROM min(first_ts)) * 1e6)::bigint AS a,"
            " (extract(epoch FROM max(ts)) * 1e6)::bigint AS b FROM latest"
        )
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return keys, row["a"], row["b"]


async def _copy_rate(db: Database) -> float:
    """COPY alone into an empty copy of the table with its key [readings/s], encoding included."""
    keys, start, _ = await _span(db)
    rows = await read_block(db, keys, start, start + US_PER_DAY)
    best = 0.0
    async with db.connection() as connection:
        for _ in range(3):
            await connection.execute(
                "DROP TABLE IF EXISTS copied; CREATE TABLE copied"
                " (LIKE readings INCLUDING DEFAULTS, PRIMARY KEY (circuit_key, ts))"
            )
            began_s = time.perf_counter()
            for piece in np.array_split(rows, max(1, len(rows) // 5000)):
                await copy_rows(connection, "copied", copy_payload(piece, db.steps))
            best = max(best, len(rows) / (time.perf_counter() - began_s))
        await connection.execute("DROP TABLE copied")
    return best


async def _read_rate(db: Database) -> float:
    """All columns of two days of all circuits, as numpy columns [readings/s]."""
    keys, _, end = await _span(db)
    start = (end - 6 * US_PER_DAY) // (2 * US_PER_DAY) * 2 * US_PER_DAY
    rows = 0

    async def read() -> None:
        nonlocal rows
        rows = len(await read_block(db, keys, start, start + 2 * US_PER_DAY))

    seconds = await _best(read)
    return rows / seconds


async def _time_bands(db: Database, city: City, figures: Figures) -> None:
    """20 circuits over the whole span in hours: from the readings alone, and from rollups."""
    keys, _, _ = await _span(db)
    for name, raw_only in (("readings alone", True), ("rollups", False)):

        async def ask(*, raw: bool = raw_only) -> None:
            await bands(db, keys[:20], city.start_us, city.end_us, US_PER_HOUR, raw_only=raw)

        figures.bands_ms[name] = 1000 * await _best(ask)


async def _best(work: Callable[[], Awaitable[None]], times: int = 4) -> float:
    found = []
    for _ in range(times):
        began_s = time.perf_counter()
        await work()
        found.append(time.perf_counter() - began_s)
    return min(found)
