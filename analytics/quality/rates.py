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
from wattwitness.domain.readings import NEVER

LATE_AFTER_US = 10 * US_PER_MINUTE


def slot_span(
    bounds: Interval,
    interval_us: NDArray[np.int64],
    first_us: NDArray[np.int64],
    watermark_us: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First slot since 1970 that should hold a reading, and the one after the last [circuits].

    Args:
        bounds: of the local day.
        interval_us: reading interval of each circuit [circuits].
        first_us: first reading ever of each circuit [circuits].
        watermark_us: newest data time of the whole store.
    """
    begin = np.maximum(-(-bounds[0] // interval_us), first_us // interval_us)
    end = np.minimum(-(-bounds[1] // interval_us), watermark_us // interval_us + 1)
    return begin, np.maximum(begin, end)


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

    def span(self) -> Interval:
        """First slot number since 1970 that should hold a reading, and the one after the last."""
        if self.first_us is None:
            return 0, 0
        interval_us, first_us = np.array([self.interval_us]), np.array([self.first_us])
        begin, end = slot_span(self.bounds, interval_us, first_us, self.watermark_us)
        return int(begin[0]), int(end[0])

    def expects(self, slot: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether slots should hold a reading.

        Args:
            slot: slot numbers since 1970 [n].
        """
        begin, end = self.span()
        starts = slot * self.interval_us
        asked: NDArray[np.bool_] = (slot >= begin) & (slot < end)
        for from_us, to_us in self.declared:
            asked &= (starts < from_us) | (starts >= to_us)
        return asked


def day_quality(
    slots: DaySlots,
    ts: NDArray[np.int64],
    received_at: NDArray[np.int64],
    resent: NDArray[np.bool_],
    invalid: NDArray[np.bool_],
) -> DayQuality:
    """Count the slots of one circuit and day.

    Args:
        slots: what is expected.
        ts: of the circuit's readings of that day, ascending [µs, n].
        received_at: when they were received, NEVER = not known [µs, n].
        resent: whether the gateway says that they are [n].
        invalid: marks of those readings [n].
    """
    slot = ts // slots.interval_us
    counted = slots.expects(slot)
    valid = counted & ~invalid
    known = received_at != NEVER
    lag_us = np.where(known, received_at - np.where(known, ts, 0), 0)
    # a reading that says nothing about its receipt is not held against anybody
    prompt = ~resent & (lag_us <= slots.interval_us + LATE_AFTER_US)
    return DayQuality(
        circuit_id=slots.circuit_id,
        day=slots.day,
        expected=int(np.count_nonzero(slots.expects(np.arange(*slots.span())))),
        received=_distinct(slot[counted]),
        valid=_distinct(slot[valid]),
        in_time=_distinct(slot[valid & prompt]) if known.any() else None,
    )


def _distinct(ascending: NDArray[np.int64]) -> int:
    """How many different numbers."""
    return int(np.count_nonzero(np.diff(ascending))) + min(1, len(ascending))
