"""Effective transmission rate (有效传输率): expected, received, valid and in-time slots of a day.

A slot is one reading interval of the gateway. Slots inside an accepted declaration leave both the
numerator and the denominator, so that what a declared stop sends cannot hide what is lost beside
it. Rates of the ministry's kind (received ÷ expected, valid ÷ received) are in `DayQuality`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.plants import Interval
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.readings import NEVER, Readings

LATE_AFTER_US = 10 * US_PER_MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySlots:
    """The slots of one circuit on one local day."""

    circuit_id: str
    day: date
    bounds: Interval  # of the local day
    interval_us: int
    first_us: int | None  # the circuit's first reading ever; None = it never sent
    watermark_us: int  # newest data time of the whole store
    declared: Sequence[Interval] = ()

    def expected(self) -> NDArray[np.int64]:
        """Slot numbers since 1970 that should hold a reading, ascending."""
        if self.first_us is None:
            return np.empty(0, dtype=np.int64)
        begin = max(-(-self.bounds[0] // self.interval_us), self.first_us // self.interval_us)
        end = min(-(-self.bounds[1] // self.interval_us), self.watermark_us // self.interval_us + 1)
        slots = np.arange(begin, max(begin, end), dtype=np.int64)
        starts = slots * self.interval_us
        for from_us, to_us in self.declared:
            keep = (starts < from_us) | (starts >= to_us)
            slots, starts = slots[keep], starts[keep]
        return slots


def day_quality(slots: DaySlots, rows: Readings, invalid: NDArray[np.bool_]) -> DayQuality:
    """Count the slots of one circuit and day.

    Args:
        slots: what is expected.
        rows: the circuit's readings of that day, any order [n].
        invalid: marks of those readings [n].
    """
    expected = slots.expected()
    slot = rows["ts"] // slots.interval_us
    counted = np.isin(slot, expected)
    valid = counted & ~invalid
    known = rows["received_at"] != NEVER
    lag_us = np.where(known, rows["received_at"] - np.where(known, rows["ts"], 0), 0)
    # a reading that says nothing about its receipt is not held against anybody
    prompt = ~rows["resent"] & (lag_us <= slots.interval_us + LATE_AFTER_US)
    return DayQuality(
        circuit_id=slots.circuit_id,
        day=slots.day,
        expected=len(expected),
        received=len(np.unique(slot[counted])),
        valid=len(np.unique(slot[valid])),
        in_time=len(np.unique(slot[valid & prompt])) if known.any() else None,
    )
