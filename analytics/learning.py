"""Thresholds of many days of a plant from its day histograms. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import date

from analytics.plants import Plant
from analytics.states.histograms import Histogram, window, window_sums
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
    windows: dict[tuple[date, date], dict[int, list[date]]] = {}  # → row → days that rest on it
    for row, circuit in enumerate(plant.circuits):
        first = first_days.get(circuit.circuit_id)
        for day in days:
            if first is not None and day >= first:
                windows.setdefault(window(day, first), {}).setdefault(row, []).append(day)
    learned: Learned = {}
    for span, served in windows.items():
        circuits = [plant.circuits[row] for row in served]
        sums = window_sums([histograms.get(c.circuit_id, {}) for c in circuits], *span)
        for circuit, thresholds, own in zip(
            circuits, learn(sums, circuits), served.values(), strict=True
        ):
            learned |= {(circuit.circuit_id, day): thresholds for day in own}
    return learned
