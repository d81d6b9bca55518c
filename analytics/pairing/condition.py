"""The condition of `treatment_off`, minute by minute.

A pairing is live when any of its production circuits *runs*: standby without extraction is normal,
and testing against "energised" gave 16–28 false episodes per pair-month on a real factory. The
condition holds when no unit of the treatment runs. What is not known is never held against anyone.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from analytics.states.hysteresis import StateGrid
from wattwitness.domain.states import State

TREATMENT_WORKS_SHARE = 0.15
"""Of its running level: an energised fan above works (perhaps too little, which is another kind),
below it is only energised, which moves no air."""


class Condition(IntEnum):
    """What a minute says about a pairing."""

    LAWFUL = 0  # treatment works, or nothing is running and treatment is not known to be off
    OPEN = 1  # not known, or production pauses while treatment stays off
    HOLDS = 2  # production runs, no treatment unit works


@dataclass(frozen=True, slots=True)
class PairMinutes:
    """What the detectors need of one pairing [minutes]."""

    condition: NDArray[np.int8]  # of `Condition`
    unknown: NDArray[np.bool_]
    running: NDArray[np.bool_]  # known: some production circuit runs


def treatment_works(
    states: StateGrid, power: Power, level_kw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each treatment unit does some work [units, minutes].

    Args:
        states: of the units [units, minutes].
        power: of the units [units, minutes].
        level_kw: running level of each unit, NaN = not known [units].
    """
    some = power >= TREATMENT_WORKS_SHARE * level_kw[:, np.newaxis]
    works: NDArray[np.bool_] = (states == State.RUNNING) | ((states == State.STANDBY) & some)
    return works


def pair_minutes(
    states: StateGrid,
    power: Power,
    level_kw: NDArray[np.float64],
    production: list[int],
    treatment: list[int],
) -> PairMinutes:
    """Judge one pairing minute by minute.

    Args:
        states: of all circuits of the plant [circuits, minutes].
        power: likewise.
        level_kw: running level of each circuit, NaN = not known [circuits].
        production: rows of the pairing's production circuits.
        treatment: rows of its treatment circuits.
    """
    runs = (states[production] == State.RUNNING).any(axis=0)
    production_unknown = ~runs & (states[production] == State.UNKNOWN).any(axis=0)
    works = treatment_works(states[treatment], power[treatment], level_kw[treatment]).any(axis=0)
    treatment_unknown = ~works & (states[treatment] == State.UNKNOWN).any(axis=0)
    off = ~works & ~treatment_unknown
    condition = np.full(runs.shape, Condition.OPEN, dtype=np.int8)
    condition[runs & off] = Condition.HOLDS
    condition[works] = Condition.LAWFUL
    unknown = (production_unknown | treatment_unknown) & ~works
    return PairMinutes(condition, unknown, runs)
