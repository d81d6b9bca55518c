"""What one alert asks of one plant, phase by phase."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from gateway_sim.blueprint import Blueprint
from gateway_sim.machines import local_days, midnight_s
from gateway_sim.spells import Spell, clip, subtract
from wattwitness.domain.graces import dues
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import Alert, AlertLevel, Circuit, Measure, Role

DEFAULT_GRACE_MIN = 120.0
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A time under one level, and what it asks."""

    level: AlertLevel
    from_s: int
    to_s: int
    due_s: Mapping[Measure, int]  # what it asks → when that is judged from

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it asks."""
        return tuple(self.due_s)

    def window(self, measure: Measure) -> Spell:
        """When a measure is judged: after its grace, to the end of the phase; may be empty."""
        return self.due_s[measure], self.to_s


def grace_s(measure: Measure) -> int:
    """The grace of a measure [s]."""
    minutes = DEFAULT_GRACE_MIN if measure.grace_min is None else measure.grace_min
    return int(60 * minutes)


def phases_of(blueprint: Blueprint, alert: Alert, end_s: int) -> list[Phase]:
    """The phases of an alert up to `end_s`; those that ask nothing of the plant included."""
    if not alert.concerns(blueprint.enterprise.district):
        return []

    def named(measure: Measure) -> list[str]:
        return [c.circuit_id for c in named_circuits(blueprint, measure)]

    due = dues(alert, blueprint.measures, named)
    found = []
    for phase in alert.phases():
        start = _second(phase.from_)
        end = end_s if phase.to is None else min(end_s, _second(phase.to))
        if start < end:
            due_s = {d.measure: _second(d.from_) for d in due if d.phase == phase}
            found.append(Phase(level=phase.level, from_s=start, to_s=end, due_s=due_s))
    return found


def _second(moment: datetime) -> int:
    return to_us(moment) // 1_000_000


def named_circuits(blueprint: Blueprint, measure: Measure) -> tuple[Circuit, ...]:
    """What a measure's scope names: production and combined circuits, else the main meter."""
    made = [c for c in blueprint.circuits if c.role in {Role.PRODUCTION, Role.COMBINED}]
    if measure.scope != ("*",):
        chosen = set(measure.scope)
        made = [c for c in made if c.circuit_id in chosen or c.line in chosen]
    if made:
        return tuple(made)
    return tuple(c for c in blueprint.circuits if c.role is Role.MAIN)


def named_lines(blueprint: Blueprint, measure: Measure) -> tuple[str, ...]:
    """The lines that a measure's scope names, or that feed the circuits it names."""
    if measure.scope == ("*",):
        return tuple(line.name for line in blueprint.lines)
    chosen = set(measure.scope)
    of_circuits = {m.line for m in blueprint.machines if m.circuit_id in chosen}
    return tuple(x.name for x in blueprint.lines if x.name in chosen | of_circuits)


def machines_behind(blueprint: Blueprint, circuit: Circuit) -> tuple[str, ...]:
    """The machines that a circuit feeds, metered on their own or not."""
    every = tuple(m.circuit_id for m in blueprint.machines)
    if circuit.role is Role.MAIN:
        return every
    parts = {circuit.circuit_id, *dict(blueprint.combined).get(circuit.circuit_id, ())}
    return tuple(name for name in every if name in parts)


def clock_spells(hours: tuple[time, time], span: Spell, zone: ZoneInfo) -> list[Spell]:
    """When local clocks stand in `hours` (past midnight if it ends before it begins)."""
    begins, ends = (t.hour * 3600 + t.minute * 60 for t in hours)
    ends += DAY_S if ends <= begins else 0
    days = (midnight_s(day, zone) for day in local_days(*span, zone))
    return clip(((at + begins, at + ends) for at in days), *span)


def outside(hours: tuple[time, time], span: Spell, zone: ZoneInfo) -> list[Spell]:
    """The rest of a span."""
    return subtract([span], clock_spells(hours, span, zone))


def asked(phases: Sequence[Phase]) -> bool:
    """Whether any phase asks anything."""
    return any(phase.measures for phase in phases)
