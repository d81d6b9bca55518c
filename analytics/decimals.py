"""Rounding to millionths, exactly as `round(x, 6)` does, many numbers at a time."""

import numpy as np
from numpy.typing import NDArray

DIGITS = 6
_SCALE = 10.0**DIGITS
_EXACT = 2.0**40  # up to here, in millionths, a product is off by far less than _NEAR
_NEAR = 1e-3  # so close to the middle of two millionths the decimal digits themselves decide


def rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers to the nearest millionth.

    A whole number of millionths over a million is the float that its decimal digits say, for both
    are exact and the division is rounded once; and which whole number is nearest is in doubt only
    around the middle of two.

    Args:
        values: any shape; NaN and infinity stay.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * _SCALE
        whole = np.rint(scaled)
        found: NDArray[np.float64] = whole / _SCALE
        sure = (np.abs(np.abs(scaled - whole) - 0.5) > _NEAR) & (np.abs(scaled) < _EXACT)
    for at in np.flatnonzero(~sure).tolist():
        found.flat[at] = round(float(values.flat[at]), DIGITS)
    return found
