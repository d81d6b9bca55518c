"""What the verdicts on an enterprise rest on, from the store: facts of days, baselines, notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from analytics.baselines.frozen import FrozenBaseline, freeze
from analytics.detectors.stages import History
from analytics.live.conduct import SETTLED_US, Base, base_end_us, doubted, stood_words
from analytics.live.latches import Levels
from analytics.live.minutes import CityMinutes
from analytics.live.shelf import Shelf
from analytics.live.watched import Case, Watched
from analytics.plants import Plant
from analytics.states.thresholds import UNKNOWN_THRESHOLDS
from analytics.verdicts.conduct import conduct_of
from analytics.verdicts.orders import Plan, plan_of
from wattwitness.domain.instants import US_PER_HOUR, from_us, local_day
from wattwitness.domain.registry import Alert, Registry
from wattwitness.store.database import Database
from wattwitness.store.day_results import load_facts, load_spells, newest_thresholds
from wattwitness.store.verdicts import list_verdicts
from wattwitness.store.watching import Analysed

REFREEZE_S: Final = 1800.0
"""A baseline is frozen by its alert, not by its readings: late ones of the days before the issue
may change it, so it is made anew now and then."""
_NEWEST_DAYS: Final = timedelta(days=60)
_BEFORE: Final = timedelta(days=1)  # a silence may begin the day before
_STOOD_US: Final = 6 * US_PER_HOUR  # who sent nothing for so long stood as nobody knows
_OWN_NOTE: Final = "shifted_night"  # told by `judge` itself


@dataclass
class Frozen:
    """Baselines that are kept: (enterprise, alert) → what it rests on, itself, when it was made."""

    made: dict[tuple[str, str], tuple[object, FrozenBaseline, float]] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)

    def only(self, alerts: Sequence[Alert]) -> None:
        """Let go of those of other alerts."""
        names = {alert.alert_id for alert in alerts}
        self.made = {key: held for key, held in self.made.items() if key[1] in names}

    def of(self, plan: Plan, ground: object, now_s: float) -> FrozenBaseline | None:
        """The baseline of a plan, if it is kept, rests on the same, and is not too old."""
        found = self.made.get((plan.plant.enterprise_id, plan.alert.alert_id))
        if found is None or found[0] != ground or now_s - found[2] > REFREEZE_S:
            return None
        return found[1]

    def keep(
        self, plan: Plan, ground: object, baseline: FrozenBaseline, now_s: float
    ) -> FrozenBaseline:
        """Keep one, its days on the shelf: each is a megabyte and more."""
        kept = replace(
            baseline,
            running_min=self.shelf.put(baseline.running_min),
            energy_kwh=self.shelf.put(baseline.energy_kwh),
        )
        key = plan.plant.enterprise_id, plan.alert.alert_id
        self.made[key] = (ground, kept, now_s)
        return kept


def _ground(plan: Plan, others: Sequence[Alert]) -> object:
    """What a baseline rests on beside readings: not on a lift, nor on a change of level."""
    return (
        plan.alert.issued_at,
        plan.alert.response_from,
        plan.plant.circuits,
        plan.plant.declarations,
        [(a.response_from, a.lifted_at) for a in others if a.alert_id != plan.alert.alert_id],
    )


@dataclass(frozen=True)
class Loader:
    """Loads enterprises; made anew when the registry changes."""

    db: Database
    registry: Registry
    alerts: Sequence[Alert]  # that are watched
    first_us: dict[int, int]  # circuit key → its first reading
    frozen: Frozen

    def plans(self, plant: Plant) -> list[Plan]:
        """What the open alerts demand of a plant."""
        enterprise = self.registry.enterprises[plant.enterprise_id]
        measures = [m for m in self.registry.measures if m.enterprise_id == plant.enterprise_id]
        return [
            plan_of(plant, measures, enterprise.grade, alert)
            for alert in self.alerts
            if alert.concerns(enterprise.district)
        ]

    async def load(
        self, city: CityMinutes, number: int, analysed: Analysed | None, now_s: float
    ) -> Watched:
        """What the batch knows of an enterprise now.

        Args:
            city: the live minutes, in which its thresholds are put.
            number: of its plant in the fleet.
            analysed: its newest analysis; None = there is none.
            now_s: the watcher's clock.
        """
        plant = city.fleet.plants[number]
        plans = self.plans(plant)
        start_us = min(plan.begins_us for plan in plans)
        until_us = 0 if analysed is None else analysed.data_until_us or 0
        alerts = self._alerts(plant)
        missing = any(self.frozen.of(p, _ground(p, alerts), now_s) is None for p in plans)
        first = None if missing else local_day(from_us(start_us), plant.zone) - _BEFORE
        history = await self._history(plant, until_us, first)
        found = history.thresholds
        levels = [found.get(c.circuit_id, UNKNOWN_THRESHOLDS) for c in plant.circuits]
        city.learn(number, Levels.of(levels))
        stood_us = base_end_us(until_us) - SETTLED_US
        before = conduct_of(history, stood_us - _STOOD_US, stood_us)
        city.stood(number, stood_us, stood_words(before, Levels.of(levels)))
        conduct = conduct_of(history, start_us, max(start_us, base_end_us(until_us)))
        return Watched(
            enterprise_id=plant.enterprise_id,
            plant=number,
            rests_on_us=0 if analysed is None else analysed.at_us,
            base=Base.of(conduct),
            doubt=doubted(city, number, conduct),
            cases=[await self._case(history, plan, now_s) for plan in plans],
        )

    def _alerts(self, plant: Plant) -> list[Alert]:
        """All that ever concerned a plant."""
        district = self.registry.enterprises[plant.enterprise_id].district
        return [a for a in self.registry.alerts.values() if a.concerns(district)]

    async def _case(self, history: History, plan: Plan, now_s: float) -> Case:
        ground = _ground(plan, history.alerts)
        baseline = self.frozen.of(plan, ground, now_s)
        if baseline is None:
            baseline = self.frozen.keep(plan, ground, freeze(history, plan.alert), now_s)
        stored = await list_verdicts(self.db, plan.alert.alert_id, [plan.plant.enterprise_id])
        told = stored[0].notes if stored else ()
        return Case(
            plan=plan,
            baseline=baseline,
            notes=tuple(note for note in told if note != _OWN_NOTE),
            said=stored[0] if stored else None,
        )

    async def _history(self, plant: Plant, until_us: int, first: date | None) -> History:
        """What is stored of the days since `first` (None = all), up to the newest analysis."""
        name = plant.enterprise_id
        last = local_day(from_us(until_us), plant.zone)
        enterprise = self.registry.enterprises[name]
        circuits = [c.circuit_id for c in plant.circuits]
        reach = last - _NEWEST_DAYS if until_us else last
        return History(
            plant=plant,
            watermark_us=until_us,
            first_us={
                c.circuit_id: self.first_us[key]
                for c, key in zip(plant.circuits, plant.keys, strict=True)
                if key in self.first_us
            },
            spells=await load_spells(self.db, name, first),
            facts=await load_facts(self.db, name, first),
            thresholds=await newest_thresholds(self.db, circuits, reach, last),
            alerts=self._alerts(plant),
            grade=enterprise.grade,
        )
