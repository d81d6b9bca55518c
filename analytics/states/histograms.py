"""Power histograms on a log2 axis: what thresholds are learned from.

Eight bins per octave from 2^-10 kW (about 1 W); bin 0 holds everything below. One histogram per
circuit and local day is kept, so that any window can be summed again in any order.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power

BINS = 256
BINS_PER_OCTAVE = 8
LOWEST_LOG2_KW = -10.0
WINDOW_DAYS = 28
EARLY_DAYS = 14  # the first days of a circuit are judged together, whichever came first
HALF_LIFE_DAYS = 14.0
LEAST_DAYS_TO_WINSORISE = 5
FREE_MINUTES = 60.0  # what one day alone may say about a bin

Histogram = NDArray[np.int32]
"""Minutes per bin [256]."""


def day_histograms(power: Power) -> NDArray[np.int32]:
    """Minutes per power bin.

    Args:
        power: grid of one day [circuits, minutes].

    Returns:
        Counts of known minutes [circuits, 256].
    """
    if not power.size:
        return np.zeros((len(power), BINS), dtype=np.int32)
    lowest = np.float32(2.0**LOWEST_LOG2_KW)
    scaled = np.log2(np.fmax(power, lowest)) - LOWEST_LOG2_KW
    bin_ = np.minimum(np.floor(scaled * BINS_PER_OCTAVE).astype(np.int32) + 1, BINS - 1)
    bin_ *= power >= lowest  # below, and where nothing is known: bin 0
    bin_ += np.arange(0, len(power) * BINS, BINS, dtype=np.int32)[:, np.newaxis]
    counts = np.bincount(bin_.ravel(), minlength=len(power) * BINS).reshape(-1, BINS)
    counts[:, 0] -= np.count_nonzero(np.isnan(power), axis=1)
    return counts.astype(np.int32)


def window(day: date, first_day: date) -> tuple[date, date]:
    """First and last day whose histograms the thresholds of `day` rest on.

    The 28 days up to and including `day`; a circuit's first 14 days share one window, so that
    they are judged again as the history grows, and alike in whatever order they came.
    """
    early_end = first_day + timedelta(days=EARLY_DAYS - 1)
    if day <= early_end:
        return first_day, early_end
    return day - timedelta(days=WINDOW_DAYS - 1), day


def window_sum(days: Mapping[date, Histogram], first: date, last: date) -> NDArray[np.float64]:
    """Decayed, winsorised sum of the histograms of a window.

    A bin counts on no day more than twice its second-highest day (or an hour), so that one
    broken day cannot move a threshold; older days fade with a half-life of 14 days.

    Args:
        days: day → histogram of one circuit; missing days have no data.
        first: first day of the window.
        last: last day, included.

    Returns:
        Weighted minutes per bin [256].
    """
    inside = sorted(d for d in days if first <= d <= last)
    if not inside:
        return np.zeros(BINS)
    counts = np.stack([days[d] for d in inside]).astype(np.float64)
    if len(inside) >= LEAST_DAYS_TO_WINSORISE:
        second = np.partition(counts, -2, axis=0)[-2]
        counts = np.minimum(counts, np.maximum(2.0 * second, FREE_MINUTES))
    age = np.array([(last - d).days for d in inside], dtype=np.float64)
    total: NDArray[np.float64] = 0.5 ** (age / HALF_LIFE_DAYS) @ counts
    return total


def bin_edge_kw(edge: float) -> float:
    """Power at a bin edge (edge n is the lower edge of bin n; fractions allowed) [kW]."""
    return float(2.0 ** (LOWEST_LOG2_KW + (edge - 1.0) / BINS_PER_OCTAVE))
