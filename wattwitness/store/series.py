"""Series for charts: mean line in a min-max band, dense buckets, made by the database.

A bucket is missing only where it holds no reading at all. Buckets of whole quarters are read from
the rollups where those are right, from the readings where something changed since: the answer is
that of the readings alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_HOUR, from_us
from wattwitness.store.database import Database
from wattwitness.store.local_days import GROUP_BITS
from wattwitness.store.mode import Connection
from wattwitness.store.rollups import BUCKET_US
from wattwitness.store.statements import statements

_MOST_PIECES: Final = 8  # of raw readings, each a query; near ones are read together
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Band:
    """Power of one circuit [kW] in dense buckets; NaN where a bucket is wholly missing."""

    ts_us: NDArray[np.int64]  # start of each bucket
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


async def bands(
    db: Database,
    circuit_keys: Sequence[int],
    from_us_: int,
    to_us_: int,
    bucket_us: int,
    *,
    raw_only: bool = False,
) -> dict[int, Band]:
    """Circuit key → band over [from, to), in buckets that begin at `from`."""
    sql = statements("rollups")
    keys = list(map(int, circuit_keys))
    found = _Sums(keys, np.arange(from_us_, to_us_, bucket_us, dtype=np.int64))
    span = (from_us_, to_us_)
    quarters = from_us_ % BUCKET_US == 0 and bucket_us % BUCKET_US == 0

    async def add(name: str, piece: _Span) -> None:
        rows = await connection.fetch(
            sql[name], keys, from_us(piece[0]), from_us(piece[1]), from_us_, bucket_us
        )
        found.add(rows)

    async with (
        db.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        raw = [span] if raw_only or not quarters else await _raw_pieces(connection, keys, span)
        for piece in raw:
            await add("bands_of_readings", piece)
        for piece in _between(raw, span):
            await add("bands_of_rollups", piece)
    return found.bands()


async def _raw_pieces(connection: Connection, keys: Sequence[int], span: _Span) -> list[_Span]:
    """Where rollups cannot be used: hours with a mark, and what is no whole quarter at the end."""
    groups = sorted({key >> GROUP_BITS for key in keys})
    rows = await connection.fetch(
        statements("rollups")["marked"], groups, span[0] // US_PER_HOUR, -(-span[1] // US_PER_HOUR)
    )
    marked = ((r["hour"] * US_PER_HOUR, (r["hour"] + 1) * US_PER_HOUR) for r in rows)
    pieces = [(max(a, span[0]), min(b, span[1])) for a, b in marked]
    tail = span[1] // BUCKET_US * BUCKET_US
    if tail < span[1]:
        pieces.append((max(tail, span[0]), span[1]))
    return _joined(pieces)


def _joined(pieces: Iterable[_Span]) -> list[_Span]:
    """Ascending spans that touch made one, and so many gaps closed that few are left."""
    found: list[_Span] = []
    for start, end in sorted(pieces):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    gaps = sorted(b[0] - a[1] for a, b in pairwise(found))
    closed = gaps[max(0, len(found) - _MOST_PIECES) - 1] if len(found) > _MOST_PIECES else 0
    few: list[_Span] = found[:1]
    for start, end in found[1:]:
        if start - few[-1][1] <= closed:
            few[-1] = (few[-1][0], end)
        else:
            few.append((start, end))
    return few


def _between(pieces: Sequence[_Span], span: _Span) -> list[_Span]:
    """What of `span` is not in `pieces`."""
    edges = [span[0], *(edge for piece in pieces for edge in piece), span[1]]
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end) for start, end in spans if start < end]


class _Sums:
    """Sums, extremes and counts per circuit and bucket, from any number of partial answers."""

    def __init__(self, keys: Sequence[int], starts: NDArray[np.int64]) -> None:
        self._starts = starts
        self._row = {key: row for row, key in enumerate(keys)}
        shape = (len(keys), len(starts))
        self._n, self._total = np.zeros((2, *shape), dtype=np.int64)
        self._low = np.full(shape, np.iinfo(np.int64).max)
        self._high = np.full(shape, np.iinfo(np.int64).min)

    def add(self, rows: Sequence[Any]) -> None:
        """Add one answer: circuit_key, bucket (each once), total, low, high [W], n."""
        if not rows:
            return
        keys, bucket, total, low, high, n = zip(*rows, strict=True)
        at = ([self._row[key] for key in keys], list(bucket))
        self._total[at] += np.array(total, dtype=np.int64)
        self._n[at] += np.array(n, dtype=np.int64)
        self._low[at] = np.minimum(self._low[at], np.array(low, dtype=np.int64))
        self._high[at] = np.maximum(self._high[at], np.array(high, dtype=np.int64))

    def bands(self) -> dict[int, Band]:
        """What was added, in kW."""
        some = self._n > 0
        mean = np.where(some, self._total / np.maximum(self._n, 1) / 1000, np.nan)
        low = np.where(some, self._low / 1000, np.nan)
        high = np.where(some, self._high / 1000, np.nan)
        return {
            key: Band(self._starts, mean[row], low[row], high[row], self._n[row])
            for key, row in self._row.items()
        }
