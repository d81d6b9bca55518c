"""Minimum dwell, on production only.

A press that is jogged for a minute has not taken up production. The same smoothing on treatment
would delete short fan runs and so invent episodes: treatment is never touched.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.states.hysteresis import StateGrid
from wattwitness.domain.registry import Role
from wattwitness.domain.states import State

DWELL_MIN = 3
PRODUCTION_ROLES = (Role.PRODUCTION, Role.COMBINED)


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
    for row, role in enumerate(roles):
        if role not in PRODUCTION_ROLES:
            continue
        line = states[row]
        for start, end in runs(line == State.RUNNING):
            inner = start > 0 and end < len(line)
            if (
                inner
                and end - start < DWELL_MIN
                and line[start - 1] != State.UNKNOWN
                and line[end] != State.UNKNOWN
            ):
                result[row, start:end] = State.STANDBY
    return result
