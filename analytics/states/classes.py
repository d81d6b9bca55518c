"""Which of Otsu's classes are real, and what they are called.

Otsu always answers; whether its classes mean anything is decided here. Positions are octave
eighths relative to the circuit's own upper level, so that a machine of 5 kW and one of 500 kW look
alike; everything more than nine octaves below that level is "nothing".
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.states.histograms import BINS, BINS_PER_OCTAVE, bin_edge_kw
from analytics.states.otsu import three_classes, two_classes

LEVEL_POSITION = 9 * BINS_PER_OCTAVE
POSITIONS = LEVEL_POSITION + BINS_PER_OCTAVE  # one octave of room above the level
TOP_SHARE = 0.002  # the level is what this share of energised minutes reaches …
TOP_MINUTES = 10.0  # … and at least ten minutes
MIDDLE_SHARE = 0.03  # of energised minutes: how long a machine is off says nothing about it
OFF_BELOW = 0.02  # × running level: below is off
STANDBY_BELOW = 0.45  # × running level: above is part load, which is running
MIDDLE_STEPS = 3  # × meter resolution
VALLEY_DEPTH = 0.5  # the valley holds less than half of the lower of two peaks
_QUANTILES: Final = (0.02, 0.5, 0.98)
_CHUNK: Final = 64

Bins = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PowerClass:
    """One class of power: the bins that hold its 2nd … 98th percentile, and its median.

    Edges are in bins of `histograms` (`bin_edge_kw` gives kW); `minutes` is its weight.
    """

    lower: float
    upper: float
    median: float
    minutes: float

    @property
    def level_kw(self) -> float:
        """Typical power [kW]."""
        return bin_edge_kw(self.median + 0.5)


@dataclass(frozen=True, slots=True)
class Classes:
    """The real classes of a circuit's history; None = this class does not exist here."""

    off: PowerClass | None = None
    standby: PowerClass | None = None
    running: PowerClass | None = None  # the highest class, whether the machine runs there or not


def level_bins(minutes: Bins) -> NDArray[np.intp]:
    """The highest bin that is reached often enough to be a level; 0 = never energised [n].

    Args:
        minutes: weighted minutes per bin [n, 256].
    """
    above = np.cumsum(minutes[:, :0:-1], axis=1)  # of a bin and all above it, the highest first
    enough = np.maximum(TOP_MINUTES, TOP_SHARE * above[:, -1:])
    found: NDArray[np.intp] = np.count_nonzero(above >= enough, axis=1)
    return found


def _compress(minutes: Bins, levels: NDArray[np.intp]) -> Bins:
    """Histograms relative to their levels [n, 80]."""
    position = np.clip(np.arange(BINS) - levels[:, np.newaxis] + LEVEL_POSITION, 0, POSITIONS - 1)
    position[:, 0] = 0
    position += np.arange(0, len(minutes) * POSITIONS, POSITIONS)[:, np.newaxis]
    size = len(minutes) * POSITIONS
    folded = np.bincount(position.ravel(), weights=minutes.ravel(), minlength=size)
    return folded.reshape(-1, POSITIONS).astype(np.float64, copy=False)


def _class(weights: list[float], start: int, end: int, level: int) -> PowerClass:
    until = list(accumulate(weights[start:end]))
    total = until[-1]
    low, mid, high = (bisect_left(until, q, key=lambda sum_: sum_ / total) for q in _QUANTILES)
    to_bin = start + level - LEVEL_POSITION
    return PowerClass(
        lower=max(0.0, float(low + to_bin)),
        upper=max(1.0, float(min(high, len(until) - 1) + to_bin + 1)),
        median=max(0.0, float(mid + to_bin)),
        minutes=total,
    )


def _ratio(lower: PowerClass, upper: PowerClass) -> float:
    return float(2.0 ** ((lower.median - upper.median) / BINS_PER_OCTAVE))


def _separable(weights: list[float], start: int, split: int, end: int) -> bool:
    """Whether a real valley lies between two neighbouring classes."""
    # peaks of the raw weights: a smoothed neighbour's flank could outgrow a small class
    low = weights.index(max(weights[start:split]), start)
    high = weights.index(max(weights[split:end]), split)
    framed = [0.0, *weights, 0.0]
    smooth = [
        0.25 * framed[n] + 0.5 * framed[n + 1] + 0.25 * framed[n + 2] for n in range(low, high + 1)
    ]
    return min(smooth) < VALLEY_DEPTH * min(smooth[0], smooth[-1])


def _of_three(
    weights: list[float], splits: Sequence[int], level: int, resolution_kw: float
) -> Classes | None:
    first, second = splits
    parts = ((0, first), (first, second), (second, POSITIONS))
    if any(sum(weights[a:b]) <= 0 for a, b in parts):
        return None
    off, middle, running = (_class(weights, a, b, level) for a, b in parts)
    real = (
        _ratio(off, running) < OFF_BELOW
        and OFF_BELOW <= _ratio(middle, running) <= STANDBY_BELOW
        and middle.minutes >= MIDDLE_SHARE * (middle.minutes + running.minutes)
        and middle.level_kw - (off.level_kw if off.median > 0 else 0.0)
        >= MIDDLE_STEPS * resolution_kw
        and _separable(weights, first, second, POSITIONS)
        and _separable(weights, 0, first, second)
    )
    return Classes(off, middle, running) if real else None


def _of_two(weights: list[float], split: int, level: int) -> Classes:
    whole = _class(weights, 0, POSITIONS, level)
    if sum(weights[:split]) <= 0 or sum(weights[split:]) < TOP_MINUTES:
        return Classes(running=whole)
    lower = _class(weights, 0, split, level)
    upper = _class(weights, split, POSITIONS, level)
    ratio = _ratio(lower, upper)
    if ratio < OFF_BELOW:
        return Classes(off=lower, running=upper)
    if ratio <= STANDBY_BELOW and _separable(weights, 0, split, POSITIONS):
        return Classes(standby=lower, running=upper)
    return Classes(running=whole)


def _energised(weights: list[float], level: int) -> Classes:
    """Without a real middle class: off, and everything above it."""
    nothing = LEVEL_POSITION + math.ceil(math.log2(OFF_BELOW) * BINS_PER_OCTAVE)
    if sum(weights[:nothing]) <= 0:
        return Classes(running=_class(weights, 0, POSITIONS, level))
    return Classes(
        off=_class(weights, 0, nothing, level),
        running=_class(weights, nothing, POSITIONS, level),
    )


def find_classes(minutes: Bins, resolution_kw: Bins) -> list[Classes]:
    """The classes of many histories.

    Args:
        minutes: weighted minutes per bin [n, 256].
        resolution_kw: power step of each meter [n].

    Returns:
        One `Classes` per history; empty where there is no minute at all.
    """
    found: list[Classes] = []
    for start in range(0, len(minutes), _CHUNK):
        chunk = minutes[start : start + _CHUNK]
        levels = level_bins(chunk)
        weights = _compress(chunk, levels)
        steps_kw = resolution_kw[start : start + _CHUNK]
        columns = (weights, three_classes(weights), two_classes(weights), levels, steps_kw)
        found += map(_name, *(column.tolist() for column in columns))
    return found


def _name(
    weights: list[float], three: Sequence[int], two: int, level: int, resolution_kw: float
) -> Classes:
    minutes = sum(weights)
    if minutes <= 0:
        return Classes()
    if level == 0:
        return Classes(off=PowerClass(0.0, 1.0, 0.0, minutes))
    named = _of_three(weights, three, level, resolution_kw)
    if named is not None:
        return named
    named = _of_two(weights, two, level)
    if named.off is None and named.standby is None:
        return _energised(weights, level)
    return named
