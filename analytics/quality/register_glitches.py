"""The energy register reads 0 for a moment between two sound values.

Booked as energy, one such zero was 53.7 MWh on a public data set. What persists is a replacement
or a roll-back: `counter_anomaly`, not a mark.
"""

import numpy as np
from numpy.typing import NDArray

LONGEST_SAMPLES = 3


def momentary_zeros(
    energy_kwh: NDArray[np.float64], circuit_row: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Mark runs of at most three zeros that follow a positive register value.

    The run ends in another value, or at the end of the block: a day is judged without looking at
    the next one, so up to three zeros before its midnight are marked even where more follow.

    Args:
        energy_kwh: cumulative energy [kWh], NaN = not measured; circuits one after the other,
            time ascending [n].
        circuit_row: which circuit each sample belongs to [n].

    Returns:
        True = glitch [n].
    """
    glitches = np.zeros(energy_kwh.shape, dtype=np.bool_)
    measured = np.flatnonzero(np.isfinite(energy_kwh))
    zero = energy_kwh[measured] == 0
    if not zero.any():
        return glitches
    rows = circuit_row[measured]
    change = np.flatnonzero((np.diff(zero.astype(np.int8)) != 0) | (np.diff(rows) != 0)) + 1
    starts = np.concatenate(([0], change))
    ends = np.concatenate((change, [len(measured)]))
    for start, end in zip(starts, ends, strict=True):
        preceded = start > 0 and rows[start - 1] == rows[start]
        if zero[start] and preceded and end - start <= LONGEST_SAMPLES:
            glitches[measured[start:end]] = True
    return glitches
