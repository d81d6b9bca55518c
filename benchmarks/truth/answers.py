"""The answer key as spans that can be scored: only what the meters could know."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.evaluation.matching import Span
from analytics.evaluation.states import StateScore
from gateway_sim.city import City
from gateway_sim.effects import Incident
from gateway_sim.spells import merge
from wattwitness.domain.instants import US_PER_MINUTE, from_us, to_us
from wattwitness.domain.registry import Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import StateSpell
from wattwitness.domain.testability import Testability
from wattwitness.store.database import Database
from wattwitness.store.findings import list_states

KIND = "treatment_off"
US = 1_000_000


@dataclass(frozen=True, slots=True)
class Planted:
    """The key, sorted by what it is used for."""

    episodes: Sequence[Span]
    unknowable: Sequence[Span]  # planted, but too short, unmetered or not testable
    implying: Sequence[Span]  # unlawful incidents of other kinds
    lawful: Sequence[Span]


def _span(incident: Incident, kind: str, from_s: int, to_s: int) -> Span:
    return Span(
        enterprise_id=incident.enterprise_id,
        kind=kind,
        from_=from_us(from_s * US),
        to=from_us(min(to_s, 2**33) * US),
        subject=incident.pairing_id or "",
    )


def _episodes(incident: Incident) -> list[tuple[Span, float]]:
    """Stretches in which the condition held, short pauses bridged, with their minutes."""
    parameters = CATALOGUE[KIND].parameters
    parts = merge(incident.parts or [(incident.from_s, incident.to_s)])
    stretches = merge(parts, bridge_s=int(parameters["bridge_unknown_min"] * 60))
    found = []
    for start, end in stretches:
        minutes = sum(b - a for a, b in parts if start <= a and b <= end) / 60.0
        found.append((_span(incident, KIND, start, end), minutes))
    return found


def planted_spans(city: City, testability: Sequence[Testability]) -> Planted:
    """Sort the answer key of a city.

    Args:
        city: with its incidents.
        testability: what the software said it can test; a planted episode of a pairing that it
            called untestable is not knowable (and is counted apart).
    """
    testable = {t.pairing_id for t in testability if t.kind == KIND and t.testable}
    least = CATALOGUE[KIND].parameters["episode_min"]
    episodes: list[Span] = []
    unknowable: list[Span] = []
    inside = [i for i in city.incidents if i.from_s * US < city.end_us]
    for incident in inside:
        if incident.kind != KIND:
            continue
        for span, minutes in _episodes(incident):
            before_end = to_us(span.from_) + least * US_PER_MINUTE <= city.end_us
            known = minutes >= least and incident.pairing_id in testable and before_end
            (episodes if known else unknowable).append(span)
    others = [i for i in inside if i.kind != KIND]
    return Planted(
        episodes,
        unknowable,
        implying=[_span(i, i.kind, i.from_s, i.to_s) for i in others if not i.lawful],
        lawful=[_span(i, i.kind, i.from_s, i.to_s) for i in others if i.lawful],
    )


def _painted(spells: Sequence[StateSpell], from_us_: int, minutes: int) -> NDArray[np.int8]:
    grid = np.zeros(minutes, dtype=np.int8)
    for spell in spells:
        start = (to_us(spell.from_) - from_us_) // US_PER_MINUTE
        end = (to_us(spell.to) - from_us_) // US_PER_MINUTE
        grid[max(0, start) : max(0, min(minutes, end))] = int(spell.state)
    return grid


async def score_states(db: Database, city: City) -> dict[str, StateScore]:
    """States of production and treatment circuits against the truth, by role."""
    minutes = (city.end_us - city.start_us) // US_PER_MINUTE
    scores = {role.value: StateScore() for role in (Role.PRODUCTION, Role.TREATMENT)}
    for plant in city.plants:
        at_us, truth = plant.true_states(city.start_us, city.end_us)
        sampled = (at_us - city.start_us) % US_PER_MINUTE == 0
        for circuit_id in plant.circuit_ids:
            role = city.registry.circuits[circuit_id].role.value
            if role not in scores:
                continue
            said = await list_states(db, [circuit_id], city.start_us, city.end_us)
            real = truth[circuit_id][sampled].astype(np.int8)[:minutes]
            scores[role].add(real, _painted(said, city.start_us, minutes))
    return scores
