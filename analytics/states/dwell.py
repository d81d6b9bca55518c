"""Minimum dwell, on production only.

A press that is jogged for a minute has not taken up production. The same smoothing on treatment
would delete short fan runs and so invent episodes: treatment is never touched.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.states.hysteresis import RUNNING, STANDBY, UNKNOWN, StateGrid
from analytics.states.runs import runs_of

DWELL_MIN = 3


def production_dwell(states: StateGrid, produces: NDArray[np.bool_]) -> StateGrid:
    """Turn production that runs for less than three minutes into standby.

    Runs that touch the edge of the grid or an unknown minute stay: how long they last is not
    known.

    Args:
        states: [circuits, minutes].
        produces: which rows are production [circuits].
    """
    result, ran = states.copy(), runs_of(states == RUNNING)
    short = (ran.end - ran.start < DWELL_MIN) & (ran.start > 0) & (ran.end < states.shape[1])
    for k in np.flatnonzero(short).tolist():
        row, start, end = ran.row[k], ran.start[k], ran.end[k]
        seen = states[row, start - 1] != UNKNOWN and states[row, end] != UNKNOWN
        if seen and produces[row]:
            result[row, start:end] = STANDBY
    return result
