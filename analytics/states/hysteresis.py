"""Two-threshold hysteresis, vectorised over circuits.

Each minute writes a key (its index, and whether it was above or below); the running maximum of the
keys is the last word spoken. Equal to the scalar loop, minute by minute.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from wattwitness.domain.states import State, Thresholds

StateGrid = NDArray[np.int8]
"""`State` per circuit and minute [circuits, minutes]."""


def hold(
    power: Power, enter_kw: NDArray[np.float64], release_kw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each circuit is "up": from `enter` on, until below `release`.

    Before the first minute outside the dead band, the geometric middle of the band decides.
    Unknown minutes keep the state (callers mask them).

    Args:
        power: kW, NaN = unknown [n, minutes].
        enter_kw: at or above goes up [n].
        release_kw: below goes down [n].
    """
    minutes = np.arange(1, power.shape[1] + 1, dtype=np.int64)[np.newaxis, :]
    up = power >= enter_kw[:, np.newaxis]
    down = power < release_kw[:, np.newaxis]
    key = np.maximum.accumulate(np.where(up, 2 * minutes + 1, np.where(down, 2 * minutes, 0)), 1)
    middle = np.sqrt(enter_kw * release_kw)[:, np.newaxis]
    answer: NDArray[np.bool_] = np.where(key == 0, power >= middle, key % 2 == 1)
    return answer


def classify(power: Power, thresholds: list[Thresholds]) -> StateGrid:
    """States of all circuits, minute by minute.

    Args:
        power: kW, NaN = unknown [n, minutes].
        thresholds: of each circuit [n]; a missing class is NaN. Without a running threshold
            energised minutes are unknown; without any, all are.
    """
    column = {
        name: np.array([getattr(t, name) for t in thresholds], dtype=np.float64)
        for name in ("standby_kw", "standby_release_kw", "running_kw", "running_release_kw")
    }
    running = hold(power, column["running_kw"], column["running_release_kw"])
    energised = hold(power, column["standby_kw"], column["standby_release_kw"]) | running
    can_run = np.isfinite(column["running_kw"])[:, np.newaxis]
    can_idle = np.isfinite(column["standby_kw"])[:, np.newaxis]
    up = np.where(can_run, np.where(running, State.RUNNING, State.STANDBY), State.UNKNOWN)
    states = np.where(energised, up, State.OFF)
    known = np.isfinite(power) & can_idle
    return np.where(known, states, State.UNKNOWN).astype(np.int8)
