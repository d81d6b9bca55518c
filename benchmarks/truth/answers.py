"""The answer key as spans that can be scored, sorted into what could be known and what not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.evaluation.matching import Span
from benchmarks.truth.trial import Job
from gateway_sim.effects import Action, Incident
from gateway_sim.plant import Plant
from gateway_sim.spells import Spell, clip, from_mask, merge
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Pairing, Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import State
from wattwitness.domain.testability import Testability

US = 1_000_000
DAY_S = 86_400
LOCAL_S = 8 * 3600  # all cities lie in Asia/Shanghai
KINDS = tuple(code for code, rule in CATALOGUE.items() if rule.since and rule.matter)
"""What is scored: every kind that is judged."""
LEAST_MIN = {
    "treatment_off": 30.0,
    "shared_treatment_short": 30.0,
    "treatment_underload": 30.0,
    "treatment_dummy_load": 60.0,
    "unmetered_production": 60.0,
    "counter_anomaly": 0.0,
    "frozen_reading": 30.0,
    "phase_loss": 5.0,
    "clock_skew": 60.0,
    "data_gap_at_alert": 30.0,
}
"""Minutes from which a condition is the kind at all, by the definition of the catalogue."""
EDGE_TOLERANCE_MIN = 3.0  # a meter's minute on each side, and more than the lawful lag
LEAST_DECLINE, LEAST_DECLINE_DAYS = 0.08, 7.0
SURGE = 1.3
BRIDGE_S = 600  # of `treatment_off`: pauses of production inside one episode


@dataclass(frozen=True, slots=True)
class Answers:
    """The key of one enterprise."""

    knowable: Sequence[Span]
    unknowable: Sequence[Span]  # not testable there, or too slight to be the kind
    untestable: Sequence[Span]  # of these, all that were not too slight
    lawful: Sequence[Span]
    unlawful_days: int  # local days touched by anything unlawful


def _span(incident: Incident, spell: Spell, end_s: int) -> Span:
    return Span(
        enterprise_id=incident.enterprise_id,
        kind=incident.kind,
        from_=from_us(spell[0] * US),
        to=from_us(min(spell[1], end_s) * US),
        subject=incident.pairing_id or "",
        circuits=frozenset(incident.circuits),
    )


def _minutes(parts: Sequence[Spell]) -> float:
    return sum(b - a for a, b in parts) / 60.0


def _heater_spells(plant: Plant, incident: Incident, spell: Spell) -> list[Spell]:
    """When the heater of a dummy load really drew power."""
    load = plant.load(*spell)
    rows = [plant.circuit_ids.index(c) for c in incident.circuits if c in plant.circuit_ids]
    drawn = ((load.states[rows] == State.OFF) & (load.p_kw[rows] > 0.1)).any(axis=0)
    return merge(from_mask(drawn, load.at_s, plant.blueprint.step_s))


def _work_spells(plant: Plant, incident: Incident, spell: Spell) -> list[Spell]:
    """When a circuit whose meter is bypassed really ran."""
    load = plant.load(*spell)
    targets = {c for e in incident.effects if e.action is Action.DIVERT for c in e.targets}
    rows = [plant.circuit_ids.index(c) for c in sorted(targets)]
    ran = (load.states[rows] == State.RUNNING).any(axis=0)
    return merge(from_mask(ran, load.at_s, plant.blueprint.step_s))


def _surge_ratio(plant: Plant, incident: Incident, spell: Spell) -> float:
    """Production energy with the incident ÷ without it."""
    own = set(map(id, incident.effects))
    calm = plant.with_effects([e for e in plant.around.effects if id(e) not in own])
    roles = (Role.PRODUCTION, Role.COMBINED)
    circuits = plant.blueprint.circuits
    rows = [n for n, c in enumerate(circuits) if c.role in roles]
    rows = rows or [n for n, c in enumerate(circuits) if c.role is Role.MAIN]
    before = float(calm.load(*spell).p_kw[rows].sum())
    return float(plant.load(*spell).p_kw[rows].sum()) / before if before > 0 else np.inf


def _edge_parts(incident: Incident, pairing: Pairing, spell: Spell) -> tuple[list[Spell], bool]:
    lag = pairing.start_lag_min if incident.kind.endswith("start") else pairing.stop_lag_min
    parts = list(incident.parts) or [spell]
    return [spell], _minutes(parts) >= lag + EDGE_TOLERANCE_MIN


def _real(job: Job, incident: Incident, spell: Spell) -> list[tuple[Spell, bool]]:
    """(spell, whether it really is this kind by its definition) of one incident."""
    plant, kind = job.plant, incident.kind
    if kind in {"treatment_late_start", "treatment_early_stop"}:
        pairing = job.registry.pairings[incident.pairing_id or ""]
        spells, real = _edge_parts(incident, pairing, spell)
        return [(s, real) for s in spells]
    if kind in {"treatment_dummy_load", "unmetered_production"}:
        look = _heater_spells if kind == "treatment_dummy_load" else _work_spells
        parts = look(plant, incident, spell)
        whole = (parts[0][0], parts[-1][1]) if parts else spell
        return [(whole, _minutes(parts) >= LEAST_MIN[kind])]
    if kind == "treatment_gradual_underrun":
        decline = 1.0 - min(e.amount for e in incident.effects if e.action is Action.RAMP)
        days = (spell[1] - spell[0]) / 86_400
        return [(spell, decline >= LEAST_DECLINE and days >= LEAST_DECLINE_DAYS)]
    if kind == "production_surge":
        return [(spell, _surge_ratio(plant, incident, spell) > SURGE)]
    return [(spell, (spell[1] - spell[0]) / 60.0 >= LEAST_MIN.get(kind, 0.0))]


def _switched_off(job: Job, end_s: int) -> dict[str, list[Spell]]:
    """Pairing → when production ran and its treatment was unlawfully switched off.

    Asked of the whole plant as it was in the end: what another incident made run in between counts.
    """
    off: dict[str, list[Spell]] = {}
    for incident in job.incidents:
        if incident.kind not in {"treatment_off", "treatment_inspection_only"}:
            continue
        spells = [e.spell for e in incident.effects if e.action is Action.FORCE_OFF]
        off.setdefault(incident.pairing_id or "", []).extend(spells)
    return {
        pairing_id: [
            part
            for spell in clip(merge(spells), job.start_us // US, end_s)
            for part in job.plant.live_without_treatment(pairing_id, *spell)
        ]
        for pairing_id, spells in off.items()
    }


def _off_spans(job: Job, end_s: int) -> list[tuple[Span, bool]]:
    """Planted `treatment_off`, short pauses of production bridged, and whether it lasts."""
    found = []
    for pairing_id, parts in _switched_off(job, end_s).items():
        treatment = frozenset(job.registry.pairings[pairing_id].treatment)
        for whole in merge(parts, bridge_s=BRIDGE_S):
            span = Span(
                enterprise_id=job.plant.enterprise_id,
                kind="treatment_off",
                from_=from_us(whole[0] * US),
                to=from_us(whole[1] * US),
                subject=pairing_id,
                circuits=treatment,
            )
            found.append((span, _minutes(clip(parts, *whole)) >= LEAST_MIN["treatment_off"]))
    return found


def _testable(testability: Sequence[Testability]) -> set[tuple[str, str]]:
    """(kind, pairing id or "") that the software said it can test."""
    return {(t.kind, t.pairing_id or "") for t in testability if t.testable}


def _planted(job: Job, end_s: int) -> Iterator[tuple[Span, bool]]:
    """Everything planted that is scored, and whether it really is its kind."""
    for incident in job.incidents:
        spell = (incident.from_s, min(incident.to_s, end_s))
        if spell[0] < end_s and incident.kind in KINDS and incident.kind != "treatment_off":
            for part, real in _real(job, incident, spell):
                yield _span(incident, part, end_s), real
    yield from _off_spans(job, end_s)


def _unlawful_days(job: Job, end_s: int) -> int:
    """Local days that anything unlawful touches."""
    days: set[int] = set()
    for incident in job.incidents:
        rule = CATALOGUE.get(incident.kind)
        if rule is not None and not rule.informs and incident.from_s < end_s:
            first = (incident.from_s + LOCAL_S) // DAY_S
            days |= set(range(first, (min(incident.to_s, end_s) - 1 + LOCAL_S) // DAY_S + 1))
    return len(days)


def answers_of(job: Job, testability: Sequence[Testability]) -> Answers:
    """Sort the key of one enterprise.

    Args:
        job: with its plant and incidents.
        testability: what the software said it can test; what is planted beyond is not knowable,
            and is counted apart.
    """
    able = _testable(testability)
    end_s = job.end_us // US
    knowable: list[Span] = []
    unknowable: list[Span] = []
    untestable: list[Span] = []
    for span, real in _planted(job, end_s):
        shown = (span.kind, span.subject) in able
        (knowable if real and shown else unknowable).append(span)
        if real and not shown:
            untestable.append(span)
    lawful = [
        _span(i, (i.from_s, i.to_s), end_s)
        for i in job.incidents
        if i.lawful and i.kind not in CATALOGUE and i.from_s < end_s
    ]
    return Answers(knowable, unknowable, untestable, lawful, _unlawful_days(job, end_s))
