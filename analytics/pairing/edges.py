"""Starts and stops of production against those of its treatment.

An event is a production start after a real rest, or a stop before one, of which all minutes that
matter are known. It belongs to the local day on which it could be told, so that each is found
exactly once, midnight or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.pairing.condition import PairMinutes
from analytics.states.dwell import runs

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


def _closed(works: NDArray[np.bool_], hole_min: int = HOLE_MIN) -> NDArray[np.bool_]:
    """Short holes in the work filled."""
    filled = works.copy()
    for start, end in runs(~works):
        if start > 0 and end < len(works) and end - start <= hole_min:
            filled[start:end] = True
    return filled


def _known_rest(minutes: PairMinutes, unknown_states: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return ~minutes.running & ~unknown_states


def starts(minutes: PairMinutes, blind: NDArray[np.bool_]) -> Iterator[Edge]:
    """Production starts, and since when treatment works (or from when on).

    Args:
        minutes: of the pairing.
        blind: minutes in which a state of the pairing is not known.
    """
    works = _closed(minutes.works > 0)
    rested = _closed(minutes.works > 0, REST_MIN)  # a fan on a timer has not stopped either
    rest = _known_rest(minutes, blind)
    for start, end in runs(minutes.running):
        if start < REST_MIN or not rest[start - REST_MIN : start].all():
            continue
        if works[start]:
            before = np.flatnonzero(~rested[:start])
            since = int(before[-1]) + 1 if len(before) else 0
            if since > 0 and not blind[since - 1]:
                yield Edge(start, since, start)
            continue
        after = np.flatnonzero(works[start : start + LONGEST_MIN])
        if not len(after):
            continue
        first = start + int(after[0])
        stays = not rest[start:first].any() or first < end + REST_MIN
        if stays and not blind[start:first].any():
            yield Edge(start, first, first)


def stops(minutes: PairMinutes, blind: NDArray[np.bool_]) -> Iterator[Edge]:
    """Production stops, and since when treatment does not work any more.

    Args:
        minutes: of the pairing.
        blind: minutes in which a state of the pairing is not known.
    """
    works = _closed(minutes.works > 0)
    rest = _known_rest(minutes, blind)
    for _, end in runs(minutes.running):
        told = end + REST_MIN - 1
        if told >= len(works) or not rest[end : told + 1].all():
            continue
        earliest = max(0, end - LONGEST_MIN)
        last = np.flatnonzero(works[earliest:end])
        if not len(last):
            continue
        gone = earliest + int(last[-1]) + 1
        if not blind[gone - 1 : end].any():
            yield Edge(end, gone, told)
