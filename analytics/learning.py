"""Thresholds of many days of a plant from its day histograms. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import date

import numpy as np

from analytics.plants import Plant
from analytics.states.histograms import Histogram, window, window_sum
from analytics.states.thresholds import learn
from wattwitness.domain.states import Thresholds

Learned = dict[tuple[str, date], Thresholds]
"""(circuit id, local day) → the thresholds that the day is judged with."""


def same_thresholds(one: Thresholds | None, other: Thresholds) -> bool:
    """Equality in which NaN equals NaN."""
    if one is None:
        return False
    pairs = zip(astuple(one), astuple(other), strict=True)
    return all(
        a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b)) for a, b in pairs
    )


def learn_days(
    plant: Plant,
    days: Sequence[date],
    first_days: Mapping[str, date],
    histograms: Mapping[str, Mapping[date, Histogram]],
) -> Learned:
    """Thresholds of these days; days that share a window are learned once.

    Args:
        plant: whose circuits.
        days: local days.
        first_days: circuit id → day of its first reading; circuits without are left out.
        histograms: circuit id → day → minutes per bin, at least of all windows.
    """
    asked: dict[tuple[int, tuple[date, date]], list[date]] = {}
    for row, circuit in enumerate(plant.circuits):
        first = first_days.get(circuit.circuit_id)
        for day in days:
            if first is not None and day >= first:
                asked.setdefault((row, window(day, first)), []).append(day)
    if not asked:
        return {}
    circuits = [plant.circuits[row] for row, _ in asked]
    sums = [
        window_sum(histograms.get(plant.circuits[row].circuit_id, {}), *span) for row, span in asked
    ]
    found = learn(np.stack(sums), circuits)
    return {
        (circuit.circuit_id, day): thresholds
        for circuit, thresholds, served in zip(circuits, found, asked.values(), strict=True)
        for day in served
    }
