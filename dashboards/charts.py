"""Bands for charts: which bucket width a window deserves, and buckets as JSON.

A bucket without a single reading is null, and no other bucket is: gaps in the database are gaps on
the screen, and nothing else is.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_SECOND
from wattwitness.store.series import Band

_STEPS_S = (
    10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
)  # fmt: skip
POINTS_AT_MOST = 3000


def bucket_s(span_us: int, points: int, interval_s: int) -> int:
    """Width [s] of the buckets of a window.

    The smallest step that needs no more than `points` buckets, and never one finer than the
    circuit's own interval, which would show gaps that are not there.

    Args:
        span_us: length of the window [µs].
        points: buckets wanted.
        interval_s: reading interval of the circuit [s].
    """
    least = max(interval_s, span_us / US_PER_SECOND / max(1, points))
    steps = sorted({*_STEPS_S, interval_s})
    for step in steps:
        if step >= least:
            return step
    return _STEPS_S[-1] * int(-(-least // _STEPS_S[-1]))


def numbers(values: NDArray[np.float64], digits: int = 3) -> list[float | None]:
    """NaN → null, rounded; shape (n,)."""
    found: list[float] = np.round(values, digits).tolist()
    return [None if value != value else value for value in found]  # noqa: PLR0124 - NaN


def series_json(circuit_id: str, band: Band, width_s: int) -> dict[str, Any]:
    """One circuit's band: `start` and `bucket_s` in seconds, then one entry per bucket [kW]."""
    start_us = int(band.ts_us[0]) if len(band.ts_us) else 0
    return {
        "circuit_id": circuit_id,
        "bucket_s": width_s,
        "start": start_us // US_PER_SECOND,
        "mean": numbers(band.mean),
        "min": numbers(band.low),
        "max": numbers(band.high),
        "count": [int(n) for n in band.count],
    }
