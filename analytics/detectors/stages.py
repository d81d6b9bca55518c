"""The three stages at which a detector may look, and what it sees there.

    RawDay     readings of a plant and local day as they came       → condition spells, day facts
    JudgedDay  the same day minute by minute, with states           → condition spells, day facts
    History    spells and facts of all days, and the registry       → episodes

Each stage is a pure function of what is stored, so that live, batch, pieces and several workers end
alike. What a method needs from other days travels as a fact, never by reading readings again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from analytics.pairing.condition import PairMinutes
from analytics.plants import Interval, Plant
from analytics.states.hysteresis import StateGrid
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import Alert, Inspection
from wattwitness.domain.spells import ConditionSpell
from wattwitness.domain.states import Thresholds


@dataclass(frozen=True, slots=True)
class RawDay:
    """Readings of one plant and local day, with those of the margin before it."""

    plant: Plant
    day: date
    bounds: Interval  # [from, to) of the local day [µs]
    rows: Readings  # of [from - margin, to), (circuit, ts) order [n]
    circuit_row: NDArray[np.intp]  # row of the plant; each circuit's readings are together [n]
    invalid: NDArray[np.bool_]  # marks of analytics.quality [n]
    watermark_us: int  # newest data time of the whole store

    @property
    def today(self) -> NDArray[np.bool_]:
        """Which readings belong to the day itself [n]."""
        inside: NDArray[np.bool_] = self.rows["ts"] >= self.bounds[0]
        return inside

    def block(self) -> NDArray[np.int64]:
        """Circuit row × 96 + block of the day, per reading; negative before the day [n]."""
        number = (self.rows["ts"] - self.bounds[0]) // (BLOCK_MIN * US_PER_MINUTE)
        cell = self.circuit_row * BLOCKS + number
        return np.where(number < 0, -1, cell).astype(np.int64)

    def fact(self, kind: str, subject: str, values: NDArray[np.floating]) -> DayFact:
        """A fact of this day."""
        return DayFact(
            enterprise_id=self.plant.enterprise_id,
            day=self.day,
            kind=kind,
            subject=subject,
            values=values.astype(np.float32),
        )


@dataclass(frozen=True, slots=True)
class JudgedDay:
    """One local day minute by minute, the day before it as warm-up."""

    plant: Plant
    day: date
    start_us: int  # of the grid, warm-up included [µs]
    skip: int  # minutes of warm-up
    power: Power  # [circuits, skip + minutes] kW
    states: StateGrid  # likewise
    thresholds: Sequence[Thresholds]  # the day's, per circuit
    pairs: Mapping[str, PairMinutes]  # pairing id → its minutes; those with circuits on both sides

    def fact(self, kind: str, subject: str, values: NDArray[np.floating]) -> DayFact:
        """A fact of this day."""
        return DayFact(
            enterprise_id=self.plant.enterprise_id,
            day=self.day,
            kind=kind,
            subject=subject,
            values=values.astype(np.float32),
        )


@dataclass(frozen=True, slots=True)
class FactTable:
    """One fact over the days that have it, oldest first."""

    days: Sequence[date]
    values: NDArray[np.float32]  # [days, length]


NO_FACTS = FactTable((), np.empty((0, 0), dtype=np.float32))


@dataclass(frozen=True)
class History:
    """All that is known of one enterprise when it is concluded."""

    plant: Plant
    watermark_us: int  # newest data time of the whole store
    first_us: Mapping[str, int]  # circuit id → its first reading
    spells: Sequence[ConditionSpell]  # of all days and kinds
    facts: Sequence[DayFact]  # likewise
    thresholds: Mapping[str, Thresholds]  # circuit id → of the newest judged day
    alerts: Sequence[Alert] = ()  # that concern the enterprise's district
    inspections: Sequence[Inspection] = ()
    verified: tuple[datetime, datetime] | None = field(default=None)

    @cached_property
    def _spells(self) -> Mapping[tuple[str, str], list[ConditionSpell]]:
        found: dict[tuple[str, str], list[ConditionSpell]] = {}
        for spell in sorted(self.spells, key=lambda s: s.from_):
            found.setdefault((spell.kind, spell.subject), []).append(spell)
        return found

    def spells_of(self, kind: str, subject: str) -> Sequence[ConditionSpell]:
        """Spells of one kind and subject, oldest first."""
        return self._spells.get((kind, subject), ())

    def subjects_of(self, kind: str) -> list[str]:
        """Subjects that have spells of this kind."""
        return sorted(subject for own, subject in self._spells if own == kind)

    @cached_property
    def _facts(self) -> Mapping[tuple[str, str], list[DayFact]]:
        found: dict[tuple[str, str], list[DayFact]] = {}
        for fact in sorted(self.facts, key=lambda f: f.day):
            found.setdefault((fact.kind, fact.subject), []).append(fact)
        return found

    def facts_of(self, kind: str, subject: str) -> FactTable:
        """One fact of one subject over all its days."""
        own = self._facts.get((kind, subject))
        if not own:
            return NO_FACTS
        return FactTable([f.day for f in own], np.stack([f.values for f in own]))
