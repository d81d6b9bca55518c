"""Two-threshold hysteresis, vectorised over circuits.

A minute outside the dead band says where the circuit is; one inside it, or unknown, repeats the
last word spoken. Equal to the scalar loop, minute by minute.
"""

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from wattwitness.domain.states import State, Thresholds

StateGrid = NDArray[np.int8]
"""`State` per circuit and minute [circuits, minutes]."""

# as a grid carries them: comparing with a member of an enumeration takes several times as long
UNKNOWN, OFF, STANDBY, RUNNING = (np.int8(state) for state in State)

_BANDS = attrgetter("running_kw", "standby_kw", "running_release_kw", "standby_release_kw")


def _edge(power: Power, kw: NDArray[np.float64]) -> NDArray[np.floating]:
    """Levels in the type of the power, rounded up: `power >= level` stays what it was [..., n]."""
    edge = kw.astype(power.dtype)
    with np.errstate(invalid="ignore"):
        return np.where(edge < kw, np.nextafter(edge, np.inf, dtype=edge.dtype), edge)


def hold(
    power: Power, enter_kw: NDArray[np.float64], release_kw: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each circuit is "up": from `enter` on, until below `release`.

    Before the first minute outside the dead band, the geometric middle of the band decides.
    Unknown minutes keep the state (callers mask them).

    Args:
        power: kW, NaN = unknown [n, minutes].
        enter_kw: at or above goes up [n], or of several hystereses of each circuit [bands, n].
        release_kw: below goes down, likewise.

    Returns:
        [n, minutes], or [bands, n, minutes].
    """
    enter, release = _edge(power, np.array((enter_kw, release_kw)))[..., np.newaxis]
    up: NDArray[np.bool_] = power >= enter
    told = power < release
    told |= up
    silent = np.flatnonzero(~told)
    if len(silent):
        _repeat_the_last_word(up.reshape(-1), power, silent, np.sqrt(enter_kw * release_kw))
    return up


def _repeat_the_last_word(
    up: NDArray[np.bool_], power: Power, silent: NDArray[np.intp], middle_kw: NDArray[np.float64]
) -> None:
    """Minutes that say nothing, in stretches: a stretch repeats the minute before it.

    Args:
        up: of all circuits, one after the other; changed [(bands × )n × minutes].
        power: of each circuit [n, minutes].
        silent: minutes of `up` that say nothing.
        middle_kw: of the dead bands [n], or [bands, n].
    """
    minutes = power.shape[1]
    begins = np.diff(silent, prepend=-2) != 1
    begins |= silent % minutes == 0
    start = silent[begins][np.cumsum(begins) - 1]
    repeated = up[start - 1]
    first = np.flatnonzero(start % minutes == 0)  # nothing was said before
    if len(first):
        own = silent[first]
        middle = _edge(power, middle_kw).ravel()[own // minutes]
        repeated[first] = power.ravel()[own % power.size] >= middle
    up[silent] = repeated


def classify(power: Power, thresholds: Sequence[Thresholds]) -> StateGrid:
    """States of all circuits, minute by minute.

    Args:
        power: kW, NaN = unknown [n, minutes].
        thresholds: of each circuit [n]; a missing class is NaN. Without a running threshold
            energised minutes are unknown; without any, all are.
    """
    edges = np.array([_BANDS(own) for own in thresholds], dtype=np.float64).reshape(-1, 4).T
    running, energised = hold(power, edges[:2], edges[2:])
    return named(power, running, energised, standby_kw=edges[1], running_kw=edges[0])


def named(
    power: Power,
    running: NDArray[np.bool_],
    energised: NDArray[np.bool_],
    standby_kw: NDArray[np.float64],
    running_kw: NDArray[np.float64],
) -> StateGrid:
    """States from the two hystereses [n, minutes]; a class that a circuit lacks is NaN [n]."""
    up = energised | running
    states = up.view(np.int8) + running.view(np.int8)
    states += OFF  # OFF, STANDBY, RUNNING follow each other
    for row in np.flatnonzero(~np.isfinite(running_kw)).tolist():
        states[row, up[row]] = UNKNOWN
    states[~np.isfinite(standby_kw)] = UNKNOWN
    states *= np.isfinite(power).view(np.int8)  # UNKNOWN is 0
    return states
