"""A plant under planning: where in its time something can be made to happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from gateway_sim.blueprint import GroupSpec
from gateway_sim.effects import Action, Effect
from gateway_sim.plant import Plant
from gateway_sim.spells import Spell, from_mask, merge
from wattwitness.domain.registry import Alert, Pairing, Role
from wattwitness.domain.states import State

MARGIN_S = 2 * 3600  # incidents of one plant keep this distance
HOUR_S = 3600
DAY_S = 86_400


@dataclass(kw_only=True)
class Site:
    """A plant, its randomness, and the time in which incidents may lie.

    Attributes:
        plant: the plant with everything that is settled already (an alert's stops).
        rng: the plant's own generator for planning.
        span: where incidents may lie [s since 1970].
        alert: the alert of the city, if it concerns this plant.
        taken: where something happens already.
        registers: circuits whose register something happens to.
        planned: effects of the incidents so far.
    """

    plant: Plant
    rng: np.random.Generator
    span: Spell
    alert: Alert | None = None
    taken: list[Spell] = field(default_factory=list)
    registers: set[str] = field(default_factory=set)
    planned: list[Effect] = field(default_factory=list)

    @property
    def enterprise_id(self) -> str:
        """The enterprise's id."""
        return self.plant.enterprise_id

    @property
    def days(self) -> float:
        """Length of the span [days]."""
        return (self.span[1] - self.span[0]) / DAY_S

    @cached_property
    def _work(self) -> Mapping[str, list[Spell]]:
        """When each circuit truly runs over the span, before anything is planned.

        Spells, not minutes: a city is planned whole, and months of it have to fit into memory.
        """
        load = self.plant.load(*self.span)
        step_s = self.plant.blueprint.step_s
        return {
            name: from_mask(load.states[row] == State.RUNNING, load.at_s, step_s)
            for row, name in enumerate(self.plant.circuit_ids)
        }

    def group_of(self, pairing: Pairing) -> GroupSpec:
        """The treatment group behind a pairing."""
        groups = self.plant.blueprint.groups
        return next(g for g in groups if g.pairing_id == pairing.pairing_id)

    def pairing(self) -> Pairing | None:
        """One of the plant's pairings, a steady one if there is any."""
        pairings = self.plant.blueprint.pairings
        steady = [p for p in pairings if not p.duty_cycled] or list(pairings)
        return steady[int(self.rng.integers(len(steady)))] if steady else None

    def running(self, circuits: tuple[str, ...], bridge_s: int = 0) -> list[Spell]:
        """When any of the circuits truly runs; gaps up to `bridge_s` closed."""
        return merge([spell for name in circuits for spell in self._work[name]], bridge_s)

    def circuits(self, *roles: Role) -> tuple[str, ...]:
        """The ids of the circuits of these roles; of all without any."""
        circuits = self.plant.blueprint.circuits
        return tuple(c.circuit_id for c in circuits if not roles or c.role in roles)

    def free(self, spell: Spell) -> bool:
        """Whether nothing else happens near a spell, and it lies in the span."""
        start, end = spell
        inside = self.span[0] <= start and end <= self.span[1]
        apart = all(end + MARGIN_S <= a or b + MARGIN_S <= start for a, b in self.taken)
        return inside and apart

    def take(self, spell: Spell) -> Spell:
        """Reserve a spell."""
        self.taken.append(spell)
        return spell

    def minutes(self, low: float, high: float) -> int:
        """A whole number of minutes [s], log-uniform between `low` and `high` minutes."""
        minutes = np.exp(self.rng.uniform(np.log(low), np.log(high)))
        return 60 * round(float(minutes))

    def inside_one_of(self, spells: list[Spell], low_min: float, high_min: float) -> Spell | None:
        """A free spell of `low_min` to `high_min` within one of `spells`; None if none fits."""
        long_enough = [s for s in spells if s[1] - s[0] >= low_min * 60]
        for _ in range(24 if long_enough else 0):
            start, end = long_enough[int(self.rng.integers(len(long_enough)))]
            room_min = (end - start) / 60
            length_s = self.minutes(low_min, min(high_min, room_min))
            latest = max(start, end - length_s)
            at = start + 60 * int(self.rng.integers(0, (latest - start) // 60 + 1))
            at -= at % 60
            if at >= start and self.free((at, at + length_s)):
                return self.take((at, at + length_s))
        return None

    def anywhere(self, low_min: float, high_min: float) -> Spell | None:
        """A free spell anywhere in the span."""
        return self.inside_one_of([self.span], low_min, high_min)


def effect(action: Action, targets: tuple[str, ...], spell: Spell, amount: float = 0.0) -> Effect:
    """An effect over a spell."""
    return Effect(action=action, targets=targets, from_s=spell[0], to_s=spell[1], amount=amount)
