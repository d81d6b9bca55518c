"""The end of a day, as the day after it has to know it.

How things stood at midnight rests on the day before: whether each circuit was up or down
(hysteresis), since when production and treatment ran, paused, or were late. So little of it matters
that it is kept with the day's results, and nobody reads the day again:

    the last minutes, as many as any condition over midnight looks back;
    of those before, looking back from there, each minute that is higher or lower than all after it.

Whatever the thresholds will be, the last minute at or above one of them is the highest since, and
the last one below one of them the lowest since. So states after midnight are those that the whole
day before would give.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.grid import Power
from analytics.pairing.edges import HOLE_MIN, LONGEST_MIN, REST_MIN
from analytics.plants import Plant
from analytics.states.dwell import DWELL_MIN
from wattwitness.domain.instants import US_PER_MINUTE

KIND = "day_end"  # per circuit: kW of the minutes that matter, oldest first, of any length
KEPT_DAYS = 7
"""For so many days before the newest one ends are kept; what is later reads the day again."""
# An edge is told when treatment follows at the latest, after a rest; at its far end holes are
# closed and short runs are smoothed.
_EDGE_MIN = LONGEST_MIN + 2 * REST_MIN + HOLE_MIN + DWELL_MIN


def last_minutes(plant: Plant) -> int:
    """How many minutes before midnight are kept as they are."""
    lead_min = max((int(p.lead_min) for p in plant.pairings), default=0)
    interval_min = int(plant.interval_us.max(initial=0)) // US_PER_MINUTE
    return max(_EDGE_MIN + lead_min, interval_min + DWELL_MIN)


def day_end(power: Power, minutes: int) -> tuple[NDArray[np.float32], ...]:
    """What is kept of a day, circuit by circuit.

    Args:
        power: of the day [circuits, minutes].
        minutes: `last_minutes` of the plant.
    """
    cut = max(0, power.shape[1] - minutes)
    kept = np.ones(power.shape, dtype=np.bool_)
    back = power[:, :cut][:, ::-1]
    kept[:, :cut] = (_records(back, np.fmax) | _records(back, np.fmin))[:, ::-1]
    ends = np.cumsum(np.count_nonzero(kept, axis=1)).tolist()
    values = power[kept]
    return tuple(values[begin:end] for begin, end in pairwise((0, *ends)))


def _records(values: Power, extreme: np.ufunc) -> NDArray[np.bool_]:
    """Minutes that differ from the extreme of all before them; unknown ones never do."""
    best = extreme.accumulate(values, axis=1)  # NaN until the first known one
    found: NDArray[np.bool_] = ~np.isnan(best)
    found[:, 1:] &= best[:, 1:] != best[:, :-1]
    return found


def laid_out(ends: Sequence[NDArray[np.float32]]) -> Power:
    """Kept ends as minutes up to midnight, unknown where others are longer [circuits, minutes]."""
    longest = max(map(len, ends), default=0)
    found = np.full((len(ends), longest), np.nan, dtype=np.float32)
    for row, own in zip(found, ends, strict=True):
        row[longest - len(own) :] = own
    return found


def nothing_known(plant: Plant) -> Power:
    """The end of a day without readings."""
    return np.full((len(plant.circuits), last_minutes(plant)), np.nan, dtype=np.float32)
