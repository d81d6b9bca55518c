"""One lead per enterprise and matter, from the episodes that no declaration explains."""

from collections.abc import Sequence
from datetime import datetime

from analytics.leads.doubts import doubts
from analytics.leads.reasons import treatment_reason
from analytics.leads.scoring import freshness, level, probability, severity, weights
from analytics.plants import Plant
from wattwitness.domain.episodes import Episode
from wattwitness.domain.leads import Lead, Matter
from wattwitness.domain.registry import Alert
from wattwitness.domain.rules import CATALOGUE


def _names(plant: Plant, circuit_ids: Sequence[str]) -> list[str]:
    named = (plant.circuits[row] for row in plant.rows(circuit_ids))
    return [c.name or c.circuit_id for c in named]


def _units(plant: Plant) -> dict[str, tuple[list[str], list[str]]]:
    """Pairing id → (names of its production, names of its treatment)."""
    return {
        p.pairing_id: (_names(plant, p.production), _names(plant, p.treatment))
        for p in plant.pairings
    }


def _counting(episodes: Sequence[Episode]) -> list[Episode]:
    """Episodes on treatment that no declaration explains."""
    matters = (e for e in episodes if CATALOGUE[e.kind].matter is Matter.TREATMENT)
    return [e for e in matters if e.suppressed_by is None]


def treatment_lead(
    plant: Plant,
    district: str | None,
    episodes: Sequence[Episode],
    alerts: Sequence[Alert],
    watermark: datetime,
) -> list[Lead]:
    """The lead on treatment of one enterprise, or none.

    Args:
        plant: for the names and the declarations.
        district: of the enterprise, for alerts.
        episodes: of the enterprise, any kind; suppressed ones make no lead.
        alerts: of the registry.
        watermark: newest data time.
    """
    own = _counting(episodes)
    if not own:
        return []
    weight = weights(own, alerts, district)
    own.sort(key=lambda e: (-weight[e.episode_id] * e.confidence, e.from_, e.episode_id))
    likely = probability(own)
    score = likely * severity(sum(weight.values())) * freshness(max(e.to for e in own), watermark)
    return [
        Lead(
            enterprise_id=plant.enterprise_id,
            matter=Matter.TREATMENT,
            score=round(score, 4),
            confidence=round(likely, 4),
            level=level(score, likely),
            kinds=tuple(sorted({e.kind for e in own})),
            from_=min(e.from_ for e in own),
            to=max(e.to for e in own),
            episodes=tuple(e.episode_id for e in sorted(own, key=lambda e: (e.from_, e.kind))),
            reason=treatment_reason(own[0], own[1:], _units(plant), plant.zone),
            doubts=tuple(doubts(own[0], own, plant.declarations)),
        )
    ]
