"""Readings as columns: one structured array, in physical units, NaN = not measured.

A row is one sample of one circuit. Arrays carry the circuit's integer key, not its text id.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MEASURANDS: Final = ("p_kw", "e_kwh", "q_kvar", "u_a", "u_b", "u_c", "i_a", "i_b", "i_c", "pf")
"""Columns of a reading: kW, kWh, kvar, V ×3, A ×3, 1."""

READING_DTYPE: Final = np.dtype(
    [
        ("circuit", "<i4"),  # integer key of the registry
        ("ts", "<i8"),  # device time, µs since 1970 UTC
        *[(name, "<f8") for name in MEASURANDS],
        ("received_at", "<i8"),  # receipt time, µs; NEVER = unknown
        ("resent", "?"),  # the gateway says it is back-fill (补传)
    ]
)
NEVER: Final = np.iinfo(np.int64).min
"""`received_at` of a reading whose receipt time is not known."""

Readings = NDArray[np.void]
"""A one-dimensional array of READING_DTYPE."""


def empty_readings(n: int = 0) -> Readings:
    """`n` rows in which nothing was measured and nothing is known about receipt."""
    rows = np.zeros(n, dtype=READING_DTYPE)
    for name in MEASURANDS:
        rows[name] = np.nan
    rows["received_at"] = NEVER
    return rows


def sort_readings(rows: Readings) -> Readings:
    """A copy in (circuit, ts) order; equal keys keep their order of arrival."""
    return rows[np.lexsort((rows["ts"], rows["circuit"]))]
