"""Which readings of a message are refused: by physics (`domain.bounds`) and by the calendar."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.bounds import outside
from wattwitness.domain.instants import US_PER_DAY, US_PER_SECOND, to_us
from wattwitness.domain.readings import Readings
from wattwitness.domain.rejects import RejectCode
from wattwitness.runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Calendar:
    """Device times that are taken in: from `keep_from_us` to `tolerance_us` after receipt.

    With `keep_days`, nothing from before the whole UTC days that are kept, seen from the receipt.
    """

    keep_from_us: int
    tolerance_us: int
    keep_days: int = 0  # 0 = for ever

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The calendar as set."""
        tolerance_us = settings.future_tolerance_s * US_PER_SECOND
        return cls(to_us(settings.keep_from), tolerance_us, settings.keep_raw_days)


def refusals(
    rows: Readings, limit_kw: NDArray[np.float64], calendar: Calendar
) -> dict[int, tuple[RejectCode, str]]:
    """Row number → why it is refused; rows that are not named are good.

    Args:
        rows: readings [n] with `received_at` set.
        limit_kw: each row's power limit [n].
        calendar: device times that are taken in.
    """
    found: dict[int, tuple[RejectCode, str]] = {}
    for k, name in outside(rows, limit_kw):
        text = f"{name} {rows[name][k]:.6g} is beyond what this circuit can have"
        found[k] = (RejectCode.IMPOSSIBLE, text)
    ahead_us = rows["ts"] - rows["received_at"]
    for k in np.flatnonzero(ahead_us > calendar.tolerance_us).tolist():
        text = f"{ahead_us[k] // US_PER_SECOND} s ahead of its receipt"
        found[k] = (RejectCode.TS_FUTURE, text)
    kept_from_us = np.full(len(rows), calendar.keep_from_us)
    if calendar.keep_days:
        days = rows["received_at"] // US_PER_DAY - calendar.keep_days
        kept_from_us = np.maximum(kept_from_us, days * US_PER_DAY)
    for k in np.flatnonzero(rows["ts"] < kept_from_us).tolist():
        found[k] = (RejectCode.TS_PAST, "before the first instant that is kept")
    return found
