"""Plans against meters, before the season: which measures can be verified, and why not.

Each code of `WHYS` says how far it takes a measure down; the worst of them stands.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
        "part_names_nothing": PlanStanding.UNVERIFIABLE,
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
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Circuit, or part of the scope that names nothing → the codes that come from it."""

    def parts_with(self, why: str) -> tuple[str, ...]:
        """The parts that a code comes from; empty = from the measure, or from all its circuits."""
        found = tuple(part for part, codes in self.parts.items() if why in codes)
        return () if found == self.circuits else found


@dataclass(frozen=True, slots=True)
class _Look:
    """A measure and one of its circuits, with what is known of that."""

    measure: Measure
    circuit: Circuit
    interval_s: int
    past: MeterHistory
    registers: bool

    @property
    def counts_minutes(self) -> bool:
        """Whether running minutes decide (they do not for a limit)."""
        return self.measure.action is not MeasureAction.LIMIT


def _of_scope(circuits: Sequence[Circuit]) -> set[str]:
    roles = {c.role for c in circuits}
    if not roles:
        return {"scope_names_nothing"}
    if not roles & (PRODUCTION_ROLES | {Role.MAIN}):
        return {"names_no_production"}
    return {"only_main_meter"} if not roles & PRODUCTION_ROLES else set()


def _of_role(look: _Look) -> set[str]:
    told = {Role.TREATMENT: "names_treatment", Role.COMBINED: "combined_meter"}
    return {told[look.circuit.role]} if look.circuit.role in told else set()


def _of_interval(look: _Look) -> set[str]:
    if not look.counts_minutes:
        unread = look.interval_s > 60 and not look.registers
        return {"no_register"} if unread else set()
    hours = look.measure.action is MeasureAction.HOURS
    if look.interval_s > (LONGEST_FOR_HOURS_S if hours else LONGEST_S):
        return {"interval_too_long"}
    return {"coarse_interval"} if look.interval_s > COARSE_S else set()


def _of_past(look: _Look) -> set[str]:
    past = look.past
    if past.days == 0:
        return {"no_data"}
    found = set()
    if past.days < LEAST_DAYS:
        # minutes of a stop can be counted at once; what is usual, and a limit's share, cannot
        found.add("new_meter" if look.counts_minutes else "short_history")
    if look.counts_minutes and past.running_kw is None and not past.unresolvable:
        found.add("never_ran")
    return found


def _of_resolution(look: _Look) -> set[str]:
    if not look.counts_minutes:
        return set()
    past, step_kw = look.past, look.circuit.resolution_kw or 0.0
    level_kw = past.running_kw if past.running_kw is not None else look.circuit.rated_kw
    small = level_kw is not None and level_kw < RESOLUTION_STEPS * step_kw
    return {"below_resolution"} if past.unresolvable or small else set()


def _of_cut(measure: Measure) -> set[str]:
    left = measure.limit_pct
    small = left is not None and 100.0 - left < SMALL_CUT_PCT
    return {"small_cut"} if small and measure.action is MeasureAction.LIMIT else set()


def _sorted(found: Collection[str]) -> tuple[str, ...]:
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


def _parts(looks: Sequence[_Look], *, produces: bool) -> dict[str, tuple[str, ...]]:
    """Circuit → what is wrong with it; those with nothing wrong are left out."""
    checks = [_of_interval, _of_past, _of_resolution, *([_of_role] if produces else ())]
    found = {
        look.circuit.circuit_id: _sorted({code for check in checks for code in check(look)})
        for look in looks
    }
    return {part: codes for part, codes in found.items() if codes}


def _finding(
    registry: Registry,
    histories: Mapping[str, MeterHistory],
    measure: Measure,
    *,
    registers: bool,
) -> PlanFinding:
    named = judged_by(measure, registry.circuits_of(measure.enterprise_id))
    looks = [
        _Look(
            measure=measure,
            circuit=circuit,
            interval_s=registry.interval_s(circuit.circuit_id),
            past=histories.get(circuit.circuit_id, NO_HISTORY),
            registers=registers,
        )
        for circuit in named.circuits
    ]
    scope = _of_scope(named.circuits)
    parts = _parts(looks, produces="names_no_production" not in scope)
    if looks:
        parts |= dict.fromkeys(named.unresolved, ("part_names_nothing",))
        scope |= _of_cut(measure)
    why = _sorted(scope.union(*parts.values()))
    return PlanFinding(
        enterprise_id=measure.enterprise_id,
        level=measure.level,
        measure=measure,
        circuits=tuple(c.circuit_id for c in named.circuits),
        standing=_worst(why),
        why=why,
        parts=parts,
    )
