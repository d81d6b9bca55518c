"""From plain PostgreSQL to TimescaleDB, in the same database: copy, compare, then swap.

Writers are turned away while it runs (what gateways send waits in their outboxes), readers are not:
a trigger on both tables refuses rows as long as the mover lives, which its advisory lock shows. A
table lock alone would not do: a COPY that waited for one through the swap would go on into the
hypertable as if that were a plain table, and its rows would be seen by nobody.

Piece by piece the copy is compared with the original by count and checksum, and copied where they
differ: so a move that was stopped, even one after which the collector wrote again, is taken up by
starting it again. The plain table goes at the very end.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import asyncpg

from wattwitness.domain.errors import SetupError, StoreUnavailableError
from wattwitness.domain.instants import US_PER_DAY, to_us
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.partitions import Piece, partition_spans
from wattwitness.store.statements import statements
from wattwitness.store.translation import translated

LOCK: Final = 0x57574D56
_LAST_WRITERS_S: Final = 1.0
_COLUMNS: Final = (
    "circuit_key, ts, p, e, q, u_a, u_b, u_c, i_a, i_b, i_c, pf, resent, received_at, form, delay_s"
)
_CHECKSUM: Final = f"count(*) AS n, sum(hash_record_extended(ROW({_COLUMNS}), 0)::numeric) AS hash"


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What a finished move found."""

    pieces: int
    readings: int
    copied: int  # pieces that were copied by this run


async def move_to_timescale(
    db: Database, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> MoveReport:
    """Make `readings` a hypertable; the data of this process are in plain mode until it ends.

    Raises:
        SetupError: there is no TimescaleDB here, or something of ours still runs.
        StoreUnavailableError: it could not be finished; nothing is lost, start it again.
    """
    sql = statements("moving")
    async with db.dedicated() as keeper:  # its locks end with it
        found = await keeper.fetchrow(sql["usable"])
        assert found is not None  # noqa: S101 - a SELECT without FROM gives one row
        if db.mode.hypertable:
            await _let_go(keeper)
            return MoveReport(0, 0, 0)
        if not found["here"]:
            raise SetupError(
                "this PostgreSQL has no TimescaleDB",
                "install it and put it into shared_preload_libraries (docs/storage.md)",
            )
        if others := await keeper.fetchval(sql["others"]):
            raise SetupError(f"{others} still runs", "stop it until the move is done")
        await _prepare(keeper)
        await keeper.execute("SELECT pg_advisory_lock($1)", LOCK)  # waits for writers at work
        report = await _copy_all(db, keeper, progress)
        async with keeper.transaction():
            await _swap(keeper)
        await asyncio.sleep(_LAST_WRITERS_S)  # whoever waited through the swap is turned away, too
        await _let_go(keeper)
    return report


async def _let_go(keeper: Connection) -> None:
    """What is left to do after the swap, done or not."""
    await keeper.execute("DROP TABLE IF EXISTS readings_plain")
    await keeper.execute("DROP TRIGGER IF EXISTS moving ON readings")


async def _prepare(keeper: Connection) -> None:
    sql = statements("moving")
    await keeper.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    await keeper.execute(sql["make"])
    await keeper.execute(sql["refuse"].format(lock=LOCK))
    if not await keeper.fetchval(sql["is_hypertable"], "readings_moved"):
        await keeper.execute(sql["make_hypertable"])
    for table in ("readings", "readings_moved"):
        await keeper.execute(sql["turn_away"].format(table=table))
    if not await keeper.fetchval(sql["is_hypertable"], "rollups"):
        await keeper.execute(sql["rollups_hypertable"])


async def _copy_all(
    db: Database, keeper: Connection, progress: Callable[[int, int], None]
) -> MoveReport:
    pieces = await partition_spans(keeper, db)
    readings = copied = 0
    async with db.dedicated() as worker:
        await worker.execute("SET wattwitness.mover = 'yes'")
        full = await worker.fetchval("SELECT current_setting('timescaledb.license', true)")
        for done, piece in enumerate(pieces):
            progress(done, len(pieces))
            original = await _checksum(worker, piece, piece.name)
            if await _checksum(worker, piece, "readings_moved") != original:
                await _copy(worker, piece, months=full == "timescale")
                copied += 1
                if await _checksum(worker, piece, "readings_moved") != original:
                    raise StoreUnavailableError(
                        f"{piece.name} was not copied as it is", "nothing was changed; report this"
                    )
            readings += original[0]
        progress(len(pieces), len(pieces))
        moved = await worker.fetchval("SELECT count(*) FROM readings_moved")
    if moved != readings:
        raise StoreUnavailableError(
            f"the copy has {moved} readings, the original {readings}",
            "DROP TABLE readings_moved, and start again",
        )
    return MoveReport(len(pieces), readings, copied)


async def _checksum(worker: Connection, piece: Piece, table: str) -> tuple[int, int]:
    query = f"SELECT {_CHECKSUM} FROM {table} WHERE ts >= $1 AND ts < $2"  # noqa: S608 - our own
    row = await worker.fetchrow(query, piece.start, piece.end)
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return row["n"], int(row["hash"] or 0)


async def _copy(worker: Connection, piece: Piece, *, months: bool) -> None:
    sql = statements("moving")
    start_us, end_us = to_us(piece.start), to_us(piece.end)
    async with translated(), worker.transaction():
        await worker.execute(sql["clear"], piece.start, piece.end)
        there = await worker.fetchval(sql["chunk_there"], piece.start, piece.end)
        if months and end_us - start_us > US_PER_DAY and not there:
            await worker.execute(sql["month_chunk"], start_us, end_us)
        await worker.execute(
            f"INSERT INTO readings_moved ({_COLUMNS})"  # noqa: S608 - our own names
            f" SELECT {_COLUMNS} FROM {piece.name} ORDER BY circuit_key, ts"
        )


async def _swap(keeper: asyncpg.Connection) -> None:
    """The copy takes the name of the original."""
    view = await keeper.fetchval(statements("moving")["view"])
    await keeper.execute("DROP VIEW readings_measured")
    await keeper.execute("ALTER TABLE readings RENAME TO readings_plain")
    await keeper.execute("ALTER TABLE readings_moved RENAME TO readings")
    await keeper.execute(f"CREATE VIEW readings_measured AS {view}")
