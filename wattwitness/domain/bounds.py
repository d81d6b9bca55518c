"""What a reading of a circuit can be at all: physics, generously.

Only what no meter and no plant can produce is outside. A spike, a momentary 0, a negative power
from a reversed current transformer are strange, but they are what the meter said: they are stored,
and judged later. Every limit fits into the counts of the store.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.readings import MEASURANDS, Readings
from wattwitness.domain.registry import Circuit

LEAST_POWER_LIMIT_KW: Final = 1e6
MOST_POWER_LIMIT_KW: Final = 2e6
RATED_FACTOR: Final = 10.0
LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "e_kwh": (-1e12, 1e12),
    **dict.fromkeys(("u_a", "u_b", "u_c"), (0.0, 1e6)),
    **dict.fromkeys(("i_a", "i_b", "i_c"), (-1e6, 1e6)),
    "pf": (-1.005, 1.005),  # the meter rounds
}
"""Measurand → lowest and highest value (kWh, V, A, 1); power has a limit of its circuit's own."""


def power_limit_kw(circuit: Circuit) -> float:
    """The power beyond which a reading of this circuit cannot be true [kW, kvar]."""
    rated = RATED_FACTOR * (circuit.rated_kw or 0.0)
    return min(max(rated, LEAST_POWER_LIMIT_KW), MOST_POWER_LIMIT_KW)


def outside(rows: Readings, limit_kw: NDArray[np.float64]) -> Iterator[tuple[int, str]]:
    """(row, measurand) of every value that cannot be; NaN = not measured is never outside.

    Args:
        rows: readings [n].
        limit_kw: each row's power limit [n].
    """
    for name in MEASURANDS:
        values = rows[name]
        if np.isnan(values).all():
            continue
        if name in LIMITS:
            low, high = LIMITS[name]
            beyond = (values < low) | (values > high)
        else:
            beyond = np.abs(values) > limit_kw
        for row in np.flatnonzero(beyond).tolist():
            yield row, name
