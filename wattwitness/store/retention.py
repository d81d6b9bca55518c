"""Letting go of what is past keeping: raw readings by whole partitions, and what piles up beside.

Rollups, findings and quality stay. Nothing is dropped that the rollups do not hold yet. From then
on `retention.raw_from` says where the readings begin: older hours are not rolled up again, and
older days are not analysed again.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from wattwitness.domain.instants import kept_from
from wattwitness.store.columnstore import chunk_bytes
from wattwitness.store.database import Database
from wattwitness.store.maintenance_log import Step, recorded
from wattwitness.store.mode import Connection
from wattwitness.store.partitions import Piece, partition_spans
from wattwitness.store.statements import statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long things are kept [days]; 0 = for ever."""

    raw_days: int = 0
    rejects_days: int = 0
    courses_days: int = 0  # of alerts since their lift: verdicts minute by minute, and their turns


async def apply_retention(
    connection: Connection, db: Database, retention: Retention, now: datetime
) -> list[Step]:
    """Drop what is past keeping; returns what was done, or failed."""
    done: list[Step] = []
    if retention.raw_days:
        floor = kept_from(now, retention.raw_days)
        for piece in await partition_spans(connection, db):
            if piece.end > floor or await connection.fetchval(
                statements("retention")["waits"], piece.end
            ):
                break  # kept, or its rollups come first: the next run will do it
            done.append(await _drop(connection, db, piece))
    if retention.rejects_days:
        before = kept_from(now, retention.rejects_days).date()
        for table in ("rejects", "gateway_rejects", "gateway_days"):
            done += await _forget(connection, table, before)
    if retention.courses_days:
        floor = kept_from(now, retention.courses_days)
        # first: what is forgotten is not judged again
        await connection.execute(statements("retention")["raise_courses"], floor)
        for table in ("verdict_courses", "verdict_changes"):
            done += await _forget(connection, table, floor)
    return done


async def _forget(connection: Connection, table: str, before: date) -> list[Step]:
    """Delete rows from before an instant or a day; nothing is told where there were none."""
    async with recorded(connection, "forget", table) as step:
        answer = await connection.execute(statements("retention")[table], before)
        step.rows_before = int(answer.rpartition(" ")[2])
        step.rows_after = 0
    return [step] if step.error is not None or step.rows_before else []


async def _drop(connection: Connection, db: Database, piece: Piece) -> Step:
    async with recorded(connection, "drop", piece.name) as step:
        step.bytes_after = step.rows_after = 0
        if db.mode.hypertable:
            step.bytes_before = await chunk_bytes(connection, piece.name)
        else:
            step.bytes_before = await connection.fetchval(
                "SELECT pg_total_relation_size($1::regclass)", piece.name
            )
        async with connection.transaction():
            if db.mode.hypertable:
                await connection.execute(
                    statements("retention")["drop_chunks"], piece.end, piece.start
                )
            else:
                await connection.execute(f"DROP TABLE {piece.name}")
            await connection.execute(statements("retention")["raise_floor"], piece.end)
    if step.error is None:
        db.known_partitions.clear()
    return step


async def raw_from(db: Database) -> datetime | None:
    """Where the readings begin; None = nothing was dropped."""
    async with db.connection() as connection:
        found = await connection.fetchval("SELECT raw_from FROM retention WHERE isfinite(raw_from)")
    return None if found is None else found.astimezone(UTC)
