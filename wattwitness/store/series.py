"""Series for charts: mean line in a min-max band, dense buckets, made by the database.

A bucket is missing only where it holds no reading at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import from_us
from wattwitness.store.database import Database

_BANDS = """
SELECT circuit_key,
       ((extract(epoch FROM ts) * 1000000)::bigint - $4) / $5 AS bucket,
       avg(p) / 1000.0 AS mean, min(p) / 1000.0 AS low, max(p) / 1000.0 AS high, count(*) AS n
FROM readings
WHERE circuit_key = ANY ($1::int[]) AND ts >= $2 AND ts < $3 AND p IS NOT NULL
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Band:
    """Power of one circuit [kW] in dense buckets; NaN where a bucket is wholly missing."""

    ts_us: NDArray[np.int64]  # start of each bucket
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


async def bands(
    db: Database, circuit_keys: Sequence[int], from_us_: int, to_us_: int, bucket_us: int
) -> dict[int, Band]:
    """Circuit key → band over [from, to), in buckets that begin at `from`."""
    starts = np.arange(from_us_, to_us_, bucket_us, dtype=np.int64)
    keys = list(map(int, circuit_keys))
    found = {key: _empty_band(starts) for key in keys}
    async with db.connection() as connection:
        rows = await connection.fetch(
            _BANDS, keys, from_us(from_us_), from_us(to_us_), from_us_, bucket_us
        )
    for row in rows:
        band, at = found[row["circuit_key"]], row["bucket"]
        band.mean[at], band.low[at], band.high[at] = (
            float(row["mean"]), float(row["low"]), float(row["high"]),
        )  # fmt: skip
        band.count[at] = row["n"]
    return found


def _empty_band(starts: NDArray[np.int64]) -> Band:
    mean, low, high = np.full((3, len(starts)), np.nan)
    return Band(starts, mean, low, high, np.zeros(len(starts), dtype=np.int64))
