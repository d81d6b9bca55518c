"""How a plant comes down to a share of its energy: whole lines, load, or shorter hours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time

from gateway_sim.effects import Action, Effect
from gateway_sim.faults.site import effect
from gateway_sim.orders.duties import clock_spells
from gateway_sim.orders.truth import energy_kwh
from gateway_sim.plant import Plant
from gateway_sim.spells import Spell
from wattwitness.domain.registry import Circuit

LEAST_LOAD = 0.3  # of a machine's own load: below, it would be idling
WAYS = ("load", "lines", "hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What has to come down, when, and to how much."""

    plant: Plant  # with all that is settled
    circuits: Sequence[Circuit]  # by whose energy it is measured
    lines: tuple[str, ...]  # that may be touched
    spell: Spell  # in which the plant does something
    window: Spell  # over which it is measured
    target_kwh: float

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines of the lines."""
        return tuple(m.circuit_id for m in self.plant.blueprint.machines if m.line in self.lines)

    def used_kwh(self, effects: Sequence[Effect]) -> float:
        """Energy over the window with these effects as well."""
        plant = self.plant.with_effects((*self.plant.around.effects, *effects))
        return energy_kwh(plant, self.circuits, self.window)


def cut_down(cut: Cut, way: str) -> tuple[Effect, ...]:
    """The effects of a plant that aims at its target by one of WAYS."""
    if cut.used_kwh(()) <= cut.target_kwh:
        return ()
    return _WAYS[way](cut)


def _by_load(cut: Cut) -> tuple[Effect, ...]:
    return _scaled(cut, ()) or _by_lines(cut)


def _scaled(cut: Cut, stops: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """All machines at the same lower load; () where they would have to idle."""
    full = cut.used_kwh(stops)
    half = cut.used_kwh((*stops, effect(Action.SCALE, cut.machines, cut.spell, 0.5)))
    if full <= half:
        return ()
    load = 1.0 - 0.5 * (full - cut.target_kwh) / (full - half)
    if load < LEAST_LOAD:
        return ()
    return (*stops, effect(Action.SCALE, cut.machines, cut.spell, min(1.0, load)))


def _by_lines(cut: Cut) -> tuple[Effect, ...]:
    """Whole lines, last first, as far as they go; the load of the rest."""
    for count in range(len(cut.lines) + 1):
        stopped = cut.lines[len(cut.lines) - count :]
        stops = (effect(Action.LINE_STOP, stopped, cut.spell),) if stopped else ()
        one_more = cut.lines[len(cut.lines) - count - 1 :]
        if count < len(cut.lines):
            next_stop = (effect(Action.LINE_STOP, one_more, cut.spell),)
            if cut.used_kwh(next_stop) > cut.target_kwh:
                continue
        found = _scaled(cut, stops)
        if found:
            return found
    return (effect(Action.LINE_STOP, cut.lines, cut.spell),)


def _by_hours(cut: Cut) -> tuple[Effect, ...]:
    """Every day some hours less, in whole half hours."""

    def closed(halves: int) -> tuple[Effect, ...]:
        minutes = 30 * halves
        until = (12 * 60 + minutes) % (24 * 60)
        hours = (time(12), time(until // 60, until % 60))
        zone = cut.plant.around.zone
        spells = clock_spells(hours, cut.spell, zone)
        return tuple(effect(Action.LINE_STOP, cut.lines, spell) for spell in spells)

    low, high = 0, 47
    while low < high:
        middle = (low + high) // 2
        if middle and cut.used_kwh(closed(middle)) <= cut.target_kwh:
            high = middle
        else:
            low = middle + 1
    return closed(high)


_WAYS: dict[str, Callable[[Cut], tuple[Effect, ...]]] = {
    "load": _by_load,
    "lines": _by_lines,
    "hours": _by_hours,
}
