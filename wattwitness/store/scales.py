"""Scaled integers: how a reading's physical values become counts, and back.

Integers compress better than floats and sum faster; they are scaled after aggregation, never
before (docs/decisions/0001).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.readings import Readings

STORED: Final[Mapping[str, tuple[str, str, int]]] = {
    "p_kw": ("p", ">i4", 1000),  # W
    "e_kwh": ("e", ">i8", 1000),  # Wh
    "q_kvar": ("q", ">i4", 1000),  # var
    **{name: (name, ">i4", 10) for name in ("u_a", "u_b", "u_c")},  # 0.1 V
    **{name: (name, ">i4", 100) for name in ("i_a", "i_b", "i_c")},  # 0.01 A
    "pf": ("pf", ">i2", 10_000),  # 0.0001
}
"""Measurand → column of the readings table, its big-endian type, counts per physical unit."""


def to_counts(rows: Readings) -> dict[str, NDArray[np.int64]]:
    """Measurand → counts [n]; 0 where it was not measured (the caller keeps the NULL mask)."""
    return {
        name: np.rint(np.nan_to_num(rows[name]) * scale).astype(np.int64)
        for name, (_, _, scale) in STORED.items()
    }
