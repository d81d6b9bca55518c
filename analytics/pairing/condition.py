"""What each minute says about the pairings of a plant: units that work against units that have to.

A pairing is live when any of its production circuits *runs*: standby without extraction is normal,
and testing against "energised" gave 16–28 false episodes per pair-month on a real factory. What is
not known is never held against anyone: a unit of which nothing is known may be working.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from analytics.plants import Paired
from analytics.states.hysteresis import RUNNING, STANDBY, UNKNOWN, StateGrid
from analytics.states.runs import Runs, runs_of

TREATMENT_WORKS_SHARE = 0.15
"""Of its running level: an energised fan above works (perhaps too little, which is another kind),
below it is only energised, which moves no air."""


class Condition(IntEnum):
    """What a minute says about a condition."""

    LAWFUL = 0  # known not to hold
    OPEN = 1  # not known, or production pauses meanwhile
    HOLDS = 2


@dataclass(frozen=True, eq=False)
class PairMinutes:
    """What the detectors need of the pairings of a plant [pairings, minutes]."""

    pairs: Sequence[Paired]
    off: NDArray[np.int8]  # `Condition`: production runs, no unit works
    short: NDArray[np.int8]  # `Condition`: production runs, some units work, fewer than required
    unknown: NDArray[np.bool_]  # something that matters is not known
    blind: NDArray[np.bool_]  # a state of the pairing is not known
    running: NDArray[np.bool_]  # known: some production circuit runs
    lines: NDArray[np.int16]  # production circuits known to run
    works: NDArray[np.bool_]  # known: some unit works
    treats: NDArray[np.bool_]  # of the units, whether each does some work [circuits, minutes]

    @cached_property
    def ran(self) -> Runs:
        """Runs of the production of each pairing."""
        return runs_of(self.running)

    @cached_property
    def worked(self) -> Runs:
        """Runs of the treatment of each pairing, whichever unit works."""
        return runs_of(self.works)


def treatment_works(
    states: StateGrid, power: Power, level_kw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each treatment unit does some work [units, minutes].

    Args:
        states: of the units [units, minutes].
        power: of the units [units, minutes].
        level_kw: running level of each unit, NaN = not known [units].
    """
    works: NDArray[np.bool_] = power >= TREATMENT_WORKS_SHARE * level_kw[:, np.newaxis]
    works &= states == STANDBY
    works |= states == RUNNING
    return works


def required_units(require: str, units: int, lines: NDArray[np.int16]) -> NDArray[np.int16]:
    """How many units have to work [minutes].

    Args:
        require: of the pairing: `all`, `any`, `lines`, or a whole number.
        units: that the pairing has.
        lines: production circuits known to run [minutes].
    """
    if require == "lines":
        return np.clip(lines, 1, units).astype(np.int16)
    many = {"all": units, "any": 1}.get(require)
    return np.full(lines.shape, many or min(units, int(require)), dtype=np.int16)


def pair_minutes(
    states: StateGrid, power: Power, level_kw: NDArray[np.float64], pairs: Sequence[Paired]
) -> PairMinutes:
    """Judge the pairings of a plant minute by minute.

    Args:
        states: of all circuits of the plant [circuits, minutes].
        power: likewise.
        level_kw: running level of each circuit, NaN = not known [circuits].
        pairs: the pairings.
    """
    units = sorted({row for pair in pairs for row in pair.treatment})
    works = np.zeros(states.shape, dtype=np.bool_)
    works[units] = treatment_works(states[units], power[units], level_kw[units])
    production = [pair.production for pair in pairs]
    treatment = [pair.treatment for pair in pairs]
    lines, n_works = _tally(states == RUNNING, production), _tally(works, treatment)
    dark = states == UNKNOWN
    blind_lines, n_unknown = _tally(dark, production) > 0, _tally(dark, treatment)
    required = np.empty_like(lines)
    for own, ran, pair in zip(required, lines, pairs, strict=True):
        own[:] = required_units(pair.pairing.require, len(pair.treatment), ran)
    running, some, blind_units = lines > 0, n_works > 0, n_unknown > 0
    few = n_works < required
    return PairMinutes(
        pairs=pairs,
        off=_condition(running & ~(some | blind_units), lawful=some),
        short=_condition(running & some & (n_works + n_unknown < required), lawful=~few),
        unknown=((blind_lines & ~running) | blind_units) & few,
        blind=blind_lines | blind_units,
        running=running,
        lines=lines,
        works=some,
        treats=works,
    )


def _tally(mask: NDArray[np.bool_], members: Sequence[list[int]]) -> NDArray[np.int16]:
    """Of how many members of each pairing a mask [circuits, minutes] holds [pairings, minutes]."""
    found = np.zeros((len(members), mask.shape[1]), dtype=np.int16)
    if mask.any():
        for own, rows in zip(found, members, strict=True):
            np.add.reduce(mask.take(rows, axis=0), axis=0, dtype=np.int16, out=own)
    return found


def _condition(holds: NDArray[np.bool_], lawful: NDArray[np.bool_]) -> NDArray[np.int8]:
    """`Condition` from where it is known to hold, and where it is known not to."""
    found = holds.view(np.int8) - lawful.view(np.int8)
    found += np.int8(Condition.OPEN)
    return found
