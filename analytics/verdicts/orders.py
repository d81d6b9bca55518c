"""What an alert demands of a plant: its measures, by time and circuits. No data is in it.

A `Plan` is made once per alert and enterprise, and again when the registry changes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from analytics.detectors.plant_energy import energy_rows
from analytics.plants import Interval, Plant
from wattwitness.domain.graces import dues
from wattwitness.domain.instants import US_PER_DAY, from_us, local_day, to_us
from wattwitness.domain.registry import (
    Alert,
    AlertPhase,
    DeclarationStatus,
    Grade,
    Measure,
    MeasureAction,
    Role,
)
from wattwitness.domain.rules import RULE_VERSION
from wattwitness.domain.scopes import judged_by

NEVER_US = 1 << 62


@dataclass(frozen=True, slots=True)
class Order:
    """One measure during one phase of an alert."""

    measure: Measure
    phase: AlertPhase
    rows: tuple[int, ...]  # circuits that it is judged by
    unresolved: tuple[str, ...]  # parts of its scope that name nothing here
    from_us: int  # its grace is over
    to_us: int  # lift or change of level; NEVER_US while neither is known

    @property
    def response_us(self) -> int:
        """When the phase began."""
        return to_us(self.phase.from_)


@dataclass(frozen=True)
class Plan:
    """All that is demanded of an enterprise under one alert."""

    alert: Alert
    plant: Plant
    grade: Grade
    orders: tuple[Order, ...]  # by phase
    production: tuple[int, ...]  # rows whose energy stands for the plant
    whole_plant_only: bool  # these are main meters
    declared: Mapping[int, tuple[Interval, ...]]  # row → accepted declarations, disjoint
    everything_declared: tuple[Interval, ...]  # of accepted declarations over all circuits
    basis: str  # digest of all of the above: what it was judged under

    @property
    def begins_us(self) -> int:
        """The first response."""
        return to_us(self.alert.response_from)

    @property
    def ends_us(self) -> int:
        """The lift, or never."""
        lifted = self.alert.lifted_at
        return NEVER_US if lifted is None else to_us(lifted)


def merged(windows: Sequence[Interval]) -> tuple[Interval, ...]:
    """Overlapping and touching windows as one, oldest first."""
    found: list[Interval] = []
    for begin, end in sorted(windows):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif begin < end:
            found.append((begin, end))
    return tuple(found)


def without(windows: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """What is left of windows [µs] when others, disjoint and in order, are taken out."""
    found: list[Interval] = []
    for begin, end in windows:
        at = begin
        for a, b in taken:
            if b <= at or a >= end:
                continue
            if a > at:
                found.append((at, a))
            at = max(at, b)
        if at < end:
            found.append((at, end))
    return found


def _orders(plant: Plant, alert: Alert, measures: Sequence[Measure]) -> tuple[Order, ...]:
    judged = {m: judged_by(m, plant.circuits) for m in measures}
    due = dues(alert, measures, lambda m: [c.circuit_id for c in judged[m].circuits])
    return tuple(
        Order(
            measure=one.measure,
            phase=one.phase,
            rows=tuple(plant.row[c.circuit_id] for c in judged[one.measure].circuits),
            unresolved=judged[one.measure].unresolved,
            from_us=to_us(one.from_),
            to_us=NEVER_US if one.phase.to is None else to_us(one.phase.to),
        )
        for one in due
    )


def _basis(parts: Sequence[object]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _order_of(measure: Measure) -> tuple[object, ...]:
    return (measure.level, measure.action, measure.scope, measure.limit_pct or 0.0,
            str(measure.hours), measure.grace_min or 0.0)  # fmt: skip


def plan_of(plant: Plant, measures: Sequence[Measure], grade: Grade, alert: Alert) -> Plan:
    """What an alert demands of a plant.

    Args:
        plant: of the enterprise, with its declarations.
        measures: of its plan, any level.
        grade: its performance grade.
        alert: that concerns its district.
    """
    own = sorted(measures, key=_order_of)
    accepted = [d for d in plant.declarations if d.status is DeclarationStatus.ACCEPTED]
    whole = merged([(to_us(d.from_), to_us(d.to)) for d in accepted if not d.circuits])
    declared = {row: merged(plant.declared(c.circuit_id)) for row, c in enumerate(plant.circuits)}
    production = tuple(energy_rows(plant))
    return Plan(
        alert=alert,
        plant=plant,
        grade=grade,
        orders=_orders(plant, alert, own),
        production=production,
        whole_plant_only=bool(production)
        and all(plant.circuits[row].role is Role.MAIN for row in production),
        declared={row: windows for row, windows in declared.items() if windows},
        everything_declared=whole,
        basis=_basis([alert, own, grade, accepted, plant.circuits, RULE_VERSION]),
    )


def undeclared(plan: Plan) -> Plan:
    """The same plan, had nothing been declared."""
    return replace(plan, declared={}, everything_declared=())


def forbidden(order: Order, from_us_: int, to_us_: int, plant: Plant) -> list[Interval]:
    """Windows of [from, to) [µs] in which an order demands something: all, or outside its hours."""
    if to_us_ <= from_us_:
        return []
    hours = order.measure.hours
    if order.measure.action is not MeasureAction.HOURS or hours is None:
        return [(from_us_, to_us_)]
    first = local_day(from_us(from_us_ - US_PER_DAY), plant.zone)
    last = local_day(from_us(to_us_), plant.zone)
    allowed = []
    day = first
    while day <= last:
        begin = datetime.combine(day, hours[0], tzinfo=plant.zone)
        over = day if hours[1] > hours[0] or _midnight(hours[1]) else day + timedelta(days=1)
        if _midnight(hours[1]):
            over = day + timedelta(days=1)
        end = datetime.combine(over, hours[1], tzinfo=plant.zone)
        allowed.append((to_us(begin), to_us(end)))
        day += timedelta(days=1)
    return without([(from_us_, to_us_)], merged(allowed))


def _midnight(clock: time) -> bool:
    return clock == time(0)
