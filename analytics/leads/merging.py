"""One lead per enterprise and matter, from the episodes that no declaration explains."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics.leads.doubts import Known, doubts
from analytics.leads.meter_changes import RegisterBack
from analytics.leads.reasons import reason
from analytics.leads.scoring import (
    accusing,
    alert_factor,
    freshness,
    probability,
    severity,
    severity_of_all,
)
from analytics.leads.sentences import Names
from analytics.plants import Plant
from wattwitness.domain.episodes import Episode
from wattwitness.domain.leads import ChronicPair, Lead, LeadLevel, Matter, level_of
from wattwitness.domain.registry import Alert
from wattwitness.domain.rules import CATALOGUE


@dataclass(frozen=True, slots=True)
class Scene:
    """What the leads of one enterprise are made in the light of."""

    plant: Plant  # for the names and the declarations
    district: str | None  # of the enterprise, for alerts
    alerts: Sequence[Alert]  # of the registry
    watermark: datetime  # newest data time
    chronic: Sequence[ChronicPair] = ()
    register_backs: Sequence[RegisterBack] = ()


def _names(plant: Plant, circuit_ids: Sequence[str]) -> list[str]:
    named = (plant.circuits[row] for row in plant.rows(circuit_ids))
    return [c.name or c.circuit_id for c in named]


def _about(plant: Plant, episode: Episode) -> Names:
    """What people call what an episode is about."""
    pairing = next((p for p in plant.pairings if p.pairing_id == episode.pairing_id), None)
    own = _names(plant, episode.circuits) or list(episode.circuits)
    if pairing is None:
        return Names(own)
    return Names(own, _names(plant, pairing.production), _names(plant, pairing.treatment))


@dataclass(frozen=True, slots=True)
class _Weight:
    """What a lead's episodes weigh together."""

    gravest: Episode
    confidence: float
    score: float
    level: LeadLevel


def _weight(scene: Scene, own: Sequence[Episode]) -> _Weight:
    """By the episodes that accuse; information alone never raises anything."""
    counted = accusing(own)
    factor = [alert_factor(e, scene.alerts, scene.district) for e in counted]
    grave = [-severity(e, f) * e.confidence for e, f in zip(counted, factor, strict=True)]
    most = min(grave)
    gravest = min(
        (e for e, own_most in zip(counted, grave, strict=True) if own_most == most),
        key=lambda e: (e.from_, e.episode_id),
    )
    confidence = round(probability(counted), 4)
    fresh = freshness(max(e.to for e in counted), scene.watermark)
    score = round(confidence * severity_of_all(counted, factor) * fresh, 4)
    informs = all(CATALOGUE[e.kind].informs for e in own)
    return _Weight(
        gravest, confidence, score, LeadLevel.INFO if informs else level_of(score, confidence)
    )


def _lead(scene: Scene, matter: Matter, own: Sequence[Episode], ids: Sequence[str]) -> Lead:
    plant, weight = scene.plant, _weight(scene, own)
    gravest = weight.gravest
    pairings = {e.pairing_id for e in own}
    chronic = tuple(c for c in scene.chronic if c.pairing_id in pairings)
    others = [e for e in own if e is not gravest]
    known = Known(gravest, own, scene.register_backs, plant.declarations, chronic, plant.zone)
    return Lead(
        enterprise_id=plant.enterprise_id,
        matter=matter,
        score=weight.score,
        confidence=weight.confidence,
        level=weight.level,
        kinds=tuple(sorted({e.kind for e in own})),
        from_=min(e.from_ for e in own),
        to=max(e.to for e in own),
        episodes=tuple(ids),
        reason=reason(gravest, others, _about(plant, gravest), plant.zone),
        doubts=tuple(doubts(known)),
        newest_from=max(e.from_ for e in own),
        registration_check=chronic,
    )


def leads_of(scene: Scene, episodes: Sequence[Episode]) -> list[Lead]:
    """The leads of one enterprise: one per matter that has an episode no declaration explains.

    Args:
        scene: of the enterprise.
        episodes: of the enterprise, any kind; suppressed ones make no lead.
    """
    of_matter: dict[Matter, list[tuple[Episode, str]]] = {matter: [] for matter in Matter}
    named = ((e, e.episode_id) for e in episodes if e.suppressed_by is None)
    for episode, name in sorted(named, key=lambda told: (told[0].from_, told[0].kind, told[1])):
        of_matter[CATALOGUE[episode.kind].matter].append((episode, name))
    return [
        _lead(scene, matter, [e for e, _ in own], [name for _, name in own])
        for matter, own in of_matter.items()
        if own
    ]
