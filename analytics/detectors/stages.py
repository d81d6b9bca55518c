"""The three stages at which a detector may look, and what it sees there.

    RawDay     readings of a plant and local day as they came       → condition spells, day facts
    JudgedDay  the same day minute by minute, with states           → condition spells, day facts
    History    spells and facts of all days, and the registry       → episodes

Each stage is a pure function of what is stored, so that live, batch, pieces and several workers end
alike. What a method needs from other days travels as a fact, never by reading readings again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from analytics.columns import Columns
from analytics.grid import BRIDGED_INTERVALS, Power
from analytics.pairing.condition import PairMinutes
from analytics.plants import Interval, Plant
from analytics.states.hysteresis import StateGrid
from wattwitness.domain.facts import (
    BLOCK_MIN,
    BLOCKS,
    DayFact,
    FactBook,
    FactTable,
)
from wattwitness.domain.instants import US_PER_MINUTE, from_us
from wattwitness.domain.registry import Alert, Grade, Inspection, Measure
from wattwitness.domain.spells import ConditionSpell, SpellBook, SpellTable
from wattwitness.domain.states import Thresholds

Found = TypeVar("Found")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _PlantDay:
    plant: Plant
    day: date

    def fact(self, kind: str, subject: str, values: NDArray[np.floating]) -> DayFact:
        """A fact of this day."""
        return DayFact(
            enterprise_id=self.plant.enterprise_id,
            day=self.day,
            kind=kind,
            subject=subject,
            values=values.astype(np.float32, copy=False),
        )


@dataclass(frozen=True, eq=False)
class RawDay(_PlantDay):
    """Readings of one plant and local day, with those of the margin before it."""

    bounds: Interval  # [from, to) of the local day [µs]
    rows: Columns  # of [from - margin, to) [n]
    invalid: NDArray[np.bool_]  # marks of analytics.quality [n]
    watermark_us: int  # newest data time of the whole store
    _known: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, look: Callable[["RawDay"], Found]) -> Found:
        """What a pure function says of this day, computed when it is first asked for."""
        if look not in self._known:
            self._known[look] = look(self)
        found: Found = self._known[look]
        return found

    @property
    def circuit_row(self) -> NDArray[np.intp]:
        """Row of the plant that each reading belongs to, ascending [n]."""
        return self.rows.circuit_row

    @cached_property
    def today(self) -> NDArray[np.bool_]:
        """Which readings belong to the day itself [n]."""
        inside: NDArray[np.bool_] = self.rows.ts >= self.bounds[0]
        return inside

    @cached_property
    def parts(self) -> Sequence[slice]:
        """The readings of the day itself, circuit by circuit [circuits]."""
        ends = self.rows.ends.tolist()
        return [
            slice(begin + int(self.rows.ts[begin:end].searchsorted(self.bounds[0])), end)
            for begin, end in pairwise(ends)
        ]

    def count(self, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Readings of the day itself for which a mask [n] holds [circuits]."""
        if not mask.any():
            return np.zeros(len(self.parts), dtype=np.intp)
        return np.array([np.count_nonzero(mask[part]) for part in self.parts], dtype=np.intp)

    @cached_property
    def readings(self) -> NDArray[np.intp]:
        """Readings of the day itself [circuits]."""
        return np.array([part.stop - part.start for part in self.parts], dtype=np.intp)

    @cached_property
    def holes(self) -> NDArray[np.intp]:
        """Readings after which the next one of their circuit is missing, ascending [k]."""
        step_us, row = self.rows.step_us, self.circuit_row
        reach_us = BRIDGED_INTERVALS * self.plant.interval_us
        long = np.flatnonzero(step_us > reach_us.min(initial=np.inf))
        found: NDArray[np.intp] = long[
            (row[long] == row[long + 1]) & (step_us[long] > reach_us[row[long]])
        ]
        return found

    @cached_property
    def lag_us(self) -> NDArray[np.int64]:
        """Receipt minus device time [µs]; nonsense where the receipt is not known [n]."""
        return self.rows.received_at - self.rows.ts

    @cached_property
    def minute(self) -> NDArray[np.int64]:
        """Minute of the day of each reading, negative before it [n]."""
        return (self.rows.ts - self.bounds[0]) // US_PER_MINUTE

    @cached_property
    def block(self) -> NDArray[np.int64]:
        """Block of the day of each reading, negative before it; 95 in a 25th hour [n]."""
        return np.minimum(self.minute // BLOCK_MIN, BLOCKS - 1)

    @cached_property
    def block_starts(self) -> NDArray[np.intp]:
        """The first reading of each circuit and block: where `reduceat` begins anew."""
        begins = np.empty(len(self.rows), dtype=np.bool_)
        np.not_equal(self.block[1:], self.block[:-1], out=begins[1:])
        begins[self.rows.starts] = True
        return np.flatnonzero(begins)

    def facts(
        self, kind: str, values: NDArray[Any], rows: Iterable[int] | None = None
    ) -> list[DayFact]:
        """A fact of circuits of this day.

        Args:
            kind: of the fact.
            values: of all circuits [circuits, length].
            rows: circuits that have the fact; None = all.
        """
        circuits, table = self.plant.circuits, values.astype(np.float32)
        return [
            DayFact(
                enterprise_id=self.plant.enterprise_id,
                day=self.day,
                kind=kind,
                subject=circuits[row].circuit_id,
                values=table[row],
            )
            for row in (range(len(circuits)) if rows is None else rows)
        ]


@dataclass(frozen=True, eq=False)
class JudgedDay(_PlantDay):
    """One local day minute by minute, the end of the day before it as warm-up.

    Of the warm-up the last `analytics.day_end.last_minutes` are minutes; those before them only say
    how the states stood, at no time of their own.
    """

    start_us: int  # of the grid, warm-up included [µs]
    skip: int  # minutes of warm-up
    power: Power  # [circuits, skip + minutes] kW
    states: StateGrid  # likewise
    thresholds: Sequence[Thresholds]  # the day's, per circuit
    pairs: PairMinutes  # of the pairings with circuits on both sides

    @cached_property
    def dark(self) -> NDArray[np.bool_]:
        """Where power is not known [circuits, skip + minutes]."""
        return np.isnan(self.power)

    @cached_property
    def known_kw(self) -> NDArray[np.float64]:
        """Power, 0 where it is not known [circuits, skip + minutes]."""
        found = self.power.astype(np.float64)
        if self.dark.any():
            found[self.dark] = 0.0
        return found

    def known_all(self, rows: Sequence[int]) -> NDArray[np.bool_]:
        """Minutes in which the power of all these circuits is known [skip + minutes]."""
        known: NDArray[np.bool_] = np.logical_not(self.dark.take(rows, axis=0).any(axis=0))
        return known

    @cached_property
    def _begin(self) -> datetime:
        return from_us(self.start_us)

    def instant(self, minute: int) -> datetime:
        """When a minute of the grid begins."""
        return self._begin + minute * _MINUTE


@dataclass(frozen=True)
class History:
    """All that is known of one enterprise when it is concluded."""

    plant: Plant
    watermark_us: int  # newest data time of the whole store
    first_us: Mapping[str, int]  # circuit id → its first reading
    spells: SpellBook | Sequence[ConditionSpell]  # of all days and kinds
    facts: FactBook | Sequence[DayFact]  # likewise
    thresholds: Mapping[str, Thresholds]  # circuit id → of the newest judged day
    alerts: Sequence[Alert] = ()  # that concern the enterprise's district
    inspections: Sequence[Inspection] = ()
    verified: tuple[datetime, datetime] | None = field(default=None)
    measures: Sequence[Measure] = ()  # of the enterprise's plan
    grade: Grade = Grade.NONE
    # alert id → data time up to which the verdict that is kept was judged
    judged_until: Mapping[str, datetime] = field(default_factory=dict)

    @cached_property
    def _known(self) -> dict[Any, Any]:
        return {}

    def once(self, look: Callable[["History", str], Found], subject: str) -> Found:
        """What a pure function says of a subject, computed when it is first asked for."""
        key = look, subject
        if key not in self._known:
            self._known[key] = look(self, subject)
        found: Found = self._known[key]
        return found

    @cached_property
    def _spells(self) -> Mapping[tuple[str, str], SpellTable]:
        book = self.spells if isinstance(self.spells, SpellBook) else SpellBook.of(self.spells)
        return book.tables

    def spell_table(self, kind: str, subject: str) -> SpellTable | None:
        """Spells of one kind and subject as columns, oldest first; None = there are none."""
        return self._spells.get((kind, subject))

    def spells_of(self, kind: str, subject: str) -> Sequence[ConditionSpell]:
        """Spells of one kind and subject, oldest first."""
        table = self._spells.get((kind, subject))
        return () if table is None else table.spells

    def subjects_of(self, kind: str) -> list[str]:
        """Subjects that have spells of this kind."""
        return sorted(subject for own, subject in self._spells if own == kind)

    @cached_property
    def _facts(self) -> FactBook:
        return self.facts if isinstance(self.facts, FactBook) else FactBook.of(self.facts)

    def facts_of(self, kind: str, subject: str) -> FactTable:
        """One fact of one subject over all its days."""
        return self._facts.table(kind, subject)

    def days_of(self, kind: str, subject: str) -> Mapping[date, NDArray[np.float32]]:
        """One fact of one subject, day by day, where its length differs; oldest first."""
        return self._facts.by_day(kind, subject)
