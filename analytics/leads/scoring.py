"""Score of a lead = probability × severity × freshness, each in 0–1.

Probability: noisy-or over independent groups. Episodes that share a circuit share their causes (a
wrong CT explains all of them), so of a group the best one speaks. Severity: production energy that
went untreated, on a log scale, or the kind's own weight; more during an alert. Freshness: half-life
against the newest data day, never against the clock: the same data give the same score on any day.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from wattwitness.domain.episodes import Episode
from wattwitness.domain.registry import Alert, AlertLevel
from wattwitness.domain.rules import CATALOGUE

FRESH_HALF_LIFE_DAYS = 21.0
STALEST = 0.2
ALERT_FACTOR = {AlertLevel.YELLOW: 1.15, AlertLevel.ORANGE: 1.3, AlertLevel.RED: 1.5}
SLIGHT_KWH, GRAVE_KWH = 3.0, 3000.0
SLIGHT, GRAVE = 0.3, 1.0


def number(episode: Episode, name: str) -> float:
    """A numeric evidence of an episode; 0 where it is missing."""
    value = episode.evidence.get(name, {}).get("value", 0.0)
    return float(value) if not isinstance(value, str) else 0.0


def accusing(episodes: Sequence[Episode]) -> list[Episode]:
    """Episodes that are more than information, or all where there are no others."""
    found = [e for e in episodes if not CATALOGUE[e.kind].informs]
    return found or list(episodes)


def groups(episodes: Sequence[Episode]) -> list[list[Episode]]:
    """Episodes that share a pairing or a circuit, directly or through others, together."""
    found: list[tuple[set[str], list[Episode]]] = []
    for episode in episodes:
        about = {f"circuit {c}" for c in episode.circuits} | {f"pairing {episode.pairing_id}"}
        about.discard("pairing None")
        touched = [group for group in found if group[0] & about]
        found = [group for group in found if not group[0] & about]
        for names, _ in touched:
            about |= names
        found.append((about, [e for _, own in touched for e in own] + [episode]))
    return [own for _, own in found]


def probability(episodes: Sequence[Episode]) -> float:
    """Noisy-or over independent groups of the best confidence in each."""
    best = sorted(max(e.confidence for e in group) for group in groups(episodes))
    return 1.0 - math.prod(1.0 - p for p in best)


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


def _energy_severity(untreated_kwh: float) -> float:
    """Untreated production energy [kWh] → 0.3 … 1, on a log scale."""
    if untreated_kwh <= SLIGHT_KWH:
        return SLIGHT
    share = math.log(untreated_kwh / SLIGHT_KWH) / math.log(GRAVE_KWH / SLIGHT_KWH)
    return min(GRAVE, SLIGHT + (GRAVE - SLIGHT) * share)


def at_stake_kwh(episode: Episode) -> float | None:
    """Production energy that an episode is about; None where its evidence holds none."""
    if "production_energy" not in episode.evidence:
        return None
    return number(episode, "production_energy")


def severity(episode: Episode, factor: float) -> float:
    """How bad one episode is, 0 … 1.

    By untreated energy where it is known, else by kind and by how long it lasted (a day counts
    whole). An alert makes either graver.
    """
    energy = at_stake_kwh(episode)
    if energy is not None:
        return _energy_severity(energy * factor)
    days = (episode.to - episode.from_).total_seconds() / 86_400.0
    lasting = 0.75 + 0.25 * min(1.0, days)
    return min(GRAVE, CATALOGUE[episode.kind].severity * lasting * factor)


def severity_of_all(episodes: Sequence[Episode], factors: Sequence[float]) -> float:
    """How bad the episodes of a lead are together: energies add up, of the rest the worst counts.

    Args:
        episodes: of one lead.
        factors: how much graver an alert makes each.
    """
    each = list(zip(episodes, factors, strict=True))
    energy = sum((at_stake_kwh(e) or 0.0) * factor for e, factor in each)
    worst = max(severity(e, factor) for e, factor in each)
    return max(worst, _energy_severity(energy)) if energy > 0 else worst


def freshness(newest: datetime, watermark: datetime) -> float:
    """Whole days between the newest episode and the newest data → 0.2 … 1."""
    days = max(0, (watermark - newest).days)
    return max(STALEST, float(0.5 ** (days / FRESH_HALF_LIFE_DAYS)))
