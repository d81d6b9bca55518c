"""Which days are alike in a plant, and which may stand in its baseline."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.plant_energy import is_declared
from analytics.detectors.stages import History
from wattwitness.domain.instants import US_PER_DAY, from_us, local_day, to_us
from wattwitness.domain.registry import Alert

LOOK_BACK_DAYS = 70
ALIKE = 0.15  # relative difference of medians below which two weekdays are one kind of day
WEEKDAYS = 7
_DAY = timedelta(days=1)


def left_out(history: History, alert: Alert) -> set[date]:
    """Local days under another alert or in the day before one, as far as known at issue."""
    zone = history.plant.zone
    found: set[date] = set()
    for other in history.alerts:
        begins = other.response_from - _DAY
        over = other.lifted_at or from_us(history.watermark_us)
        if other.alert_id == alert.alert_id:
            over = max(over, other.response_from)
        day, last = local_day(begins, zone), local_day(over, zone)
        while day <= last:
            found.add(day)
            day += _DAY
    return found


def candidate_days(history: History, alert: Alert) -> list[date]:
    """Whole local days before an alert was issued that may stand in its baseline, oldest first.

    Without earlier alert days, the 24 h before any response, and declared days.
    """
    zone = history.plant.zone
    last = local_day(from_us(to_us(alert.issued_at)), zone) - _DAY
    barred = left_out(history, alert)
    first_us = min(history.first_us.values(), default=None)
    if first_us is None:
        return []
    first = max(local_day(from_us(first_us + US_PER_DAY - 1), zone), last - LOOK_BACK_DAYS * _DAY)
    days = [first + n * _DAY for n in range((last - first).days + 1)]
    return [d for d in days if d not in barred and not is_declared(history.plant, d)]


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= ALIKE * max(one, other, 1e-9)


def weekday_kinds(ordinals: Sequence[int], level: NDArray[np.float64]) -> tuple[int, ...]:
    """Kind of day of each weekday, Monday first.

    Monday to Friday are one kind. Saturday and Sunday each belong to it where the plant works
    through them, else together if they are alike, else each is its own.

    Args:
        ordinals: of local days (`date.toordinal`) [n].
        level: how much was done on each, in any unit; NaN = not known [n].
    """
    weekday = (np.array(ordinals, dtype=np.int64) + 6) % WEEKDAYS
    known = np.isfinite(level)
    work = _median(level[known & (weekday < 5)])
    saturday, sunday = (_median(level[known & (weekday == day)]) for day in (5, 6))
    kinds = [0] * WEEKDAYS
    if np.isfinite(saturday) and np.isfinite(work) and not _alike(saturday, work):
        kinds[5] = 1
    if np.isfinite(sunday) and np.isfinite(work) and not _alike(sunday, work):
        kinds[6] = 1 if kinds[5] and _alike(saturday, sunday) else 2
    return tuple(kinds)
