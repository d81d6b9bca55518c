"""What each minute says about a pairing: units that work against units that have to.

A pairing is live when any of its production circuits *runs*: standby without extraction is normal,
and testing against "energised" gave 16–28 false episodes per pair-month on a real factory. What is
not known is never held against anyone: a unit of which nothing is known may be working.
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
    """What a minute says about a condition."""

    LAWFUL = 0  # known not to hold
    OPEN = 1  # not known, or production pauses meanwhile
    HOLDS = 2


@dataclass(frozen=True, slots=True)
class PairMinutes:
    """What the detectors need of one pairing [minutes]."""

    off: NDArray[np.int8]  # `Condition`: production runs, no unit works
    short: NDArray[np.int8]  # `Condition`: production runs, some units work, fewer than required
    unknown: NDArray[np.bool_]  # something that matters is not known
    running: NDArray[np.bool_]  # known: some production circuit runs
    lines: NDArray[np.int16]  # production circuits known to run
    works: NDArray[np.int16]  # units known to work
    required: NDArray[np.int16]  # units that have to


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
    states: StateGrid,
    power: Power,
    level_kw: NDArray[np.float64],
    production: list[int],
    treatment: list[int],
    require: str = "all",
) -> PairMinutes:
    """Judge one pairing minute by minute.

    Args:
        states: of all circuits of the plant [circuits, minutes].
        power: likewise.
        level_kw: running level of each circuit, NaN = not known [circuits].
        production: rows of the pairing's production circuits.
        treatment: rows of its treatment circuits.
        require: how many units have to work.
    """
    runs = states[production] == State.RUNNING
    running = runs.any(axis=0)
    production_unknown = ~running & (states[production] == State.UNKNOWN).any(axis=0)
    works = treatment_works(states[treatment], power[treatment], level_kw[treatment])
    n_works = works.sum(axis=0, dtype=np.int16)
    n_unknown = (~works & (states[treatment] == State.UNKNOWN)).sum(axis=0, dtype=np.int16)
    lines = runs.sum(axis=0, dtype=np.int16)
    required = required_units(require, len(treatment), lines)

    off = np.full(running.shape, Condition.OPEN, dtype=np.int8)
    off[running & (n_works == 0) & (n_unknown == 0)] = Condition.HOLDS
    off[n_works > 0] = Condition.LAWFUL
    short = np.full(running.shape, Condition.OPEN, dtype=np.int8)
    short[running & (n_works > 0) & (n_works + n_unknown < required)] = Condition.HOLDS
    short[n_works >= required] = Condition.LAWFUL
    unknown = (production_unknown | (n_unknown > 0)) & (n_works < required)
    return PairMinutes(off, short, unknown, running, lines, n_works, required)
