"""Decisions teach what a confidence is worth: 0.8 should mean that 80 % are confirmed.

Method: isotonic regression (pool adjacent violators) of what officers found on the confidence that
the analytics gave, so that the order of leads is kept. Few decisions must not turn everything over:
imaginary decisions that agree with the analytics, spread evenly, hold against them (shrinkage).
Pure and deterministic: the same decisions give the same curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import isotonic_regression

from wattwitness.domain.leads import Lead, LeadLevel, level_of

LEAST_DECISIONS = 20
PRIOR_WEIGHT = 10.0  # in decisions, spread over the whole range
PRIOR_POINTS = 21  # 0, 0.05 … 1
MOST_CONFIDENCE = 0.99  # nothing electric is ever certain


@dataclass(frozen=True, slots=True)
class Curve:
    """Raw confidence → calibrated confidence, linear between its points; none = as it is."""

    decisions: int = 0
    points: tuple[tuple[float, float], ...] = ()

    def of(self, confidence: float) -> float:
        """The calibrated confidence."""
        if not self.points:
            return confidence
        x, y = zip(*self.points, strict=True)
        return round(float(np.interp(confidence, x, y)), 4)


def curve_of(labels: Sequence[tuple[float, bool]]) -> Curve:
    """The curve of these decisions; the identity while there are too few.

    Args:
        labels: (raw confidence, confirmed).
    """
    if len(labels) < LEAST_DECISIONS:
        return Curve(len(labels))
    prior = np.linspace(0.0, 1.0, PRIOR_POINTS)
    x = np.concatenate((prior, [confidence for confidence, _ in labels]))
    y = np.concatenate((prior, [float(confirmed) for _, confirmed in labels]))
    weight = np.concatenate(
        (np.full(PRIOR_POINTS, PRIOR_WEIGHT / PRIOR_POINTS), np.ones(len(labels)))
    )
    at, place = np.unique(np.round(x, 4), return_inverse=True)
    total = np.bincount(place, weights=weight)
    mean = np.bincount(place, weights=weight * y) / total
    fitted = np.clip(isotonic_regression(mean, weights=total).x, 0.0, MOST_CONFIDENCE)
    points = zip(at.tolist(), np.round(fitted, 4).tolist(), strict=True)
    return Curve(len(labels), tuple(points))


def recalibrated(lead: Lead, curve: Curve) -> Lead:
    """The lead with the confidence that decisions teach; its score and level follow."""
    if not curve.points or lead.confidence <= 0:
        return lead
    confidence = curve.of(lead.confidence)
    score = round(lead.score * confidence / lead.confidence, 4)
    informs = lead.level is LeadLevel.INFO
    return replace(
        lead,
        score=score,
        confidence=confidence,
        level=LeadLevel.INFO if informs else level_of(score, confidence),
        confidence_before=lead.confidence,
    )
