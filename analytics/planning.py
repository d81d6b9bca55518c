"""Which days a change touches. Pure: days in, days out."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from analytics.states.histograms import EARLY_DAYS, WINDOW_DAYS, window
from wattwitness.domain.instants import days_between

_DAY = timedelta(days=1)
PIECE_DAYS = 7  # how many days are in memory at a time; 20 circuits, minute by minute: 22 MB


def days_to_judge(
    dirty: Iterable[date], data_days: Sequence[date], watermark_day: date
) -> list[date]:
    """Days whose grid or context changed.

    A dirty day, the day after it (which it warms up), and the silent days before it back to the
    last day with readings (on which all was expected and nothing came).

    Args:
        dirty: days whose readings changed.
        data_days: the enterprise's days with readings, ascending.
        watermark_day: newest local day of the whole store; nothing later is judged.
    """
    if not data_days:
        return []
    found: set[date] = set()
    for day in dirty:
        found |= {day, day + _DAY}
        place = bisect_left(data_days, day)
        if place > 0:
            found.update(days_between(data_days[place - 1] + _DAY, day))
    return sorted(d for d in found if data_days[0] <= d <= watermark_day)


def trailing_days(data_days: Sequence[date], watermark_day: date) -> list[date]:
    """The enterprise's last day with readings and all silent days since, to the watermark."""
    return days_between(data_days[-1], watermark_day) if data_days else []


def days_resting_on(
    changed: Sequence[date], data_days: Sequence[date], first_day: date
) -> set[date]:
    """Days whose thresholds may differ because histograms of `changed` days did.

    Args:
        changed: days with new histograms, ascending.
        data_days: the enterprise's days with readings, ascending.
        first_day: the circuit's first day with readings.
    """
    found: set[date] = set()
    starts = [first_day]
    if first_day in changed:  # what was first before this change had the early window
        fresh = set(changed)
        starts += [d for d in data_days if d > first_day and d not in fresh][:1]
        starts += [d for d in data_days if d in fresh]
    for day in changed:
        found.update(days_between(day, day + (WINDOW_DAYS - 1) * _DAY))
    for start in starts:
        early = days_between(start, start + (EARLY_DAYS - 1) * _DAY)
        if start != first_day or any(d in early for d in changed):
            found.update(early)
    return found


def window_span(days: Iterable[date], first_days: Mapping[str, date]) -> tuple[date, date] | None:
    """First and last day of all histograms that the thresholds of these days may rest on."""
    windows = [window(day, first) for day in days for first in first_days.values() if day >= first]
    if not windows:
        return None
    return min(w[0] for w in windows), max(w[1] for w in windows)


def pieces(days: Sequence[date]) -> list[tuple[date, ...]]:
    """Runs of neighbouring days, cut to what is read at a time."""
    found: list[list[date]] = []
    for day in sorted(days):
        if found and day - found[-1][-1] == _DAY and len(found[-1]) < PIECE_DAYS:
            found[-1].append(day)
        else:
            found.append([day])
    return [tuple(piece) for piece in found]
