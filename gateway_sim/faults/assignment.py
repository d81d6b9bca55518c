"""Which plant meets which incident; the truth about each goes into the answer key."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gateway_sim.effects import Effect, Incident
from gateway_sim.faults import curtailment
from gateway_sim.faults.catalogue import FURTHER, PLANNERS
from gateway_sim.faults.live import live_fault, recent_fault
from gateway_sim.faults.site import DAY_S, Site
from gateway_sim.noise import key_of, uniform_at
from gateway_sim.plant import Plant
from gateway_sim.scenario import Scenario
from wattwitness.domain.registry import Alert

US = 1_000_000
WITHOUT_TREATMENT = frozenset(
    {"treatment_off", "treatment_late_start", "treatment_early_stop", "declared_maintenance"}
)
"""Kinds whose `parts` are the minutes of running production without treatment."""

Planned = dict[str, list[Incident]]


def plan_incidents(
    scenario: Scenario, plants: Sequence[Plant], alert: Alert | None, history_us: tuple[int, int]
) -> tuple[tuple[Incident, ...], Mapping[str, tuple[Effect, ...]]]:
    """What happens to every plant.

    Returns:
        The answer key's incidents (by enterprise and time), and each enterprise's effects: those
        of its incidents, and what it does to obey the alert, which is no incident.
    """
    span = (
        history_us[0] // US + int(scenario.clean_days * DAY_S) // 60 * 60,
        history_us[1] // US + int(scenario.live_days * DAY_S),
    )
    found: Planned = {plant.enterprise_id: [] for plant in plants}
    settled: dict[str, tuple[Effect, ...]] = {}
    sites = []
    for rank, plant in enumerate(plants):
        rng = np.random.default_rng([scenario.seed, rank, 0xFA17])
        site = Site(plant=plant, rng=rng, span=span)
        incidents, effects = _under_alert(scenario, site, alert)
        found[plant.enterprise_id] += incidents
        settled[plant.enterprise_id] = effects
        site.plant = plant.with_effects(effects)
        sites.append(site)
    _forced(scenario, sites, history_us[1] // US, found)
    for kind in PLANNERS:
        _assign(scenario, kind, sites, found)
    everything = {
        name: settled[name] + tuple(e for i in incidents for e in i.effects)
        for name, incidents in found.items()
    }
    by_id = {plant.enterprise_id: plant for plant in plants}
    told = [
        _with_truth(incident, by_id[name].with_effects(everything[name]))
        for name, incidents in found.items()
        for incident in sorted(incidents, key=lambda i: (i.from_s, i.kind))
    ]
    return tuple(told), everything


def _under_alert(
    scenario: Scenario, site: Site, alert: Alert | None
) -> tuple[list[Incident], tuple[Effect, ...]]:
    """The plant's answer to the alert: what is ordered is done, or is not."""
    measures = curtailment.ordered(site.plant.blueprint, alert) if alert else ()
    if alert is None or not measures:
        return [], ()
    site.alert = alert
    draw = uniform_at(key_of(site.plant.blueprint.key, "alert"), 0)
    if draw < scenario.shares.get("curtailment_violation", 0.0):
        return [curtailment.curtailment_violation(site, measures, alert)], ()
    return [], curtailment.compliance(site, measures, alert)


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
