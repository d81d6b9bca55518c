"""Each plant under each alert: its conduct drawn, its effects planned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gateway_sim.effects import Effect, Incident
from gateway_sim.faults.site import Site
from gateway_sim.noise import key_of
from gateway_sim.orders.conducts import CONDUCTS, NOTHING_ASKED
from gateway_sim.orders.duties import asked, phases_of
from gateway_sim.orders.following import Duty, Played
from wattwitness.domain.registry import Alert, Declaration


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a plant does under all alerts."""

    effects: tuple[Effect, ...] = ()
    incidents: tuple[Incident, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    conducts: Mapping[str, str] = field(default_factory=dict)  # alert id → name of its conduct


def answered(
    site: Site, alerts: Sequence[Alert], weights: Mapping[str, float], end_s: int
) -> Answered:
    """Draw and plan a plant's conduct under each alert, oldest first.

    Args:
        site: the plant; effects of what is settled already are in it.
        alerts: by response.
        weights: conduct → how often, relative.
        end_s: end of the history [s since 1970].
    """
    effects: tuple[Effect, ...] = ()
    papers: tuple[Declaration, ...] = ()
    conducts = {}
    for alert in alerts:
        phases = phases_of(site.plant.blueprint, alert, end_s)
        if not phases:
            continue
        name, played = NOTHING_ASKED, Played()
        if asked(phases):
            rng = np.random.default_rng(key_of(site.plant.blueprint.key, "conduct", alert.alert_id))
            own = replace(site, rng=rng, plant=site.plant.with_effects(effects))
            duty = Duty(site=own, alert=alert, phases=phases)
            name, played = _drawn(duty, weights)
        effects += tuple(replace(e, because_of=alert.alert_id) for e in played.effects)
        papers += played.declarations
        conducts[alert.alert_id] = name
    return Answered(effects=effects, declarations=papers, conducts=conducts)


def _drawn(duty: Duty, weights: Mapping[str, float]) -> tuple[str, Played]:
    """A conduct that this plant can show; who can none of them works on."""
    names = [name for name, weight in weights.items() if weight > 0]
    tickets = duty.site.rng.random(len(names)) ** (1.0 / np.array([weights[n] for n in names]))
    for rank in np.argsort(-tickets):
        played = CONDUCTS[names[int(rank)]](duty)
        if played is not None:
            return names[int(rank)], played
    return "works_on", Played()
