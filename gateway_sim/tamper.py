"""Readings that come from another time: frozen values and repeated days."""

from collections.abc import Callable, Sequence

import numpy as np

from gateway_sim.effects import Action, Effect
from gateway_sim.noise import Ints
from gateway_sim.spells import inside
from wattwitness.domain.readings import MEASURANDS, Readings

LOOKS_BACK = frozenset({Action.FREEZE, Action.REPLAY})
NETWORK = frozenset({Action.SKEW, Action.LOSE, Action.DELAY, Action.QUEUE})
Honest = Callable[[str, int, int], Readings]
"""(circuit id, from_s, to_s) → what the meter would have shown then."""


def look_back(
    rows: Readings, at_s: Ints, circuit_id: str, effects: Sequence[Effect], honest: Honest
) -> None:
    """Overwrite, in place, what a frozen or replaying meter shows.

    Args:
        rows: one circuit's honest readings.
        at_s: their instants [s since 1970].
        circuit_id: the circuit.
        effects: what happened.
        honest: the same meter at other times.
    """
    for effect in effects:
        if effect.action not in LOOKS_BACK or circuit_id not in effect.targets:
            continue
        stale = inside([effect.spell], at_s)
        if not stale.any():
            continue
        if effect.action is Action.FREEZE:
            _freeze(rows, np.flatnonzero(stale), effect, honest, circuit_id)
        else:
            _replay(rows, at_s, np.flatnonzero(stale), effect, honest, circuit_id)


def _freeze(rows: Readings, stale: Ints, effect: Effect, honest: Honest, circuit_id: str) -> None:
    held = honest(circuit_id, effect.from_s, effect.to_s)[0]
    for name in MEASURANDS:
        rows[name][stale] = held[name]


def _replay(
    rows: Readings, at_s: Ints, stale: Ints, effect: Effect, honest: Honest, circuit_id: str
) -> None:
    old_s = int(effect.amount)
    first, last = int(at_s[stale[0]]), int(at_s[stale[-1]])
    source = honest(circuit_id, first - old_s, last - old_s + 1)
    start = honest(circuit_id, effect.from_s, effect.to_s)["e_kwh"][0]
    start_then = honest(circuit_id, effect.from_s - old_s, effect.to_s - old_s)["e_kwh"][0]
    for name in MEASURANDS:
        rows[name][stale] = source[name]
    # the register goes on from where it stood, with the old day's increments
    rows["e_kwh"][stale] = np.round(source["e_kwh"] - start_then + start, 2)
