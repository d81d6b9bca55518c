"""Two-threshold hysteresis, vectorised over circuits.

A minute outside the dead band says where the circuit is; one inside it, or unknown, repeats the
last word spoken. Equal to the scalar loop, minute by minute.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from wattwitness.domain.states import State, Thresholds

StateGrid = NDArray[np.int8]
"""`State` per circuit and minute [circuits, minutes]."""


def _edge(power: Power, kw: NDArray[np.float64]) -> NDArray[np.floating]:
    """Levels in the type of the power, rounded up: `power >= level` stays what it was [n, 1]."""
    edge = kw.astype(power.dtype)
    with np.errstate(invalid="ignore"):
        edge = np.where(edge < kw, np.nextafter(edge, np.inf, dtype=edge.dtype), edge)
    return np.asarray(edge[:, np.newaxis])


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
    up: NDArray[np.bool_] = power >= _edge(power, enter_kw)
    silent = np.flatnonzero(~(up | (power < _edge(power, release_kw))))
    if not len(silent):
        return up
    # minutes that say nothing, in stretches; a stretch repeats the minute before it
    minutes = power.shape[1]
    begins = (np.diff(silent, prepend=-2) != 1) | (silent % minutes == 0)
    start = silent[begins][np.cumsum(begins) - 1]
    middle = _edge(power, np.sqrt(enter_kw * release_kw)).ravel()[silent // minutes]
    flat = up.ravel()
    flat[silent] = np.where(start % minutes == 0, power.ravel()[silent] >= middle, flat[start - 1])
    return flat.reshape(up.shape)


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
    energised = hold(power, column["standby_kw"], column["standby_release_kw"])
    return named(power, running, energised, column["standby_kw"], column["running_kw"])


def named(
    power: Power,
    running: NDArray[np.bool_],
    energised: NDArray[np.bool_],
    standby_kw: NDArray[np.float64],
    running_kw: NDArray[np.float64],
) -> StateGrid:
    """States from the two hystereses [n, minutes]; a class that a circuit lacks is NaN [n]."""
    up = energised | running
    states = up.astype(np.int8)  # OFF, STANDBY, RUNNING follow each other
    states += running.view(np.int8)
    states += np.int8(State.OFF)
    for row in np.flatnonzero(~np.isfinite(running_kw)).tolist():
        states[row, up[row]] = State.UNKNOWN
    states[~np.isfinite(standby_kw)] = State.UNKNOWN
    states *= np.isfinite(power).view(np.int8)  # UNKNOWN is 0
    return states
