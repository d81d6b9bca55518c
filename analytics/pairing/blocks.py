"""Blocks of 15 minutes of the local day, from minutes. Shared by the detectors of levels."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.facts import BLOCK_MIN, BLOCKS
from wattwitness.domain.instants import US_PER_MINUTE, day_bounds, to_us

LEAST_MINUTES = 13  # known minutes of a full block


def block_means(
    values: NDArray[np.floating | np.integer | np.bool_],
    use: NDArray[np.bool_],
    skip: int,
    least_minutes: int = LEAST_MINUTES,
) -> NDArray[np.float64]:
    """Mean of the used minutes of each block; NaN where too few are used [..., 96].

    Args:
        values: minutes, warm-up included, NaN = not known [..., minutes].
        use: which minutes count [..., minutes].
        skip: minutes of warm-up.
        least_minutes: how many a block needs.
    """
    day = slice(skip, skip + BLOCKS * BLOCK_MIN)
    own = values[..., day]
    known = use[..., day] & np.isfinite(own)
    n = _block_sums(known.view(np.int8))
    total = _block_sums(np.where(known, own, np.float64(0.0)))
    return np.where(n >= least_minutes, total / np.maximum(n, 1), np.nan)


def _block_sums(minutes: NDArray[Any]) -> NDArray[Any]:
    """Sums of the blocks of a day; a shorter day lacks minutes [..., 96]."""
    shape = minutes.shape[:-1]
    if minutes.shape[-1] < BLOCKS * BLOCK_MIN:
        whole = np.zeros((*shape, BLOCKS * BLOCK_MIN), dtype=minutes.dtype)
        whole[..., : minutes.shape[-1]] = minutes
        minutes = whole
    # several times as fast as `sum`, whose order differs: float32 powers sum up exactly in float64
    return np.asarray(np.einsum("...k->...", minutes.reshape(*shape, BLOCKS, BLOCK_MIN)))


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
