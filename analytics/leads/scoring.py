"""Score of a lead = probability × severity × freshness, each in 0–1.

Probability: noisy-or over independent groups (pairings); within a group episodes share their
causes (a wrong CT explains all of them), so the best one speaks. Severity: production energy that
went untreated, on a log scale, more during an alert. Freshness: half-life against the newest data
day, never against the clock: the same data give the same score on any day.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from wattwitness.domain.episodes import Episode
from wattwitness.domain.leads import LeadLevel
from wattwitness.domain.registry import Alert, AlertLevel

FRESH_HALF_LIFE_DAYS = 21.0
STALEST = 0.2
ALERT_FACTOR = {AlertLevel.YELLOW: 1.15, AlertLevel.ORANGE: 1.3, AlertLevel.RED: 1.5}
SLIGHT_KWH, GRAVE_KWH = 3.0, 3000.0
SLIGHT, GRAVE = 0.3, 1.0
HIGH_SCORE, HIGH_PROBABILITY = 0.55, 0.8
MEDIUM_SCORE = 0.25


def number(episode: Episode, name: str) -> float:
    """A numeric evidence of an episode; 0 where it is missing."""
    value = episode.evidence.get(name, {}).get("value", 0.0)
    return float(value) if not isinstance(value, str) else 0.0


def probability(episodes: Sequence[Episode]) -> float:
    """Noisy-or over pairings of the best confidence in each."""
    best: dict[str, float] = {}
    for episode in episodes:
        group = episode.pairing_id or ";".join(episode.circuits)
        best[group] = max(best.get(group, 0.0), episode.confidence)
    return 1.0 - math.prod(1.0 - p for _, p in sorted(best.items()))


def alert_factor(episode: Episode, alerts: Iterable[Alert], district: str | None) -> float:
    """How much graver an episode is because it overlaps an alert of its district."""
    factor = 1.0
    for alert in alerts:
        here = not alert.districts or district in alert.districts
        overlaps = episode.to > alert.response_from and (
            alert.lifted_at is None or episode.from_ < alert.lifted_at
        )
        if here and overlaps:
            factor = max(factor, ALERT_FACTOR[alert.level])
    return factor


def severity(untreated_kwh: float) -> float:
    """Untreated production energy [kWh] → 0.3 … 1."""
    if untreated_kwh <= SLIGHT_KWH:
        return SLIGHT
    share = math.log(untreated_kwh / SLIGHT_KWH) / math.log(GRAVE_KWH / SLIGHT_KWH)
    return min(GRAVE, SLIGHT + (GRAVE - SLIGHT) * share)


def freshness(newest: datetime, watermark: datetime) -> float:
    """Whole days between the newest episode and the newest data → 0.2 … 1."""
    days = max(0, (watermark - newest).days)
    return max(STALEST, float(0.5 ** (days / FRESH_HALF_LIFE_DAYS)))


def level(score: float, likely: float) -> LeadLevel:
    """How urgently an officer should look."""
    if score >= HIGH_SCORE and likely >= HIGH_PROBABILITY:
        return LeadLevel.HIGH
    return LeadLevel.MEDIUM if score >= MEDIUM_SCORE else LeadLevel.LOW


def weights(
    episodes: Sequence[Episode], alerts: Sequence[Alert], district: str | None
) -> Mapping[str, float]:
    """Episode id → untreated kWh, weighted by alert."""
    return {
        e.episode_id: number(e, "production_energy") * alert_factor(e, alerts, district)
        for e in episodes
    }
