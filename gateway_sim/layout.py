"""Archetype → one concrete plant: circuits, meters, machines, treatment, pairings.

Everything is drawn from (seed, rank), so the n-th enterprise is the same in a city of any size.
"""

from dataclasses import replace

import numpy as np

from gateway_sim.blueprint import (
    AuxiliarySpec,
    Blueprint,
    GroupSpec,
    LineSpec,
    MachineSpec,
    TreatmentMode,
    UnitSpec,
)
from gateway_sim.draft import Draft
from gateway_sim.industries import Industry, MachineKind, TreatmentKind, industry_of
from gateway_sim.measures import measures_for
from gateway_sim.names import DISTRICTS, company_name, credit_code, position
from gateway_sim.noise import key_of
from gateway_sim.schedule import line_key
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Grade, Pairing, Role

GRADES = (
    (Grade.A, 0.08), (Grade.LEADING, 0.05), (Grade.B, 0.25), (Grade.B_MINUS, 0.12),
    (Grade.C, 0.3), (Grade.D, 0.14), (Grade.NONE, 0.06),
)  # fmt: skip
MAIN_ONLY, NO_MAIN, COMBINED = 7, 13, 17  # of every twenty enterprises
OFFICE_METERED_SHARE = 0.6
POWER_ONLY_SHARE = 0.15  # enterprises whose meters give no voltages, currents, power factor


def _production(draft: Draft, industry: Industry) -> None:
    count = int(draft.rng.integers(industry.lines[0], industry.lines[1] + 1))
    pattern = industry.patterns[int(draft.rng.integers(len(industry.patterns)))]
    for number in range(1, count + 1):
        line = f"{number}号线"
        key = line_key(draft.seed, draft.enterprise_id, line)
        draft.lines.append(LineSpec(name=line, pattern=pattern, key=key))
        for kind in industry.machines:
            draft.machines.append(_machine(draft, kind, line))


def _machine(draft: Draft, kind: MachineKind, line: str) -> MachineSpec:
    rated_kw = draft.rated(kind.rated_kw)
    return MachineSpec(
        circuit_id=draft.meter(Role.PRODUCTION, f"{line}{kind.zh}", rated_kw, line),
        line=line,
        rated_kw=rated_kw,
        load=draft.between(kind.load),
        no_load=draft.between(kind.no_load),
        swing=kind.swing,
        ripple=kind.ripple,
        offset_s=60 * int(draft.rng.integers(0, 3)),
        drive=kind.drive,
    )


def _units(draft: Draft, kind: TreatmentKind, count: int, label: str) -> tuple[UnitSpec, ...]:
    units: list[UnitSpec] = []
    for number in range(1, count + 1):
        name = f"{label}{kind.zh}" + (f"{number}#" if count > 1 else "")
        rated_kw = draft.rated(kind.rated_kw) if number == 1 else units[0].rated_kw
        units.append(_unit(draft, kind, name, rated_kw))
    return tuple(units)


def _unit(
    draft: Draft,
    kind: TreatmentKind,
    name: str,
    rated_kw: float,
    duty_s: tuple[int, int] | None = None,
) -> UnitSpec:
    return UnitSpec(
        circuit_id=draft.meter(Role.TREATMENT, name, rated_kw),
        rated_kw=rated_kw,
        level=draft.between((0.62, 0.88)),
        wander=draft.between((0.01, 0.035)),
        drive=kind.drive,
        duty_s=duty_s,
    )


def _group(
    draft: Draft, kind: TreatmentKind, lines: tuple[str, ...], units: tuple[UnitSpec, ...]
) -> None:
    number = len(draft.groups) + 1
    pairing_id = f"{draft.enterprise_id}-R{number}"
    duty_cycled = any(unit.duty_s for unit in units)
    require = {TreatmentMode.SPARE: str(kind.need), TreatmentMode.LINES: "lines"}
    draft.groups.append(
        GroupSpec(
            name=f"{kind.zh}{number}",
            lines=lines,
            units=units,
            mode=kind.mode,
            pairing_id=pairing_id,
            need=kind.need,
            lead_s=kind.lead_min * 60,
            run_on_s=kind.run_on_min * 60,
            bridge_s=kind.bridge_min * 60,
        )
    )
    # with several machines to a line, the first stands for it where units are counted by lines
    production = [m.circuit_id for m in draft.machines if m.line in lines]
    if kind.mode is TreatmentMode.LINES:
        firsts = {m.line: m.circuit_id for m in reversed(draft.machines) if m.line in lines}
        production = sorted(firsts.values())
    draft.pairings.append(
        Pairing(
            pairing_id=pairing_id,
            production=tuple(production),
            treatment=tuple(unit.circuit_id for unit in units),
            require=require.get(kind.mode, "all"),
            lead_min=float(kind.lead_min),
            duty_cycled=duty_cycled,
        )
    )


def _treatment(draft: Draft, industry: Industry) -> None:
    kind = industry.treatments[int(draft.rng.integers(len(industry.treatments)))]
    every = tuple(line.name for line in draft.lines)
    if not kind.shared:
        for line in every:
            _group(draft, kind, (line,), _units(draft, kind, kind.units, line))
        return
    count = len(every) if kind.mode is TreatmentMode.LINES else kind.units
    _group(draft, kind, every, _units(draft, kind, count, ""))
    if kind.pump_kw is not None:
        period_s = 60 * int(draft.rng.integers(12, 25))
        duty_s = (60 * round(period_s / 60 * draft.between((0.5, 0.75))), period_s)
        pump = _unit(draft, kind, "循环水泵", draft.rated(kind.pump_kw), duty_s)
        _group(draft, kind, every, (pump,))


def _enterprise(draft: Draft, industry: Industry, rank: int) -> Enterprise:
    rng = draft.rng
    district = DISTRICTS[int(rng.integers(len(DISTRICTS)))]
    lon, lat = position(rng, district)
    grades, shares = zip(*GRADES, strict=True)
    grade = grades[int(rng.choice(len(grades), p=shares))]
    return Enterprise(
        enterprise_id=draft.enterprise_id,
        name=company_name(rng, industry.product, rank),
        credit_code=credit_code(rng),
        district=district,
        industry=industry.zh,
        grade=grade,
        lon=lon,
        lat=lat,
        positive_list=grade in {Grade.A, Grade.LEADING} and bool(rng.random() < 0.5),
    )


def _auxiliaries(draft: Draft, industry: Industry) -> tuple[AuxiliarySpec, ...]:
    found = []
    total_kw = sum(machine.rated_kw for machine in draft.machines)
    kinds = (("空压机", 0.08, True, industry.compressor), ("办公照明", 0.03, False, True))
    for name, share, follows_lines, present in kinds:
        if present and (follows_lines or draft.rng.random() < OFFICE_METERED_SHARE):
            rated_kw = float(round(min(90.0, max(8.0, total_kw * share))))
            circuit_id = draft.meter(Role.AUXILIARY, name, rated_kw)
            found.append(
                AuxiliarySpec(circuit_id=circuit_id, rated_kw=rated_kw, follows_lines=follows_lines)
            )
    return tuple(found)


def _combine(draft: Draft) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Production and treatment on one feeder: one meter in place of theirs."""
    hidden = frozenset({Role.PRODUCTION, Role.TREATMENT})
    parts = [c for c in draft.circuits if c.role in hidden]
    draft.forget(hidden)
    rated_kw = sum(c.rated_kw or 0.0 for c in parts)
    circuit_id = draft.meter(Role.COMBINED, "车间总柜", rated_kw)
    return ((circuit_id, tuple(c.circuit_id for c in parts)),)


def _metering(draft: Draft, rank: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What this enterprise's meters leave out; returns the combined feeders."""
    if rank % 20 == MAIN_ONLY:
        draft.forget(frozenset({Role.PRODUCTION, Role.TREATMENT, Role.AUXILIARY}))
        draft.pairings.clear()
    elif rank % 20 == NO_MAIN:
        draft.forget(frozenset({Role.MAIN}))
        draft.circuits = [replace(c, parent_circuit_id=None) for c in draft.circuits]
    elif rank % 20 == COMBINED:
        draft.pairings.clear()
        return _combine(draft)
    return ()


def _rated_main(circuits: list[Circuit], total_kw: float) -> tuple[Circuit, ...]:
    return tuple(
        replace(c, rated_kw=float(round(total_kw * 1.1))) if c.role is Role.MAIN else c
        for c in circuits
    )


def draw_blueprint(
    seed: int, rank: int, interval_s: int = 60, *, main_only: bool = False
) -> Blueprint:
    """The enterprise of this rank (0, 1, …) in the city of this seed.

    Of twenty, one has a main meter only, one has no main meter, and one has production and
    treatment on one feeder: what their meters cannot show is part of the city. With `main_only`
    this one has a main meter only, whatever its rank.
    """
    rng = np.random.default_rng([seed, rank])
    industry = industry_of(rank)
    enterprise_id = f"MH{rank + 1:04d}"
    draft = Draft(rng, seed, enterprise_id, bool(rng.random() >= POWER_ONLY_SHARE))
    enterprise = _enterprise(draft, industry, rank)
    draft.meter(Role.MAIN, "总进线", 1000.0)
    _production(draft, industry)
    _treatment(draft, industry)
    auxiliaries = _auxiliaries(draft, industry)
    total_kw = sum(c.rated_kw or 0.0 for c in draft.circuits[1:])
    combined = _metering(draft, MAIN_ONLY if main_only else rank)
    return Blueprint(
        enterprise=enterprise,
        gateway=Gateway(
            gateway_id=draft.gateway_id, enterprise_id=enterprise_id, interval_s=interval_s
        ),
        key=key_of(seed, enterprise_id),
        circuits=_rated_main(draft.circuits, total_kw),
        meters=tuple(draft.meters),
        lines=tuple(draft.lines),
        machines=tuple(draft.machines),
        groups=tuple(draft.groups),
        auxiliaries=auxiliaries,
        combined=combined,
        pairings=tuple(draft.pairings),
        measures=measures_for(enterprise, [line.name for line in draft.lines], kiln=industry.kiln),
        base_kw=round(max(2.0, total_kw * draft.between((0.008, 0.02))), 2),
    )
