"""Single spikes: one sample far above what the circuit can draw.

Seen on public data: 1.1 MW on an 85 kW machine. A run of high samples is not a spike: either the
nameplate is wrong or the load is real.
"""

import numpy as np
from numpy.typing import NDArray

ABOVE_RATED = 1.5  # a motor's minute mean stays below this share of its nameplate
ABOVE_NEIGHBOURS = 8.0
ABOVE_USUAL = 3.0  # × the circuit's own 99th percentile in the block
LEAST_SAMPLES = 30


def _neighbours(
    power_kw: NDArray[np.float64], circuit_row: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Previous and next sample of the same circuit; -inf where there is none."""
    none = -np.inf
    before = np.full(power_kw.shape, none)
    after = np.full(power_kw.shape, none)
    same = circuit_row[1:] == circuit_row[:-1]
    before[1:][same] = power_kw[:-1][same]
    after[:-1][same] = power_kw[1:][same]
    return np.nan_to_num(before, nan=none), np.nan_to_num(after, nan=none)


def single_spikes(
    power_kw: NDArray[np.float64],
    circuit_row: NDArray[np.intp],
    rated_kw: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Mark single samples above 1.5 × rated, or, without a nameplate, far above all others.

    Args:
        power_kw: power [kW], NaN = not measured; circuits one after the other, time ascending [n].
        circuit_row: which circuit each sample belongs to [n].
        rated_kw: nameplate per sample, NaN = not known [n].

    Returns:
        True = spike [n].
    """
    before, after = _neighbours(power_kw, circuit_row)
    limit = ABOVE_RATED * rated_kw
    spikes: NDArray[np.bool_] = (power_kw > limit) & ~(before > limit) & ~(after > limit)
    lonely = power_kw > ABOVE_NEIGHBOURS * np.maximum(np.maximum(before, after), 0.0)
    suspects = lonely & np.isnan(rated_kw) & (power_kw > 0)
    for row in np.unique(circuit_row[suspects]):
        of_circuit = circuit_row == row
        measured = power_kw[of_circuit & np.isfinite(power_kw)]
        usual = float(np.quantile(measured, 0.99, method="lower"))
        if len(measured) >= LEAST_SAMPLES and usual > 0:
            spikes |= of_circuit & suspects & (power_kw > ABOVE_USUAL * usual)
    return spikes
