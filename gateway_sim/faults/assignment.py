"""Which plant meets which incident; the truth about each goes into the answer key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway_sim.effects import Effect, Incident
from gateway_sim.faults import curtailment
from gateway_sim.faults.catalogue import FURTHER, PLANNERS
from gateway_sim.faults.live import live_fault, recent_fault
from gateway_sim.faults.site import DAY_S, Site
from gateway_sim.noise import key_of, uniform_at
from gateway_sim.orders.answers import Answered, answered
from gateway_sim.orders.conducts import EVEN_CONDUCTS
from gateway_sim.plant import Plant
from gateway_sim.scenario import Scenario
from wattwitness.domain.registry import Alert, Declaration

US = 1_000_000
WITHOUT_TREATMENT = frozenset(
    {"treatment_off", "treatment_late_start", "treatment_early_stop", "declared_maintenance"}
)
"""Kinds whose `parts` are the minutes of running production without treatment."""

Planned = dict[str, list[Incident]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happenings:
    """What happens to a city.

    Attributes:
        incidents: of the answer key, by enterprise and time.
        effects: enterprise id → those of its incidents, and what it does under alerts.
        declarations: filed because of an alert; those of incidents are with them.
        conducts: (alert id, enterprise id) → what the plant does.
    """

    incidents: tuple[Incident, ...]
    effects: Mapping[str, tuple[Effect, ...]]
    declarations: tuple[Declaration, ...]
    conducts: Mapping[tuple[str, str], str]


def plan_incidents(
    scenario: Scenario,
    plants: Sequence[Plant],
    alerts: Sequence[Alert],
    history_us: tuple[int, int],
) -> Happenings:
    """What happens to every plant.

    Args:
        scenario: how often what happens.
        plants: calm ones.
        alerts: by response; several only where the scenario tells conducts.
        history_us: begin and end of the history [µs since 1970].
    """
    span = (
        history_us[0] // US + int(scenario.clean_days * DAY_S) // 60 * 60,
        history_us[1] // US + int(scenario.live_days * DAY_S),
    )
    found: Planned = {plant.enterprise_id: [] for plant in plants}
    settled: dict[str, Answered] = {}
    sites = []
    for rank, plant in enumerate(plants):
        rng = np.random.default_rng([scenario.seed, rank, 0xFA17])
        site = Site(plant=plant, rng=rng, span=span)
        if scenario.conducts or scenario.alert == "season":
            weights = scenario.conducts or EVEN_CONDUCTS
            answer = answered(site, alerts, weights, history_us[1] // US)
        else:
            answer = _under_alert(scenario, site, alerts[0] if alerts else None)
        found[plant.enterprise_id] += answer.incidents
        settled[plant.enterprise_id] = answer
        site.plant = plant.with_effects(answer.effects)
        sites.append(site)
    _forced(scenario, sites, history_us[1] // US, found)
    for kind in PLANNERS:
        _assign(scenario, kind, sites, found)
    everything = {
        name: settled[name].effects + tuple(e for i in incidents for e in i.effects)
        for name, incidents in found.items()
    }
    by_id = {plant.enterprise_id: plant for plant in plants}
    told = [
        _with_truth(incident, by_id[name].with_effects(everything[name]))
        for name, incidents in found.items()
        for incident in sorted(incidents, key=lambda i: (i.from_s, i.kind))
    ]
    return Happenings(
        incidents=tuple(told),
        effects=everything,
        declarations=tuple(d for answer in settled.values() for d in answer.declarations),
        conducts={
            (alert_id, name): conduct
            for name, answer in settled.items()
            for alert_id, conduct in answer.conducts.items()
        },
    )


def _under_alert(scenario: Scenario, site: Site, alert: Alert | None) -> Answered:
    """The plant's answer to the alert: what is ordered is done, or is not."""
    measures = curtailment.ordered(site.plant.blueprint, alert) if alert else ()
    if alert is None or not measures:
        return Answered()
    site.alert = alert
    draw = uniform_at(key_of(site.plant.blueprint.key, "alert"), 0)
    if draw < scenario.shares.get("curtailment_violation", 0.0):
        incident = curtailment.curtailment_violation(site, measures, alert)
        return Answered(incidents=(incident,), conducts={alert.alert_id: "works_on"})
    effects = curtailment.compliance(site, measures, alert)
    because = tuple(replace(e, because_of=alert.alert_id) for e in effects)
    return Answered(effects=because, conducts={alert.alert_id: "follows"})


def _forced(scenario: Scenario, sites: Sequence[Site], end_s: int, found: Planned) -> None:
    """The two treatment_off that a demonstration asks for."""
    order = np.random.default_rng([scenario.seed, 0xDE30]).permutation(len(sites))
    shuffled = [sites[n] for n in order]
    if scenario.live_fault_after_min >= 0:
        at_s = end_s + int(scenario.live_fault_after_min * 60) // 60 * 60
        incident = live_fault(shuffled, at_s)
        if incident is not None:
            found[incident.enterprise_id].append(incident)
    if scenario.recent_fault:
        incident = recent_fault(shuffled, end_s)
        if incident is not None:
            found[incident.enterprise_id].append(incident)


def _assign(scenario: Scenario, kind: str, sites: Sequence[Site], found: Planned) -> None:
    """Give one kind to its share of the plants: to innocent ones as long as there are any."""
    rng = np.random.default_rng([scenario.seed, key_of(kind) & 0xFFFFFFFF])
    share = scenario.shares.get(kind, 0.0)
    wanted = int(share * len(sites) + rng.random())
    if kind == "treatment_off" and share > 0:
        wanted = max(1, wanted)
    tickets = rng.random(len(sites))

    def burden(n: int) -> tuple[int, float]:
        own = found[sites[n].enterprise_id]
        kinds = {i.kind for i in own if kind in FURTHER or not i.lawful}
        return len(kinds), tickets[n]

    for n in sorted(range(len(sites)), key=burden):
        if wanted <= 0:
            return
        incidents = PLANNERS[kind](sites[n])
        found[sites[n].enterprise_id] += incidents
        sites[n].planned += [e for i in incidents for e in i.effects]
        wanted -= bool(incidents)


def _with_truth(incident: Incident, plant: Plant) -> Incident:
    """With the spells in which the tell-tale condition really held."""
    if incident.kind not in WITHOUT_TREATMENT or incident.pairing_id is None:
        return incident
    parts = plant.live_without_treatment(incident.pairing_id, incident.from_s, incident.to_s)
    return replace(incident, parts=tuple(parts))
