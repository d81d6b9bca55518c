"""Reading readings back: binary COPY out into numpy columns, every row the same width."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_DAY, US_PER_SECOND, from_us, to_us
from wattwitness.domain.readings import (
    MEASURANDS,
    NEVER,
    READING_DTYPE,
    Readings,
    empty_readings,
)
from wattwitness.store.copy_format import PG_EPOCH_US, decode
from wattwitness.store.database import Database
from wattwitness.store.forms import RESENT, needed, restore
from wattwitness.store.ingest import write_batch
from wattwitness.store.scales import STORED
from wattwitness.store.statements import statements

__all__ = ["Reach", "data_range", "reach_of", "read_block", "stream_readings", "write_batch"]

_MISSING = {">i2": -32_768, ">i4": -2_147_483_648, ">i8": -9_223_372_036_854_775_808}
_SQL_TYPE = {">i2": "smallint", ">i4": "int", ">i8": "bigint"}
# Rows from before there were forms send a negative one, which says whether they were resent.
_OLD_RESENT = -2
_FORM = f"coalesce(form, CASE WHEN resent THEN {_OLD_RESENT} ELSE -1 END)::smallint"
# The delay of the receipt [s], or (older rows) its instant [µs since 1970] and an offset beyond
# every delay.
_AT_OFFSET = 1 << 61
_RECEIPT = f"""
coalesce(delay_s::bigint, {2 * _AT_OFFSET} + (extract(epoch FROM received_at) * 1000000)::bigint,
         '{_MISSING[">i8"]}'::bigint)
"""
_Layout = list[tuple[str, str]]
_AT_ONCE = 8192  # rows, which stay in the processor's cache from step to step


async def read_block(
    db: Database,
    circuit_keys: Sequence[int],
    from_us_: int,
    to_us_: int,
    columns: Sequence[str] = MEASURANDS,
) -> Readings:
    """Readings of [from, to) in (circuit, ts) order; columns not asked for are NaN."""
    layout, chosen = _layout(needed(columns))
    query = f"""
        SELECT {chosen}
        FROM readings
        WHERE circuit_key = ANY ('{{{",".join(str(int(key)) for key in circuit_keys)}}}'::int[])
              AND ts >= '{from_us(from_us_).isoformat()}'::timestamptz
              AND ts < '{from_us(to_us_).isoformat()}'::timestamptz
        ORDER BY circuit_key, ts
    """  # noqa: S608 - numbers, and column names of our own table
    parts: list[bytes] = []

    async def keep(data: bytes) -> None:
        parts.append(data)

    async with db.connection() as connection:  # COPY takes no parameters: asyncpg asks for each
        await connection.copy_from_query(query, output=keep, format="binary")
    return _to_readings(decode(b"".join(parts), layout), columns)


async def read_since(
    db: Database,
    circuit_keys: NDArray[np.int64],
    since_us: NDArray[np.int64],
    columns: Sequence[str] = MEASURANDS,
) -> Readings:
    """Readings of circuits from an instant each on [n]; cheap where that is a moment ago."""
    if len(circuit_keys) == 0:
        return empty_readings()
    layout, chosen = _layout(needed(columns))
    query = f"""
        SELECT {chosen}
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
    return _to_readings(decode(b"".join(parts), layout), columns)


def _layout(measurands: Sequence[str]) -> tuple[_Layout, str]:
    """What the COPY sends, and the SELECT list for it: no NULLs, every row the same width."""
    layout = [("circuit", ">i4"), ("ts", ">i8")]
    chosen = ["circuit_key", "ts"]
    for name in measurands:
        column, kind, _ = STORED[name]
        layout.append((name, kind))
        chosen.append(f"coalesce({column}, '{_MISSING[kind]}'::{_SQL_TYPE[kind]})")
    return [*layout, ("form", ">i2"), ("receipt", ">i8")], ", ".join([*chosen, _FORM, _RECEIPT])


def _to_readings(raw: NDArray[np.void], columns: Sequence[str]) -> Readings:
    rows = np.empty(len(raw), dtype=READING_DTYPE)
    for start in range(0, len(raw), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        _restore(raw[part], columns, rows[part])
    return rows


def _restore(raw: NDArray[np.void], columns: Sequence[str], rows: Readings) -> None:
    rows["circuit"] = raw["circuit"]
    rows["ts"] = raw["ts"].astype(np.int64) + PG_EPOCH_US
    form = raw["form"].astype(np.int64)  # negative: none
    rows["resent"] = np.where(form < 0, form == _OLD_RESENT, form & RESENT > 0)
    rows["received_at"] = _received(raw["receipt"].astype(np.int64), rows["ts"])
    stored = {m: raw[m].astype(np.float64) for m in needed(columns)}
    missing = {m: values == _MISSING[STORED[m][1]] for m, values in stored.items()}
    counts = restore(form, stored, missing)
    for name in MEASURANDS:
        if name not in columns:
            rows[name] = np.nan
            continue
        np.divide(counts[name], STORED[name][2], out=rows[name])
        if missing[name].any():
            rows[name][missing[name]] = np.nan


def _received(receipt: NDArray[np.int64], ts_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """What `_RECEIPT` sends → receipt [µs]; NEVER where it is not known."""
    at = np.where(receipt < _AT_OFFSET, ts_us + receipt * US_PER_SECOND, receipt - 2 * _AT_OFFSET)
    return np.where(receipt == _MISSING[">i8"], NEVER, at)


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
