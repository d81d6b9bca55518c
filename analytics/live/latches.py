"""The hysteresis of `analytics.states.hysteresis`, taken up where it stood, and the dwell.

A latch is the last word that power spoke: above the upper edge, below the lower one, or nothing
yet. Kept per minute, it can be taken up at any minute again when a late reading comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from analytics.states.dwell import DWELL_MIN
from analytics.states.hysteresis import StateGrid, named
from wattwitness.domain.states import State, Thresholds

NOTHING: Final = 0
DOWN: Final = 1
UP: Final = 2
KEEP: Final = -1  # of what is told from outside: it has no say
Latch = NDArray[np.int8]
"""Last word spoken, per circuit, or per circuit and minute."""


@dataclass(frozen=True)
class Stood:
    """Words that are told from outside, and before which minute each [n]; KEEP = none."""

    minute: NDArray[np.int64]
    word: Latch

    def among(self, minutes: int) -> frozenset[int]:
        """Minutes of so many before which something is told."""
        told = (self.word != KEEP) & (self.minute >= 0) & (self.minute < minutes)
        return frozenset(self.minute[told].tolist())


@dataclass(frozen=True)
class Levels:
    """Thresholds as arrays, NaN where there is no such class [circuits]."""

    standby_kw: NDArray[np.float64]
    standby_release_kw: NDArray[np.float64]
    running_kw: NDArray[np.float64]
    running_release_kw: NDArray[np.float64]
    running_level_kw: NDArray[np.float64]

    @classmethod
    def of(cls, thresholds: Sequence[Thresholds]) -> Self:
        """Of thresholds in row order."""
        return cls(
            *(np.array([getattr(t, f.name) for t in thresholds], np.float64) for f in fields(cls))
        )

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> "Levels":
        return Levels(**{name: values[rows] for name, values in self.columns.items()})

    def put(self, rows: slice, other: "Levels") -> None:
        """Replace those of some rows."""
        for name, values in self.columns.items():
            values[rows] = other.columns[name]

    def equals(self, rows: slice, other: "Levels") -> bool:
        """Whether these rows have these levels."""
        return all(
            np.array_equal(values[rows], other.columns[name], equal_nan=True)
            for name, values in self.columns.items()
        )

    @property
    def columns(self) -> Mapping[str, NDArray[np.float64]]:
        """Name → values."""
        return vars(self)


def held(
    before: Latch,
    power: Power,
    enter_kw: NDArray[np.float64],
    release_kw: NDArray[np.float64],
    stood: Stood,
) -> Latch:
    """Latches minute by minute [n, minutes].

    Args:
        before: of the minute before the first one [n].
        power: kW, NaN = unknown [n, minutes].
        enter_kw: at or above is up [n].
        release_kw: below is down [n].
        stood: words that are told from outside; they go before those that power spoke [n].
    """
    found = np.empty(power.shape, dtype=np.int8)
    last, told = before, stood.among(power.shape[1])
    for minute in range(power.shape[1]):
        if minute in told:
            own = (stood.minute == minute) & (stood.word != KEEP)
            last = np.where(own, stood.word, last)
        kw = power[:, minute]
        last = np.where(kw >= enter_kw, UP, np.where(kw < release_kw, DOWN, last)).astype(np.int8)
        found[:, minute] = last
    return found


def _is_up(
    latch: Latch, power: Power, enter_kw: NDArray[np.float64], release_kw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    middle = np.sqrt(enter_kw * release_kw)[:, np.newaxis]
    up: NDArray[np.bool_] = np.where(latch == NOTHING, power >= middle, latch == UP)
    return up


def states_of(power: Power, running: Latch, energised: Latch, levels: Levels) -> StateGrid:
    """States from power and latches, before any dwell [n, minutes]."""
    runs = _is_up(running, power, levels.running_kw, levels.running_release_kw)
    idles = _is_up(energised, power, levels.standby_kw, levels.standby_release_kw)
    return named(power, runs, idles, levels.standby_kw, levels.running_kw)


def dwelt(states: StateGrid, dwells: NDArray[np.bool_]) -> StateGrid:
    """Production that ran for a moment only, seen to its end → standby.

    As `analytics.states.dwell`: what touches an edge or an unknown minute stays.

    Args:
        states: [n, minutes].
        dwells: rows that are production [n].
    """
    runs = (states == State.RUNNING) & dwells[:, np.newaxis]
    rests = ~runs & (states != State.UNKNOWN)
    result = states
    for length in range(1, DWELL_MIN):
        last = states.shape[1] - length - 1  # minutes at which such a run may begin: 1 … last
        if last < 1:
            break
        short = rests[:, :last] & rests[:, length + 1 :]
        for minute in range(length):
            short = short & runs[:, 1 + minute : 1 + minute + last]
        if not short.any():
            continue
        result = result.copy() if result is states else result
        row, start = np.nonzero(short)
        for minute in range(length):
            result[row, start + 1 + minute] = State.STANDBY
    return result
