"""Where columns of readings come from: the third cut line of the architecture.

`PostgresSeries` reads the store; `MemorySeries` holds readings itself and keeps to the same
contract (tests run against both).
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from wattwitness.domain.readings import (
    NEVER,
    ReadingColumns,
    Readings,
    empty_readings,
    sort_readings,
)
from wattwitness.store.database import Database
from wattwitness.store.latest import watermark
from wattwitness.store.readings import Reach, data_range, reach_of, read_columns


class SeriesStore(Protocol):
    """Readings of circuits over a time."""

    async def block(self, circuit_keys: Sequence[int], from_us: int, to_us: int) -> ReadingColumns:
        """Readings of [from, to) in (circuit, ts) order, one per circuit and instant."""
        ...

    async def extent(self, circuit_keys: Sequence[int]) -> tuple[int, int] | None:
        """First and last data time of these circuits; None = no readings."""
        ...

    async def reach(self, circuit_keys: Sequence[int]) -> Reach:
        """Where the readings of these circuits begin, and how far they reach."""
        ...

    async def watermark(self) -> int | None:
        """How far all data reach, no later than they were received; None = no readings."""
        ...


class PostgresSeries:
    """The readings table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def block(self, circuit_keys: Sequence[int], from_us: int, to_us: int) -> ReadingColumns:
        """See `SeriesStore`."""
        return await read_columns(self._db, circuit_keys, from_us, to_us)

    async def extent(self, circuit_keys: Sequence[int]) -> tuple[int, int] | None:
        """See `SeriesStore`."""
        return await data_range(self._db, circuit_keys)

    async def reach(self, circuit_keys: Sequence[int]) -> Reach:
        """See `SeriesStore`."""
        return await reach_of(self._db, circuit_keys)

    async def watermark(self) -> int | None:
        """See `SeriesStore`."""
        return await watermark(self._db)


class MemorySeries:
    """Readings held in memory; the first value of a circuit and instant stays, as in the store."""

    def __init__(self) -> None:
        self._rows = empty_readings()

    def add(self, rows: Readings) -> None:
        """Take readings in, in any order; repeated keys are dropped."""
        together = sort_readings(np.concatenate((self._rows, rows)))
        keys = np.stack((together["circuit"].astype(np.int64), together["ts"]))
        new = np.ones(len(together), dtype=np.bool_)
        new[1:] = (np.diff(keys, axis=1) != 0).any(axis=0)
        self._rows = together[new]

    async def block(self, circuit_keys: Sequence[int], from_us: int, to_us: int) -> ReadingColumns:
        """See `SeriesStore`."""
        rows = self._rows
        inside = np.isin(rows["circuit"], list(circuit_keys))
        inside &= (rows["ts"] >= from_us) & (rows["ts"] < to_us)
        return ReadingColumns.of(rows[inside])

    async def extent(self, circuit_keys: Sequence[int]) -> tuple[int, int] | None:
        """See `SeriesStore`."""
        ts = self._rows["ts"][np.isin(self._rows["circuit"], list(circuit_keys))]
        return (int(ts.min()), int(ts.max())) if len(ts) else None

    async def reach(self, circuit_keys: Sequence[int]) -> Reach:
        """See `SeriesStore`."""
        own = self._rows[np.isin(self._rows["circuit"], list(circuit_keys))]
        first = np.flatnonzero(np.diff(own["circuit"], prepend=-1))
        keys, first_us = own["circuit"][first].tolist(), own["ts"][first].tolist()
        return Reach(dict(zip(keys, first_us, strict=True)), _newest_us(own))

    async def watermark(self) -> int | None:
        """See `SeriesStore`."""
        return _newest_us(self._rows)


def _newest_us(rows: Readings) -> int | None:
    if not len(rows):
        return None
    last = np.flatnonzero(np.diff(rows["circuit"], append=-1))  # newest row of each
    ts, received = rows["ts"][last], rows["received_at"][last]
    return int(np.where(received == NEVER, ts, np.minimum(ts, received)).max())
