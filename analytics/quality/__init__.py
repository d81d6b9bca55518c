"""Marks on single readings, and the rates of a circuit and day.

Each module is named after the fault that it finds: columns in, mask out, True = not to be used.
A mark is not an accusation: it lowers the validity rate and keeps the sample out of the states.
The meter kinds of the catalogue (`counter_anomaly`, `frozen_reading`, `replayed_data`,
`clock_skew`, `phase_loss`) judge what persists; they stand in `detectors`.

    spikes             one sample far above what the circuit can draw
    register_glitches  the energy register reads 0 for a moment
    reversed_power     negative power from a reversed current transformer
    rates              expected, received, valid, in time
    day_rates          the same of all circuits of a day
"""

import numpy as np
from numpy.typing import NDArray

from analytics.columns import Columns
from analytics.quality.register_glitches import momentary_zeros
from analytics.quality.reversed_power import NOISE_KW, reversed_power
from analytics.quality.spikes import ABOVE_RATED, single_spikes


def _suspects(rows: Columns, rated_kw: NDArray[np.float64]) -> NDArray[np.intp]:
    """Circuits in which a mark is possible, by the extremes of their power and register."""
    if not len(rows):
        return rows.filled
    power, rated = rows["p_kw"], rated_kw[rows.filled]
    highest = np.fmax.reduceat(power, rows.starts)  # NaN compares as False: nothing measured
    found = np.fmin.reduceat(power, rows.starts) < -NOISE_KW
    found |= (highest > ABOVE_RATED * rated) | (np.isnan(rated) & (highest > 0))
    found |= np.fmin.reduceat(rows["e_kwh"], rows.starts) <= 0
    return rows.filled[found]


def invalid_samples(
    rows: Columns, rated_kw: NDArray[np.float64], resolution_kw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """All marks together.

    Args:
        rows: readings of one plant [n].
        rated_kw: nameplate per plant row, NaN = not known.
        resolution_kw: power step per plant row.

    Returns:
        True where a reading must not be used [n].
    """
    invalid = np.zeros(len(rows), dtype=np.bool_)
    chosen = rows.of(_suspects(rows, rated_kw))
    if not len(chosen):
        return invalid
    circuit_row, power = rows.circuit_row[chosen], rows["p_kw"][chosen]
    rated = rated_kw[circuit_row]
    marks = single_spikes(power, circuit_row, rated)
    marks |= momentary_zeros(rows["e_kwh"][chosen], circuit_row)
    marks |= reversed_power(power, rated, resolution_kw[circuit_row])
    invalid[chosen] = marks
    return invalid
