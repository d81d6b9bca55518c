"""Marks on single readings, and the rates of a circuit and day.

Each module is named after the fault that it finds: columns in, mask out, True = not to be used.
A mark is not an accusation: it lowers the validity rate and keeps the sample out of the states.
The meter kinds of the catalogue (`counter_anomaly`, `frozen_reading`, `replayed_data`,
`clock_skew`, `phase_loss`) judge what persists; they stand in `detectors`.

    spikes             one sample far above what the circuit can draw
    register_glitches  the energy register reads 0 for a moment
    reversed_power     negative power from a reversed current transformer
    rates              expected, received, valid, in time
"""

import numpy as np
from numpy.typing import NDArray

from analytics.quality.register_glitches import momentary_zeros
from analytics.quality.reversed_power import reversed_power
from analytics.quality.spikes import single_spikes
from wattwitness.domain.readings import Readings


def invalid_samples(
    rows: Readings,
    circuit_row: NDArray[np.intp],
    rated_kw: NDArray[np.float64],
    resolution_kw: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """All marks together.

    Args:
        rows: readings of one plant in (circuit, ts) order.
        circuit_row: row of the plant that each reading belongs to, ascending [n].
        rated_kw: nameplate per plant row, NaN = not known.
        resolution_kw: power step per plant row.

    Returns:
        True where a reading must not be used [n].
    """
    power = rows["p_kw"]
    rated = rated_kw[circuit_row]
    invalid = single_spikes(power, circuit_row, rated)
    invalid |= momentary_zeros(rows["e_kwh"], circuit_row)
    invalid |= reversed_power(power, rated, resolution_kw[circuit_row])
    return invalid
