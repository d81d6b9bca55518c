"""Rollups: power and registers of each circuit per quarter of an hour, kept by the program.

The same table and the same answers in every mode. Each ingest transaction leaves one row that names
the hours (of groups of circuits) it touched (`touched_hours`); it waits for nobody. One worker at a
time folds those rows into `dirty_hours`, computes hours that have ended anew from all their
readings, and takes the mark away with the result. What was committed too late to be read leaves its
own row, and is taken next time. So an hour without a mark is always right, however late its
readings came.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_HOUR, from_us, to_us
from wattwitness.domain.readings import Readings
from wattwitness.store.copy_format import PG_EPOCH_US, encode
from wattwitness.store.database import Database
from wattwitness.store.local_days import GROUP_BITS
from wattwitness.store.mode import Connection
from wattwitness.store.readings import read_block
from wattwitness.store.statements import statements
from wattwitness.store.translation import translated

BUCKET_US: Final = US_PER_HOUR // 4
NOT_MEASURED: Final = np.iinfo(np.int64).min
ROLLUP_DTYPE: Final = np.dtype(
    [
        ("circuit", "<i4"),
        ("bucket", "<i8"),  # its start, µs since 1970
        ("n", "<i8"),  # readings
        ("p_n", "<i8"),  # readings with power
        *[(name, "<i8") for name in ("p_min", "p_max", "p_sum")],  # W
        *[(name, "<i8") for name in ("e_first", "e_last")],  # Wh
        *[(name, "<i8") for name in ("e_first_us", "e_last_us")],  # after the bucket's start
    ]
)
"""One bucket of one circuit; NOT_MEASURED where there is no power, or no register."""

_LOCK: Final = 0x57575255
_MOST_GROUP_HOURS: Final = 100  # at a time: some 100,000 readings, 10 MB, and no long pause
_SQL_TYPES: Final = {
    "n": ">i4", "p_n": ">i4", "p_min": ">i4", "p_max": ">i4", "p_sum": ">i8", "e_first": ">i8",
    "e_last": ">i8", "e_first_us": ">i4", "e_last_us": ">i4",
}  # fmt: skip


def rollup(rows: Readings) -> NDArray[np.void]:
    """Readings in (circuit, ts) order → ROLLUP_DTYPE, one row per circuit and quarter with any."""
    if len(rows) == 0:
        return np.zeros(0, dtype=ROLLUP_DTYPE)
    quarter = rows["ts"] // BUCKET_US
    fresh = (np.diff(rows["circuit"]) != 0) | (np.diff(quarter) != 0)
    starts = np.concatenate(([0], np.flatnonzero(fresh) + 1))
    found = np.zeros(len(starts), dtype=ROLLUP_DTYPE)
    found["circuit"], found["bucket"] = rows["circuit"][starts], quarter[starts] * BUCKET_US
    found["n"] = np.diff(starts, append=len(rows))
    _add_power(found, starts, rows["p_kw"])
    _add_registers(found, starts, rows)
    return found


def _add_power(
    found: NDArray[np.void], starts: NDArray[np.int64], p_kw: NDArray[np.float64]
) -> None:
    known = ~np.isnan(p_kw)
    watts = np.where(known, np.rint(p_kw * 1000), 0).astype(np.int64)
    limits = np.iinfo(np.int64)
    found["p_n"] = np.add.reduceat(known.astype(np.int64), starts)
    some = found["p_n"] > 0
    for name, values in (
        ("p_min", np.minimum.reduceat(np.where(known, watts, limits.max), starts)),
        ("p_max", np.maximum.reduceat(np.where(known, watts, limits.min), starts)),
        ("p_sum", np.add.reduceat(watts, starts)),
    ):
        found[name] = np.where(some, values, NOT_MEASURED)


def _add_registers(found: NDArray[np.void], starts: NDArray[np.int64], rows: Readings) -> None:
    known, place = ~np.isnan(rows["e_kwh"]), np.arange(len(rows))
    first = np.minimum.reduceat(np.where(known, place, len(rows)), starts)
    last = np.maximum.reduceat(np.where(known, place, -1), starts)
    some = last >= 0
    for name, rank in (("e_first", first), ("e_last", last)):
        at = np.where(some, rank, 0)
        wh = np.rint(np.nan_to_num(rows["e_kwh"][at]) * 1000).astype(np.int64)
        found[name] = np.where(some, wh, NOT_MEASURED)
        found[f"{name}_us"] = np.where(some, rows["ts"][at] - found["bucket"], NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Hours [first, end) of several groups of circuits, to be computed together."""

    first: int
    end: int
    groups: tuple[int, ...]

    @property
    def circuits(self) -> list[int]:
        """The keys of its circuits."""
        return [key for g in self.groups for key in range(g << GROUP_BITS, (g + 1) << GROUP_BITS)]


async def keep_rollups(db: Database, now: datetime, limit: int = 10_000) -> int:
    """Compute up to `limit` dirty hours of circuit groups that have ended; returns how many.

    Safe at any time and from several processes: one works, the others go away with 0.

    Raises:
        StoreUnavailableError: the database went away; what was not done stays marked.
    """
    sql = statements("rollups")
    async with db.dedicated() as connection:  # its locks end with it
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            return 0
        await connection.execute(sql["fold"])
        await connection.execute(sql["forget_dropped"])
        hours = await connection.fetch(sql["take"], to_us(now) // US_PER_HOUR, limit)
        for stretch in _stretches([(r["circuit_group"], r["hour"]) for r in hours]):
            await _compute(db, connection, stretch)
    return len(hours)


def _stretches(hours: Sequence[tuple[int, int]]) -> Iterator[_Stretch]:
    """(group, hour) in ascending order → runs of hours, with all groups that have the same run."""
    runs: dict[tuple[int, int], list[int]] = defaultdict(list)
    first = 0
    for k, (group, hour) in enumerate(hours):
        long = hour + 1 - hours[first][1] >= _MOST_GROUP_HOURS
        if long or k + 1 == len(hours) or hours[k + 1] != (group, hour + 1):
            runs[hours[first][1], hour + 1].append(group)
            first = k + 1
    for (start, end), groups in sorted(runs.items()):
        at_once = max(1, _MOST_GROUP_HOURS // (end - start))
        for k in range(0, len(groups), at_once):
            yield _Stretch(start, end, tuple(groups[k : k + at_once]))


async def _compute(db: Database, connection: Connection, stretch: _Stretch) -> None:
    sql = statements("rollups")
    start_us, end_us = stretch.first * US_PER_HOUR, stretch.end * US_PER_HOUR
    rows = await read_block(db, stretch.circuits, start_us, end_us, ("p_kw", "e_kwh"))
    # beside the event loop: the collector calls this, and must not pause for it
    found = await asyncio.to_thread(rollup, rows)
    async with translated(), connection.transaction():
        if db.mode.hypertable:  # late rows may change any number of compressed ones
            await connection.execute(sql["no_limit"])
        bounds = from_us(start_us), from_us(end_us)
        await connection.execute(sql["clear"], stretch.circuits, *bounds)
        if len(found):
            await connection.copy_to_table(
                "rollups",
                source=BytesIO(_payload(found)),
                columns=["circuit_key", "bucket", *_SQL_TYPES],
                format="binary",
            )
        groups = list(stretch.groups)
        await connection.execute(sql["unmark"], groups, stretch.first, stretch.end)


def _payload(found: NDArray[np.void]) -> bytes:
    return encode(
        [
            ("circuit_key", ">i4", found["circuit"]),
            ("bucket", ">i8", found["bucket"] - PG_EPOCH_US),
            *((name, kind, found[name]) for name, kind in _SQL_TYPES.items()),
        ],
        {name: found[name] == NOT_MEASURED for name in _SQL_TYPES if name[0] in "pe"},
    )


async def load_rollups(
    db: Database, circuit_keys: Sequence[int], from_us_: int, to_us_: int
) -> NDArray[np.void]:
    """ROLLUP_DTYPE of the buckets in [from, to), in (circuit, bucket) order; clean or not."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("rollups")["load"], list(map(int, circuit_keys)), from_us(from_us_),
            from_us(to_us_),
        )  # fmt: skip
    found = np.zeros(len(rows), dtype=ROLLUP_DTYPE)
    for k, row in enumerate(rows):
        key, bucket, *values = row
        found[k] = (
            key, to_us(bucket), *(NOT_MEASURED if value is None else value for value in values)
        )  # fmt: skip
    return found
