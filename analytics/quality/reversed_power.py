"""Negative power: a current transformer mounted the wrong way round.

The magnitude may be right, but nothing says so: the samples stay out of the states.
"""

import numpy as np
from numpy.typing import NDArray

NOISE_SHARE_OF_RATED = 0.005
NOISE_KW = 0.02


def reversed_power(
    power_kw: NDArray[np.float64],
    rated_kw: NDArray[np.float64],
    resolution_kw: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Mark power that is negative beyond what noise around zero explains.

    Args:
        power_kw: power [kW], NaN = not measured [n].
        rated_kw: nameplate per sample, NaN = not known [n].
        resolution_kw: power step per sample [n].

    Returns:
        True = reversed [n].
    """
    noise = np.fmax(np.fmax(NOISE_SHARE_OF_RATED * rated_kw, resolution_kw), NOISE_KW)
    reversed_: NDArray[np.bool_] = power_kw < -noise
    return reversed_
