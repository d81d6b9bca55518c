"""Reading readings back, into numpy columns."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_DAY, from_us, to_us
from wattwitness.domain.readings import (
    MEASURANDS,
    ReadingColumns,
    Readings,
    empty_readings,
)
from wattwitness.store.database import Database
from wattwitness.store.ingest import write_batch
from wattwitness.store.sent_rows import (
    Asked,
    asked_columns,
    asked_rows,
    columns_sent,
    restored,
    restored_columns,
    rows_sent,
)
from wattwitness.store.statements import statements

__all__ = [
    "Reach",
    "data_range",
    "reach_of",
    "read_block",
    "read_columns",
    "read_since",
    "stream_readings",
    "write_batch",
]


async def read_block(
    db: Database,
    circuit_keys: Sequence[int],
    from_us_: int,
    to_us_: int,
    columns: Sequence[str] = MEASURANDS,
) -> Readings:
    """Readings of [from, to) in (circuit, ts) order; columns not asked for are NaN."""
    asked = asked_columns(columns)
    groups = await _groups(db, circuit_keys, from_us_, to_us_, asked)
    return restored(columns_sent(groups, asked), asked, columns)


async def read_columns(
    db: Database, circuit_keys: Sequence[int], from_us_: int, to_us_: int
) -> ReadingColumns:
    """Readings of [from, to) in (circuit, ts) order, column by column."""
    asked = asked_columns(MEASURANDS)
    groups = await _groups(db, circuit_keys, from_us_, to_us_, asked)
    return restored_columns(columns_sent(groups, asked), asked)


async def _groups(
    db: Database, circuit_keys: Sequence[int], from_us_: int, to_us_: int, asked: Asked
) -> Sequence[Any]:
    query = f"""
        SELECT {asked.select}
        FROM readings
        WHERE circuit_key = ANY ($1::int[]) AND ts >= $2 AND ts < $3
        GROUP BY circuit_key ORDER BY circuit_key
    """  # noqa: S608 - column names of our own table
    async with db.connection() as connection:
        return await connection.fetch(
            query, list(map(int, circuit_keys)), from_us(from_us_), from_us(to_us_)
        )


async def read_since(
    db: Database,
    circuit_keys: NDArray[np.int64],
    since_us: NDArray[np.int64],
    columns: Sequence[str] = MEASURANDS,
) -> Readings:
    """Readings of circuits from an instant each on [n]; cheap where that is a moment ago."""
    if len(circuit_keys) == 0:
        return empty_readings()
    asked = asked_rows(columns)
    query = f"""
        SELECT {asked.select}
        FROM unnest($1::int[], $2::timestamptz[]) AS asked (key, since)
             CROSS JOIN LATERAL (
                 SELECT * FROM readings r
                 WHERE r.circuit_key = key AND r.ts >= since AND r.ts >= $3
             ) found
    """  # noqa: S608 - column names come from our own table
    parts: list[bytes] = []

    async def keep(data: bytes) -> None:
        parts.append(data)

    async with db.connection() as connection:
        await connection.copy_from_query(
            query,
            circuit_keys.tolist(),
            list(map(from_us, since_us.tolist())),
            from_us(since_us.min()),
            output=keep,
            format="binary",
        )
    return restored(rows_sent(b"".join(parts), asked), asked, columns)


async def stream_readings(
    db: Database, circuit_keys: Sequence[int], from_us_: int, to_us_: int
) -> AsyncIterator[Readings]:
    """All columns of [from, to), circuit by circuit and month by month, in bounded memory."""
    for key in circuit_keys:
        span = await data_range(db, [key])
        if span is None:
            continue
        start, end = max(from_us_, span[0]), min(to_us_, span[1] + 1)
        while start < end:
            until = min(end, start + 31 * US_PER_DAY)
            block = await read_block(db, [key], start, until)
            if len(block):
                yield block
            start = until


async def data_range(
    db: Database, circuit_keys: Sequence[int] | None = None
) -> tuple[int, int] | None:
    """Oldest and newest device time [µs] of these circuits (None = all); None without data."""
    keys = None if circuit_keys is None else list(map(int, circuit_keys))
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("readings")["data_range"], keys)
    if row is None or row["first_ts"] is None:
        return None
    return to_us(row["first_ts"]), to_us(row["last_ts"])


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the readings of some circuits begin and end."""

    first_us: Mapping[int, int]  # circuit key → its first device time [µs]
    newest_us: int | None  # of all of them, a reading no later than it was received; None = none


async def reach_of(db: Database, circuit_keys: Sequence[int]) -> Reach:
    """Where the readings of these circuits begin, and how far they reach."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("readings")["reach"], list(map(int, circuit_keys)))
    return Reach(
        {row["circuit_key"]: to_us(row["first_ts"]) for row in rows},
        max((to_us(row["newest"]) for row in rows), default=None),
    )
