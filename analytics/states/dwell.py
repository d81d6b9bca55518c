"""Minimum dwell, on production only.

A press that is jogged for a minute has not taken up production. The same smoothing on treatment
would delete short fan runs and so invent episodes: treatment is never touched.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.states.hysteresis import StateGrid
from wattwitness.domain.registry import PRODUCTION_ROLES, Role
from wattwitness.domain.states import State

DWELL_MIN = 3


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[start, end) of each run of True in a one-dimensional mask."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def production_dwell(states: StateGrid, roles: list[Role]) -> StateGrid:
    """Turn production that runs for less than three minutes into standby.

    Runs that touch the edge of the grid or an unknown minute stay: how long they last is not
    known.

    Args:
        states: [circuits, minutes].
        roles: of each row.
    """
    result = states.copy()
    rows = np.array([n for n, role in enumerate(roles) if role in PRODUCTION_ROLES], dtype=np.intp)
    if not len(rows) or not states.shape[1]:
        return result
    change = np.zeros((len(rows), states.shape[1] + 1), dtype=np.int8)
    running = (states[rows] == State.RUNNING).view(np.int8)
    change[:, :-1] = running
    change[:, 1:] -= running
    row, starts = np.divmod(np.flatnonzero(change == 1), change.shape[1])
    ends = np.flatnonzero(change == -1) % change.shape[1]  # in the same order
    short = (ends - starts < DWELL_MIN) & (starts > 0) & (ends < states.shape[1])
    for n, start, end in zip(rows[row[short]], starts[short], ends[short], strict=True):
        if states[n, start - 1] != State.UNKNOWN and states[n, end] != State.UNKNOWN:
            result[n, start:end] = State.STANDBY
    return result
