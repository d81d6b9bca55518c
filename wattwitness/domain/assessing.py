"""Verdicts, their trace and the day after the lift → the assessment of an alert. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wattwitness.domain.assessed_energy import Saved, avoidable_kwh, counted, saved_by
from wattwitness.domain.assessment import (
    Assessment,
    Caveats,
    Compliance,
    PlantLine,
    Rebound,
    ReboundTotal,
)
from wattwitness.domain.registry import Alert, Enterprise, Registry, Role
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictChange, VerdictCode

_PlanKey = tuple[str, str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the store tells of an alert beside its verdicts."""

    changes: Sequence[VerdictChange] = ()
    missed_before: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Enterprise → earlier alerts whose cut it missed."""
    rebounds: Mapping[str, Rebound] = field(default_factory=dict)
    rebound_why: str = ""
    """Code: why nothing is known of the time after the lift."""


def compliance_of(name: str, lines: Iterable[PlantLine]) -> Compliance:
    """Count what is said of enterprises."""
    found = Counter(line.code for line in lines)
    return Compliance(name=name, counts={code: found[code] for code in VerdictCode})


def _grouped(lines: Sequence[PlantLine], names: Sequence[str]) -> tuple[Compliance, ...]:
    """By group, those with most enterprises under orders first."""
    groups: dict[str, list[PlantLine]] = {}
    for line, name in zip(lines, names, strict=True):
        groups.setdefault(name, []).append(line)
    found = [compliance_of(name, own) for name, own in groups.items()]
    return tuple(sorted(found, key=lambda group: (-group.ordered, group.name)))


def _caveats(lines: Sequence[PlantLine]) -> Caveats:
    ordered = [line for line in lines if line.code is not VerdictCode.EXEMPT]
    whys = Counter(
        why
        for x in ordered
        if x.code is VerdictCode.INSUFFICIENT_DATA
        for why in dict.fromkeys(x.why)
    )
    return Caveats(
        undecided=dict(sorted(whys.items(), key=lambda item: (-item[1], item[0]))),
        unmeasured=sum(line.saved is None for line in ordered),
        silent_meters=sum("silent_with_alert" in line.notes for line in ordered),
        only_main_meter=sum(line.only_main_meter for line in ordered),
        turned_late=sum(line.late_turn is not None for line in ordered),
    )


def saved_by_all(lines: Iterable[PlantLine]) -> Saved:
    """The sum over enterprises: their deviations are their own, and add up in squares.

    `widest` is the sum of all lower and of all upper ends: what holds if something common to all
    (a holiday, the weather) was the cause of every deviation.
    """
    each = [line.saved for line in lines if line.saved is not None]
    kwh = math.fsum(x.kwh for x in each)
    return Saved(
        used_kwh=math.fsum(x.used_kwh for x in each),
        baseline_kwh=math.fsum(x.baseline_kwh for x in each),
        interval_kwh=(
            kwh - math.sqrt(math.fsum((x.kwh - x.interval_kwh[0]) ** 2 for x in each)),
            kwh + math.sqrt(math.fsum((x.interval_kwh[1] - x.kwh) ** 2 for x in each)),
        ),
        widest_kwh=(
            math.fsum(x.widest_kwh[0] for x in each),
            math.fsum(x.widest_kwh[1] for x in each),
        ),
        enterprises=len(each),
    )


def _rebound(lines: Iterable[PlantLine]) -> ReboundTotal | None:
    each = [line.rebound for line in lines if line.rebound is not None]
    if not each:
        return None
    return ReboundTotal(
        enterprises=len(each),
        kwh=math.fsum(x.kwh for x in each),
        usual_kwh=math.fsum(x.usual_kwh for x in each),
        high=sum(x.is_high for x in each),
    )


def _limits(registry: Registry) -> dict[_PlanKey, float]:
    """Share of the usual that a limit leaves."""
    return {
        (m.enterprise_id, m.level.value, m.action.value, m.scope): m.limit_pct / 100.0
        for m in registry.measures
        if m.limit_pct is not None
    }


def _required(measures: Sequence[MeasureVerdict], allowed: Sequence[float]) -> float | None:
    usual = math.fsum(m.baseline_kwh or 0.0 for m in measures)
    cut = math.fsum(
        (1.0 - share) * (m.baseline_kwh or 0.0) for share, m in zip(allowed, measures, strict=True)
    )
    return cut / usual if usual > 0 else None


def _line(
    registry: Registry,
    plant: Enterprise,
    verdict: Verdict | None,
    limits: Mapping[_PlanKey, float],
    told: Told,
    late: Mapping[str, VerdictChange],
) -> PlantLine:
    name = plant.enterprise_id
    measures = [] if verdict is None else counted(verdict.measures, registry)
    allowed = [limits.get((name, m.level.value, m.action.value, m.scope), 0.0) for m in measures]
    roles = {circuit.role for circuit in registry.circuits_of(name)}
    return PlantLine(
        enterprise=plant,
        verdict=verdict,
        saved=saved_by(measures),
        required_cut=_required(measures, allowed),
        avoidable_kwh=math.fsum(
            avoidable_kwh(m, share) for share, m in zip(allowed, measures, strict=True)
        ),
        only_main_meter=bool(roles) and roles.isdisjoint({Role.PRODUCTION, Role.COMBINED}),
        missed_before=tuple(told.missed_before.get(name, ())),
        late_turn=late.get(name),
        rebound=told.rebounds.get(name),
    )


def assess(registry: Registry, alert: Alert, verdicts: Iterable[Verdict], told: Told) -> Assessment:
    """The assessment of an alert, from what is known now.

    Args:
        registry: plants, circuits and plans.
        alert: lifted or not.
        verdicts: of this alert, one per enterprise.
        told: the trace, earlier alerts, the time after the lift.
    """
    judged = {v.enterprise_id: v for v in verdicts}
    late = {
        c.enterprise_id: c
        for c in sorted(told.changes, key=lambda c: c.changed_at)
        if c.before not in {None, c.after} and c.cause == "late_data"
    }
    limits = _limits(registry)
    lines = tuple(
        _line(registry, plant, judged.get(name), limits, told, late)
        for name, plant in sorted(registry.enterprises.items())
        if alert.concerns(plant.district) or name in judged
    )
    rebound = _rebound(lines)
    return Assessment(
        alert=alert,
        as_of=max((v.as_of for v in judged.values()), default=None),
        lines=lines,
        saved=saved_by_all(lines),
        all=compliance_of("", lines),
        districts=_grouped(lines, [x.enterprise.district or "" for x in lines]),
        industries=_grouped(lines, [x.enterprise.industry or "" for x in lines]),
        caveats=_caveats(lines),
        rebound=rebound,
        rebound_why="" if rebound else told.rebound_why or "too_little_data",
    )
