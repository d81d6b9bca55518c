"""Does 0.8 mean 80 %? Confidence against what turned out to be right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.evaluation.intervals import Proportion

EDGES = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Borders of the bins; narrower where most is said."""


@dataclass(frozen=True, slots=True)
class Bin:
    """What was said with about the same confidence."""

    low: float
    high: float
    said: float  # mean confidence
    right: Proportion


def reliability(predictions: Sequence[tuple[float, bool]]) -> list[Bin]:
    """The bins that are not empty, lowest first.

    Args:
        predictions: (confidence in 0 … 1, whether it was right).
    """
    said = np.array([c for c, _ in predictions], dtype=np.float64)
    right = np.array([ok for _, ok in predictions], dtype=np.bool_)
    number = np.clip(np.searchsorted(EDGES, said, side="right") - 1, 0, len(EDGES) - 2)
    return [
        Bin(
            EDGES[n],
            EDGES[n + 1],
            float(said[number == n].mean()),
            Proportion(int(right[number == n].sum()), int((number == n).sum())),
        )
        for n in np.unique(number).tolist()
    ]


def expected_calibration_error(bins: Sequence[Bin]) -> float | None:
    """Mean distance of what was said from what was right, weighted by how often (Naeini 2015)."""
    total = sum(b.right.trials for b in bins)
    if not total:
        return None
    return sum(abs(b.said - (b.right.value or 0.0)) * b.right.trials for b in bins) / total
