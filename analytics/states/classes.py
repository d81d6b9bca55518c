"""Which of Otsu's classes are real, and what they are called.

Otsu always answers; whether its classes mean anything is decided here. Positions are octave
eighths relative to the circuit's own upper level, so that a machine of 5 kW and one of 500 kW look
alike; everything more than nine octaves below that level is "nothing".
"""

from dataclasses import dataclass

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
_CHUNK = 64

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


def level_bin(minutes: Bins) -> int:
    """The highest bin that is reached often enough to be a level; 0 = never energised."""
    above = np.cumsum(minutes[::-1])[::-1]
    enough = max(TOP_MINUTES, TOP_SHARE * float(above[1]))
    reached = np.flatnonzero(above[1:] >= enough)
    return int(reached[-1]) + 1 if len(reached) else 0


def _compress(minutes: Bins, level: int) -> Bins:
    """Histogram relative to its level [80]."""
    position = np.clip(np.arange(BINS) - level + LEVEL_POSITION, 0, POSITIONS - 1)
    position[0] = 0
    folded: Bins = np.bincount(position, weights=minutes, minlength=POSITIONS).astype(np.float64)
    return folded


def _class(weights: Bins, start: int, end: int, level: int) -> PowerClass:
    part = weights[start:end]
    share = np.cumsum(part) / part.sum()
    low, mid, high = (int(np.searchsorted(share, q)) for q in (0.02, 0.5, 0.98))
    to_bin = start + level - LEVEL_POSITION
    return PowerClass(
        lower=max(0.0, float(low + to_bin)),
        upper=max(1.0, float(min(high, len(part) - 1) + to_bin + 1)),
        median=max(0.0, float(mid + to_bin)),
        minutes=float(part.sum()),
    )


def _ratio(lower: PowerClass, upper: PowerClass) -> float:
    return float(2.0 ** ((lower.median - upper.median) / BINS_PER_OCTAVE))


def _separable(weights: Bins, start: int, split: int, end: int) -> bool:
    """Whether a real valley lies between two neighbouring classes."""
    smooth = np.convolve(weights, (0.25, 0.5, 0.25), mode="same")
    # peaks of the raw weights: a smoothed neighbour's flank could outgrow a small class
    low = start + int(np.argmax(weights[start:split]))
    high = split + int(np.argmax(weights[split:end]))
    valley = smooth[low : high + 1].min()
    return bool(valley < VALLEY_DEPTH * min(smooth[low], smooth[high]))


def _of_three(
    weights: Bins, splits: NDArray[np.intp], level: int, resolution_kw: float
) -> Classes | None:
    first, second = int(splits[0]), int(splits[1])
    parts = ((0, first), (first, second), (second, POSITIONS))
    if any(weights[a:b].sum() <= 0 for a, b in parts):
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


def _of_two(weights: Bins, split: int, level: int) -> Classes:
    whole = _class(weights, 0, POSITIONS, level)
    if weights[:split].sum() <= 0 or weights[split:].sum() < TOP_MINUTES:
        return Classes(running=whole)
    lower = _class(weights, 0, split, level)
    upper = _class(weights, split, POSITIONS, level)
    ratio = _ratio(lower, upper)
    if ratio < OFF_BELOW:
        return Classes(off=lower, running=upper)
    if ratio <= STANDBY_BELOW and _separable(weights, 0, split, POSITIONS):
        return Classes(standby=lower, running=upper)
    return Classes(running=whole)


def _energised(weights: Bins, level: int) -> Classes:
    """Without a real middle class: off, and everything above it."""
    nothing = LEVEL_POSITION + int(np.ceil(np.log2(OFF_BELOW) * BINS_PER_OCTAVE))
    off_minutes = weights[:nothing].sum()
    if off_minutes <= 0:
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
        levels = [level_bin(row) for row in chunk]
        weights = np.stack([_compress(r, n) for r, n in zip(chunk, levels, strict=True)])
        three, two = three_classes(weights), two_classes(weights)
        for n, level in enumerate(levels):
            found.append(
                _name(weights[n], three[n], int(two[n]), level, float(resolution_kw[start + n]))
            )
    return found


def _name(
    weights: Bins, three: NDArray[np.intp], two: int, level: int, resolution_kw: float
) -> Classes:
    if weights.sum() <= 0:
        return Classes()
    if level == 0:
        return Classes(off=PowerClass(0.0, 1.0, 0.0, float(weights.sum())))
    named = _of_three(weights, three, level, resolution_kw)
    if named is not None:
        return named
    named = _of_two(weights, two, level)
    if named.off is None and named.standby is None:
        return _energised(weights, level)
    return named
