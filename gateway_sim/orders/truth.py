"""The true verdict: the contract's own definition, over what really happened.

Running minutes are those of the machines behind the named circuits, energy is what really flowed
there, whatever a meter made of it. "Usual" is the same plant in the same minutes without the order
(and without a rest of its own that happens to fall together with it); everything else that happens
to it - an outage, a day without orders - stays. Who makes nothing at all is within any limit, even
where offices draw what they always draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway_sim.blueprint import Blueprint
from gateway_sim.effects import Action, spells_of
from gateway_sim.machines import line_spells, machine_states
from gateway_sim.orders.duties import (
    Phase,
    asked,
    clock_spells,
    machines_behind,
    named_circuits,
    phases_of,
)
from gateway_sim.plant import Plant
from gateway_sim.spells import Mask, Spell, clip, inside, merge, subtract
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Declaration,
    DeclarationStatus,
    Measure,
    MeasureAction,
    Role,
)
from wattwitness.domain.states import State
from wattwitness.domain.verdicts import VerdictCode

ALLOWED_MINUTES = 20.0
VIOLATED_RUNNING_SHARE = 0.6
COMPLIED_MISSED_SHARE, VIOLATED_MISSED_SHARE = 0.05, 0.7
SHOWN_SHARE = 0.9  # of the minutes, without which nobody could know


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueMeasure:
    """One measure over its window."""

    action: MeasureAction
    level: AlertLevel
    scope: tuple[str, ...]
    from_s: int
    to_s: int
    verdict: VerdictCode
    running_minutes: float  # of all named circuits together, outside what is allowed
    usual_minutes: float  # the same without the order
    energy_kwh: float
    usual_kwh: float
    missed_share: float  # of the cut: in minutes (stop, hours) or in energy (limit)
    main_only: bool  # judged by the main meter
    shown: bool  # the meters of the named circuits told at least SHOWN_SHARE of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueVerdict:
    """One plant under one alert."""

    alert_id: str
    enterprise_id: str
    conduct: str
    verdict: VerdictCode
    measures: tuple[TrueMeasure, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether the meters could show it."""
        return all(m.shown for m in self.measures)


def true_verdict(
    plant: Plant,
    alert: Alert,
    declarations: Sequence[Declaration],
    end_s: int,
    conduct: str = "",
) -> TrueVerdict | None:
    """What is true of a plant under an alert; None if it is not concerned, or nothing is due yet.

    Args:
        plant: with all that happened to it.
        alert: in force at some time before `end_s`.
        declarations: of the enterprise.
        end_s: end of the history [s since 1970].
        conduct: name of what the plant does, for the record.
    """
    phases = phases_of(plant.blueprint, alert, end_s)
    if not phases:
        return None
    measures: tuple[TrueMeasure, ...] = ()
    whole = (phases[0].from_s, phases[-1].to_s)
    if not asked(phases) or _declared(declarations, whole):
        verdict = VerdictCode.EXEMPT
    else:
        measures = tuple(m for phase in phases for m in _of_phase(plant, phase))
        if not measures:
            return None
        codes = {m.verdict for m in measures}
        verdict = codes.pop() if len(codes) == 1 else VerdictCode.PARTIAL
    return TrueVerdict(
        alert_id=alert.alert_id,
        enterprise_id=plant.enterprise_id,
        conduct=conduct,
        verdict=verdict,
        measures=measures,
    )


def _declared(declarations: Sequence[Declaration], whole: Spell) -> bool:
    accepted = [
        (to_us(d.from_) // 1_000_000, to_us(d.to) // 1_000_000)
        for d in declarations
        if d.status is DeclarationStatus.ACCEPTED and not d.circuits
    ]
    return not subtract([whole], accepted)


def _of_phase(plant: Plant, phase: Phase) -> list[TrueMeasure]:
    found = []
    for measure in phase.measures:
        window = phase.window(measure)
        if window[0] < window[1]:
            found.append(_measured(plant, measure, window))
    return found


def _measured(plant: Plant, measure: Measure, window: Spell) -> TrueMeasure:
    blueprint = plant.blueprint
    circuits = named_circuits(blueprint, measure)
    real, usual = _real(plant), _without_orders(plant)
    ran = _running_minutes(real, measure, circuits, window)
    would = _running_minutes(usual, measure, circuits, window)
    used, baseline = (energy_kwh(p, circuits, window) for p in (real, usual))
    if measure.action is MeasureAction.LIMIT:
        allowed = baseline * (measure.limit_pct or 0.0) / 100
        missed = (used - allowed) / (baseline - allowed) if baseline > allowed else 0.0
        idle = sum(ran.values()) <= ALLOWED_MINUTES
        verdict = VerdictCode.COMPLIED if idle else _by_energy(missed)
    else:
        usual_minutes = float(sum(would.values()))
        missed = sum(ran.values()) / usual_minutes if usual_minutes else float(max(ran.values()))
        verdict = _by_minutes(ran, missed)
    return TrueMeasure(
        action=measure.action,
        level=measure.level,
        scope=measure.scope,
        from_s=window[0],
        to_s=window[1],
        verdict=verdict,
        running_minutes=float(sum(ran.values())),
        usual_minutes=float(sum(would.values())),
        energy_kwh=used,
        usual_kwh=baseline,
        missed_share=missed,
        main_only=all(c.role is Role.MAIN for c in circuits),
        shown=_shown(plant, circuits, window),
    )


def _by_energy(missed: float) -> VerdictCode:
    if missed <= COMPLIED_MISSED_SHARE:
        return VerdictCode.COMPLIED
    return VerdictCode.VIOLATED if missed >= VIOLATED_MISSED_SHARE else VerdictCode.PARTIAL


def _by_minutes(ran: Mapping[str, float], missed: float) -> VerdictCode:
    if max(ran.values()) <= ALLOWED_MINUTES:
        return VerdictCode.COMPLIED
    return VerdictCode.VIOLATED if missed >= VIOLATED_RUNNING_SHARE else VerdictCode.PARTIAL


def _real(plant: Plant) -> Plant:
    """Without what only meters see: a bypassed meter hides energy that really flowed."""
    return plant.with_effects([e for e in plant.around.effects if e.action is not Action.DIVERT])


def _without_orders(plant: Plant) -> Plant:
    """The same plant, had nobody ordered anything."""
    real = _real(plant)
    return real.with_effects([e for e in real.around.effects if not e.because_of])


def running_machines(plant: Plant, span: Spell) -> Mapping[str, Mask]:
    """Machine → whether it runs, minute by minute over a span of whole minutes."""
    around, blueprint = plant.around, plant.blueprint
    at_s = np.arange(*span, 60, dtype=np.int64)
    dead = inside([e.spell for e in around.effects if e.action is Action.OUTAGE], at_s)
    spells = {
        line.name: line_spells(line, around.effects, around.holidays, span, around.zone)
        for line in blueprint.lines
    }
    return {
        m.circuit_id: (machine_states(m, *spells[m.line], at_s) == State.RUNNING) & ~dead
        for m in blueprint.machines
    }


def _running_minutes(
    plant: Plant, measure: Measure, circuits: Sequence[Circuit], window: Spell
) -> dict[str, float]:
    """Circuit → minutes in which any machine behind it ran when it should not."""
    at_s = np.arange(*window, 60, dtype=np.int64)
    due = np.ones(at_s.shape, dtype=np.bool_)
    if measure.action is MeasureAction.HOURS and measure.hours is not None:
        due = ~inside(clock_spells(measure.hours, window, plant.around.zone), at_s)
    running = running_machines(plant, window)
    return {c.circuit_id: float((_any(plant.blueprint, c, running) & due).sum()) for c in circuits}


def _any(blueprint: Blueprint, circuit: Circuit, running: Mapping[str, Mask]) -> Mask:
    rows = [running[name] for name in machines_behind(blueprint, circuit)]
    return np.asarray(np.any(rows, axis=0))


def energy_kwh(plant: Plant, circuits: Sequence[Circuit], window: Spell) -> float:
    """What really flowed through some circuits together."""
    load = plant.load(*window)
    rows = [plant.circuit_ids.index(c.circuit_id) for c in circuits]
    return float(load.p_kw[rows].sum()) * plant.blueprint.step_s / 3600


def _shown(plant: Plant, circuits: Sequence[Circuit], window: Spell) -> bool:
    """Whether the readings of the named circuits came, in time or late."""
    told = 1.0
    for circuit in circuits:
        lost = clip(
            merge(spells_of(plant.around.effects, Action.LOSE, circuit.circuit_id)), *window
        )
        told = min(told, 1.0 - sum(b - a for a, b in lost) / (window[1] - window[0]))
    return told >= SHOWN_SHARE
