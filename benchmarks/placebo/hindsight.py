"""What a plant really did in a window, by its own year: nothing of the engine goes in here.

Power by quarter-hour, straight from the readings. "Usual" is the median of the same clock window
moved by one to five weeks both ways: the future is known here, as no engine can know it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analytics.plants import Plant
from wattwitness.domain.instants import to_us
from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import MeasureAction, Role

QUARTER_US = 900_000_000
WEEK = 7 * 96
WEEKS = (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)
LEAST_WEEKS = 4
BUSY_SHARE = 0.1  # of the power that the plant exceeds in one quarter-hour of a hundred
ALLOWED_QUARTERS = 1.4  # 20 minutes
LOW, NOT_CUT = 0.05, 0.7  # share of the cut that was missed, as in the contract
NOT_STOPPED = 0.6  # share of the usual quarter-hours


class Deed(StrEnum):
    """What happened, with nobody having ordered anything."""

    NOT_CUT = "did not cut"
    BETWEEN = "used somewhat less"
    LOW = "was as low as ordered"
    UNKNOWN = "no telling"
    FOLLOWED = "as if it had followed"


@dataclass(frozen=True, eq=False)
class Quarters:
    """Mean power of a plant by quarter-hour."""

    start_us: int
    kw: NDArray[np.float64]  # [n]; NaN = not known

    def place(self, at: datetime) -> int:
        """Index of the quarter-hour that begins at or after an instant."""
        return -((self.start_us - to_us(at)) // QUARTER_US)

    def window(self, begin: int, end: int) -> NDArray[np.float64] | None:
        """Power over [begin, end); None where not all of it is known."""
        if begin < 0 or end > self.kw.size:
            return None
        part = self.kw[begin:end]
        return None if np.isnan(part).any() else part


def quarters_of(plant: Plant, rows: Readings) -> Quarters:
    """Power of production and combined circuits together; of the main meters without any.

    A reading of a meter that is read every few minutes stands for the time before it.
    """
    made = [n for n, c in enumerate(plant.circuits) if c.role in {Role.PRODUCTION, Role.COMBINED}]
    chosen = made or plant.rows_of(Role.MAIN)
    start = int(rows["ts"].min()) // QUARTER_US * QUARTER_US
    length = int(rows["ts"].max() - start) // QUARTER_US + 1
    total = np.zeros(length)
    for row in chosen:
        own = rows[rows["circuit"] == plant.keys[row]]
        back = plant.interval_us[row] if plant.intervals_s[row] > 60 else 0
        place = (own["ts"] - back - start) // QUARTER_US
        use = (place >= 0) & np.isfinite(own["p_kw"])
        sums = np.bincount(place[use], weights=own["p_kw"][use], minlength=length)
        counts = np.bincount(place[use], minlength=length)
        total += np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)[:length]
    return Quarters(start, total)


def deed(
    quarters: Quarters, begin: int, end: int, action: MeasureAction, limit_share: float
) -> Deed:
    """What the plant did in [begin, end) in view of an order that nobody gave.

    Args:
        quarters: of the plant.
        begin: first quarter-hour.
        end: after the last one.
        action: stop or limit.
        limit_share: of a limit, what would still be allowed.
    """
    used = quarters.window(begin, end)
    weeks = [quarters.window(begin + w * WEEK, end + w * WEEK) for w in WEEKS]
    known = [week for week in weeks if week is not None]
    if used is None or len(known) < LEAST_WEEKS:
        return Deed.UNKNOWN
    if action is MeasureAction.STOP:
        floor = BUSY_SHARE * float(np.nanquantile(quarters.kw, 0.99))
        busy = float((used > floor).sum())
        usual = float(np.median([(week > floor).sum() for week in known]))
        if busy <= ALLOWED_QUARTERS:
            return Deed.LOW
        return Deed.NOT_CUT if busy >= NOT_STOPPED * usual else Deed.BETWEEN
    usual = float(np.median([week.sum() for week in known]))
    allowed = limit_share * usual
    missed = (float(used.sum()) - allowed) / max(usual - allowed, 1e-9)
    if missed <= LOW:
        return Deed.LOW
    return Deed.NOT_CUT if missed >= NOT_CUT else Deed.BETWEEN
