"""Starts and stops of production against those of its treatment.

An event is a production start after a real rest, or a stop before one, of which all minutes that
matter are known. It belongs to the local day on which it could be told, so that each is found
exactly once, midnight or not.

The minutes of all pairings are laid end to end, so far apart that nothing reaches from one to the
next, and every run is looked at in one go.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.pairing.condition import PairMinutes
from analytics.states.runs import Runs

REST_MIN = 10  # production that rests for less has not stopped
LONGEST_MIN = 90  # treatment that is longer away is not late, it is off
HOLE_MIN = 3  # treatment that drops out for so short did not stop


@dataclass(frozen=True, slots=True)
class Edge:
    """One start or stop [minutes of the grid]."""

    production: int  # the first running minute, or the first minute of rest
    treatment: int  # the first working minute, or the first minute without work
    told: int  # the minute at which all this was known

    @property
    def lag_min(self) -> int:
        """Treatment after production [min]; negative: before it."""
        return self.treatment - self.production


Found = Iterator[tuple[int, Edge]]
"""Number of the pairing, and one of its edges."""


@dataclass(frozen=True, slots=True)
class _Spans:
    """Runs of all pairings laid end to end [n]."""

    start: NDArray[np.intp]
    end: NDArray[np.intp]

    def closed(self, hole_min: int) -> "_Spans":
        """With short holes between them filled."""
        apart = self.start[1:] - self.end[:-1] > hole_min
        return _Spans(
            self.start[np.concatenate(([True], apart))], self.end[np.concatenate((apart, [True]))]
        )

    def last_begun(self, at: NDArray[np.intp]) -> NDArray[np.intp]:
        """Number of the last one that has begun at each minute; -1 = none."""
        return np.searchsorted(self.start, at, side="right") - 1


class _EndToEnd:
    """The minutes of all pairings of a plant, one pairing after the other."""

    def __init__(self, pairs: PairMinutes) -> None:
        self.minutes = pairs.running.shape[1]
        self._apart = self.minutes + LONGEST_MIN + REST_MIN
        self.pair = pairs.ran.row  # of each run of production
        self.before = self.pair * self._apart  # minutes of the pairings before
        self.runs, self.works = self._laid(pairs.ran), self._laid(pairs.worked)
        row, minute = np.nonzero(pairs.blind)
        self._blind = row * self._apart + minute

    def _laid(self, runs: Runs) -> _Spans:
        before = runs.row * self._apart
        return _Spans(before + runs.start, before + runs.end)

    def seen(self, start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether all states are known in [start, end) [n]."""
        if not len(self._blind):
            return np.ones(len(start), dtype=np.bool_)
        return np.asarray(self._blind.searchsorted(start) == self._blind.searchsorted(end))

    def edges(
        self,
        chosen: NDArray[np.bool_],
        production: NDArray[np.intp],
        treatment: NDArray[np.intp],
        told: NDArray[np.intp],
    ) -> Found:
        """Those of the chosen runs."""
        for k in np.flatnonzero(chosen).tolist():
            minutes = (int(at[k] - self.before[k]) for at in (production, treatment, told))
            yield int(self.pair[k]), Edge(*minutes)


def starts(pairs: PairMinutes) -> Found:
    """Production starts, and since when treatment works (or from when on)."""
    line = _EndToEnd(pairs)
    start, end = line.runs.start, line.runs.end
    if not len(start) or not len(line.works.start):
        return
    fresh = (start - line.before >= REST_MIN) & line.seen(start - REST_MIN, start)
    fresh[1:] &= start[1:] - end[:-1] >= REST_MIN
    works = line.works.closed(HOLE_MIN)
    last = works.last_begun(start)
    at_work = (last >= 0) & (start < works.end[last])
    rested = line.works.closed(REST_MIN)  # a fan on a timer has not stopped either
    since = rested.start[rested.last_begun(start)]
    before = at_work & (since > line.before) & line.seen(since - 1, since)
    first = works.start[np.minimum(last + 1, len(works.start) - 1)]
    # nor does production pause for long meanwhile
    after = ~at_work & (first >= start) & (first < np.minimum(start + LONGEST_MIN, end + REST_MIN))
    after &= line.seen(start, first)
    told = np.where(at_work, start, first)
    yield from line.edges(fresh & (before | after), start, np.where(at_work, since, first), told)


def stops(pairs: PairMinutes) -> Found:
    """Production stops, and since when treatment does not work any more."""
    line = _EndToEnd(pairs)
    end = line.runs.end
    if not len(end) or not len(line.works.start):
        return
    told = end + REST_MIN - 1
    rests = (told - line.before < line.minutes) & line.seen(end, told + 1)
    rests[:-1] &= line.runs.start[1:] - end[:-1] >= REST_MIN
    works = line.works.closed(HOLE_MIN)
    last = works.last_begun(end - 1)
    gone = np.minimum(works.end[last], end)
    near = (last >= 0) & (gone > end - LONGEST_MIN) & line.seen(gone - 1, end)
    yield from line.edges(rests & near, end, gone, told)
