"""Reading readings back: binary COPY out into numpy columns, every row the same width."""

from collections.abc import AsyncIterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_DAY, from_us, to_us
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings, empty_readings
from wattwitness.store.copy_format import PG_EPOCH_US, decode
from wattwitness.store.database import Database
from wattwitness.store.ingest import write_batch
from wattwitness.store.scales import STORED
from wattwitness.store.statements import statements

__all__ = ["data_range", "read_block", "stream_readings", "write_batch"]

_MISSING = {">i2": -32_768, ">i4": -2_147_483_648, ">i8": -9_223_372_036_854_775_808}
_NO_RECEIPT = np.iinfo(np.int64).min  # what PostgreSQL sends for -infinity


async def read_block(
    db: Database,
    circuit_keys: Sequence[int],
    from_us_: int,
    to_us_: int,
    columns: Sequence[str] = MEASURANDS,
) -> Readings:
    """Readings of [from, to) in (circuit, ts) order; columns not asked for are NaN."""
    layout = [("circuit", ">i4"), ("ts", ">i8"), *((m, STORED[m][1]) for m in columns)]
    layout += [("resent", ">i1"), ("received_at", ">i8")]
    chosen = ", ".join(
        f"coalesce({STORED[m][0]}, '{_MISSING[STORED[m][1]]}'::{_type(STORED[m][1])})"
        for m in columns
    )
    query = f"""
        SELECT circuit_key, ts, {chosen}{"," if chosen else ""} resent,
               coalesce(received_at, '-infinity')
        FROM readings
        WHERE circuit_key = ANY ($1) AND ts >= $2 AND ts < $3
        ORDER BY circuit_key, ts
    """  # noqa: S608 - column names come from our own table
    parts: list[bytes] = []

    async def keep(data: bytes) -> None:
        parts.append(data)

    async with db.connection() as connection:
        await connection.copy_from_query(
            query,
            list(map(int, circuit_keys)),
            from_us(from_us_),
            from_us(to_us_),
            output=keep,
            format="binary",
        )
    return _to_readings(decode(b"".join(parts), layout), columns)


def _type(kind: str) -> str:
    return {">i2": "smallint", ">i4": "int", ">i8": "bigint"}[kind]


def _to_readings(raw: NDArray[np.void], columns: Sequence[str]) -> Readings:
    rows = empty_readings(len(raw))
    rows["circuit"] = raw["circuit"]
    rows["ts"] = raw["ts"].astype(np.int64) + PG_EPOCH_US
    rows["resent"] = raw["resent"] != 0
    received = raw["received_at"].astype(np.int64)
    rows["received_at"] = np.where(received == _NO_RECEIPT, NEVER, received + PG_EPOCH_US)
    for name in columns:
        counts = raw[name].astype(np.int64)
        _, kind, scale = STORED[name]
        rows[name] = np.where(counts == _MISSING[kind], np.nan, counts / scale)
    return rows


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
