"""Plans against meters, before the season: which measures can be verified, and why not.

Each code of `WHYS` says how far it takes a measure down; the worst of them stands.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from wattwitness.domain.registry import (
    PRODUCTION_ROLES,
    VOLUNTARY,
    AlertLevel,
    Circuit,
    Grade,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.domain.scopes import judged_by

LEAST_DAYS: Final = 10
"""Days of history under a baseline, which is the median of as many like days (domain §5)."""
RESOLUTION_STEPS: Final = 3.0
"""Steps of its meter below which a running circuit cannot be told from a standing one."""
COARSE_S: Final = 300
"""Interval above which 20 running minutes are counted by a handful of readings [s]."""
LONGEST_S: Final = 1200
"""Interval as long as the 20 running minutes that are let pass [s]."""
LONGEST_FOR_HOURS_S: Final = 600
"""Likewise for hours: each end of the allowed span may hide one interval [s]."""
SMALL_CUT_PCT: Final = 30.0
"""Cuts below this are within what plants vary by themselves (17-40 % on public data)."""

REQUIRED: Mapping[Grade, frozenset[AlertLevel]] = MappingProxyType(
    {
        **dict.fromkeys(VOLUNTARY, frozenset[AlertLevel]()),
        Grade.B: frozenset({AlertLevel.ORANGE, AlertLevel.RED}),
        Grade.B_MINUS: frozenset({AlertLevel.ORANGE, AlertLevel.RED}),
        Grade.C: frozenset({AlertLevel.ORANGE, AlertLevel.RED}),
        Grade.D: frozenset(AlertLevel),
        Grade.NONE: frozenset(AlertLevel),
    }
)
"""Levels at which a plan of this grade has measures, whatever the industry (what grade C does at
yellow differs)."""


class PlanStanding(StrEnum):
    """What the meters can say about a measure."""

    VERIFIABLE = "verifiable"
    WEAK = "weak"  # some verdicts will be wide, or not decided
    UNVERIFIABLE = "unverifiable"


WHYS: Mapping[str, PlanStanding] = MappingProxyType(
    {
        "no_measure": PlanStanding.UNVERIFIABLE,
        "scope_names_nothing": PlanStanding.UNVERIFIABLE,
        "names_no_production": PlanStanding.UNVERIFIABLE,
        "below_resolution": PlanStanding.UNVERIFIABLE,
        "interval_too_long": PlanStanding.UNVERIFIABLE,
        "no_register": PlanStanding.UNVERIFIABLE,
        "no_data": PlanStanding.UNVERIFIABLE,
        "short_history": PlanStanding.UNVERIFIABLE,
        "only_main_meter": PlanStanding.WEAK,
        "names_treatment": PlanStanding.WEAK,
        "combined_meter": PlanStanding.WEAK,
        "coarse_interval": PlanStanding.WEAK,
        "never_ran": PlanStanding.WEAK,
        "new_meter": PlanStanding.WEAK,
        "small_cut": PlanStanding.WEAK,
    }
)
"""Code → what it leaves of a measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterHistory:
    """What is known of a circuit's past."""

    days: int  # with readings that count; more than LEAST_DAYS say no more
    running_kw: float | None  # typical power while running; None = never seen
    unresolvable: bool = False  # the analytics found that its meter cannot show it


NO_HISTORY: Final = MeterHistory(days=0, running_kw=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFinding:
    """One measure, or a level at which one is missing."""

    enterprise_id: str
    level: AlertLevel
    measure: Measure | None  # None = there is none, and the grade asks for one
    circuits: tuple[str, ...]  # that it is judged by
    standing: PlanStanding
    why: tuple[str, ...]  # codes of WHYS, in their order there


@dataclass(frozen=True, slots=True)
class _Look:
    """One measure with its circuits and what is known of them."""

    measure: Measure
    circuits: tuple[Circuit, ...]
    interval_s: int  # the longest
    past: tuple[MeterHistory, ...]
    registers: bool

    @property
    def counts_minutes(self) -> bool:
        """Whether running minutes decide (they do not for a limit)."""
        return self.measure.action is not MeasureAction.LIMIT


def _of_scope(look: _Look) -> set[str]:
    roles = {c.role for c in look.circuits}
    if not roles:
        return {"scope_names_nothing"}
    if not roles & (PRODUCTION_ROLES | {Role.MAIN}):
        return {"names_no_production"}
    found = {"only_main_meter"} if not roles & PRODUCTION_ROLES else set()
    if Role.TREATMENT in roles:
        found.add("names_treatment")
    if Role.COMBINED in roles:
        found.add("combined_meter")
    return found


def _of_interval(look: _Look) -> set[str]:
    if not look.counts_minutes:
        unread = look.interval_s > 60 and not look.registers
        return {"no_register"} if unread else set()
    hours = look.measure.action is MeasureAction.HOURS
    if look.interval_s > (LONGEST_FOR_HOURS_S if hours else LONGEST_S):
        return {"interval_too_long"}
    return {"coarse_interval"} if look.interval_s > COARSE_S else set()


def _of_past(look: _Look) -> set[str]:
    days = min(past.days for past in look.past)
    if days == 0:
        return {"no_data"}
    found = set()
    if days < LEAST_DAYS:
        # minutes of a stop can be counted at once; what is usual, and a limit's share, cannot
        found.add("new_meter" if look.counts_minutes else "short_history")
    if look.counts_minutes and any(p.running_kw is None for p in look.past if not p.unresolvable):
        found.add("never_ran")
    return found


def _of_resolution(look: _Look) -> set[str]:
    if not look.counts_minutes:
        return set()
    for circuit, past in zip(look.circuits, look.past, strict=True):
        step_kw = circuit.resolution_kw or 0.0
        level_kw = past.running_kw if past.running_kw is not None else circuit.rated_kw
        if past.unresolvable or (level_kw is not None and level_kw < RESOLUTION_STEPS * step_kw):
            return {"below_resolution"}
    return set()


def _of_cut(look: _Look) -> set[str]:
    left = look.measure.limit_pct
    small = left is not None and 100.0 - left < SMALL_CUT_PCT
    return {"small_cut"} if small and not look.counts_minutes else set()


def _whys(look: _Look) -> tuple[str, ...]:
    found = _of_scope(look)
    if look.circuits:
        for check in (_of_interval, _of_past, _of_resolution, _of_cut):
            found |= check(look)
    return tuple(code for code in WHYS if code in found)


def _worst(why: tuple[str, ...]) -> PlanStanding:
    order = list(PlanStanding)
    return max((WHYS[code] for code in why), key=order.index, default=PlanStanding.VERIFIABLE)


def check_plans(
    registry: Registry,
    histories: Mapping[str, MeterHistory],
    without_registers: frozenset[str] = frozenset(),
    wanted: Collection[str] | None = None,
) -> list[PlanFinding]:
    """Every measure of every plan, and the levels without one, by enterprise and level.

    Args:
        registry: plans and meters.
        histories: circuit id → its past; who is not there never sent anything.
        without_registers: enterprises whose meters give no energy register.
        wanted: enterprise ids; None = all.
    """
    plans: dict[tuple[str, AlertLevel], list[Measure]] = {}
    for measure in registry.measures:
        plans.setdefault((measure.enterprise_id, measure.level), []).append(measure)
    found: list[PlanFinding] = []
    for enterprise_id, enterprise in sorted(registry.enterprises.items()):
        if wanted is not None and enterprise_id not in wanted:
            continue
        for level in AlertLevel:
            measures = plans.get((enterprise_id, level), [])
            registers = enterprise_id not in without_registers
            found += [_finding(registry, histories, m, registers=registers) for m in measures]
            if not measures and level in REQUIRED[enterprise.grade]:
                found.append(_missing(enterprise_id, level))
    return found


def _missing(enterprise_id: str, level: AlertLevel) -> PlanFinding:
    why = ("no_measure",)
    return PlanFinding(
        enterprise_id=enterprise_id,
        level=level,
        measure=None,
        circuits=(),
        standing=_worst(why),
        why=why,
    )


def _finding(
    registry: Registry,
    histories: Mapping[str, MeterHistory],
    measure: Measure,
    *,
    registers: bool,
) -> PlanFinding:
    circuits = judged_by(measure, registry.circuits_of(measure.enterprise_id)).circuits
    ids = tuple(c.circuit_id for c in circuits)
    why = _whys(
        _Look(
            measure=measure,
            circuits=circuits,
            interval_s=max((registry.interval_s(c) for c in ids), default=0),
            past=tuple(histories.get(c, NO_HISTORY) for c in ids),
            registers=registers,
        )
    )
    return PlanFinding(
        enterprise_id=measure.enterprise_id,
        level=measure.level,
        measure=measure,
        circuits=ids,
        standing=_worst(why),
        why=why,
    )
