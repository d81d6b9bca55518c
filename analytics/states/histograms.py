"""Power histograms on a log2 axis: what thresholds are learned from.

Eight bins per octave from 2^-10 kW (about 1 W); bin 0 holds everything below. One histogram per
circuit and local day is kept, so that any window can be summed again in any order.
"""

from collections.abc import Mapping, Sequence
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


def window_sums(
    histograms: Sequence[Mapping[date, Histogram]], first: date, last: date
) -> NDArray[np.float64]:
    """Decayed, winsorised sums of the histograms of a window, of many circuits at once.

    A bin counts on no day more than twice its second-highest day (or an hour), so that one
    broken day cannot move a threshold; older days fade with a half-life of 14 days.

    Args:
        histograms: of each circuit, day → minutes per bin; missing days have no data [n].
        first: first day of the window.
        last: last day, included.

    Returns:
        Weighted minutes per bin [n, 256].
    """
    days = sorted({d for own in histograms for d in own if first <= d <= last})
    nothing = np.zeros(BINS, dtype=np.int32)
    counts = np.array(
        [[own.get(day, nothing) for own in histograms] for day in days], dtype=np.float64
    ).reshape(len(days), len(histograms), BINS)
    most = _most_of_a_day(counts)
    few = [sum(d in own for d in days) < LEAST_DAYS_TO_WINSORISE for own in histograms]
    most[few] = np.inf
    total = np.zeros((len(histograms), BINS))
    for day, minutes in zip(days, counts, strict=True):
        total += 0.5 ** ((last - day).days / HALF_LIFE_DAYS) * np.minimum(minutes, most)
    return total


def _most_of_a_day(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """What one day may say about a bin, from [days, n, bins] → [n, bins]."""
    highest, second = np.zeros((2, *counts.shape[1:]))
    for minutes in counts:
        second = np.maximum(second, np.minimum(highest, minutes))
        highest = np.maximum(highest, minutes)
    most: NDArray[np.float64] = np.maximum(2.0 * second, FREE_MINUTES)
    return most


def bin_edge_kw(edge: float) -> float:
    """Power at a bin edge (edge n is the lower edge of bin n; fractions allowed) [kW]."""
    return float(2.0 ** (LOWEST_LOG2_KW + (edge - 1.0) / BINS_PER_OCTAVE))
