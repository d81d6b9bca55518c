"""Blocks of 15 minutes of the local day, from minutes. Shared by the detectors of levels."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.facts import BLOCK_MIN, BLOCKS
from wattwitness.domain.instants import US_PER_MINUTE, day_bounds, to_us

LEAST_MINUTES = 13  # known minutes of a full block


def by_block(values: NDArray[np.floating], skip: int) -> NDArray[np.float64]:
    """The local day of a row of minutes as [96, 15]; a shorter day is filled with NaN.

    Args:
        values: minutes, warm-up included.
        skip: minutes of warm-up.
    """
    day = np.full(BLOCKS * BLOCK_MIN, np.nan)
    own = values[skip : skip + len(day)]
    day[: len(own)] = own
    return day.reshape(BLOCKS, BLOCK_MIN)


def block_means(
    values: NDArray[np.floating],
    use: NDArray[np.bool_],
    skip: int,
    least_minutes: int = LEAST_MINUTES,
) -> NDArray[np.float64]:
    """Mean of the used minutes of each block; NaN where too few are used [96].

    Args:
        values: minutes, warm-up included, NaN = not known.
        use: which minutes count.
        skip: minutes of warm-up.
        least_minutes: how many a block needs.
    """
    end = skip + BLOCKS * BLOCK_MIN
    own = values[skip:end]
    known = np.zeros(BLOCKS * BLOCK_MIN, dtype=np.bool_)
    np.logical_and(use[skip:end], np.isfinite(own), out=known[: len(own)])
    day = np.zeros(len(known))
    np.copyto(day[: len(own)], own, where=known[: len(own)])
    n = known.reshape(BLOCKS, BLOCK_MIN).sum(axis=1)
    total = day.reshape(BLOCKS, BLOCK_MIN).sum(axis=1)
    return np.where(n >= least_minutes, total / np.maximum(n, 1), np.nan)


def block_instants_us(numbers: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """When blocks begin [µs].

    Args:
        numbers: ordinal of the local day × 96 + block of the day [n].
        zone: of the plant.
    """
    ordinals, day = np.unique(numbers // BLOCKS, return_inverse=True)
    starts = [to_us(day_bounds(date.fromordinal(n), zone)[0]) for n in ordinals.tolist()]
    within = (numbers % BLOCKS) * (BLOCK_MIN * US_PER_MINUTE)
    return np.asarray(np.array(starts, dtype=np.int64)[day] + within, dtype=np.int64)
