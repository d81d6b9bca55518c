"""Judged time: which minutes of which circuits count, cut at declarations and midnights."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.baselines.horizons import DayPart
from analytics.plants import Interval
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.orders import Order, Plan, forbidden, without
from wattwitness.domain.instants import (
    US_PER_MINUTE,
    day_bounds,
    from_us,
    local_day,
    to_us,
)

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Segment:
    """A window in which some of an order's circuits are judged."""

    from_us: int
    to_us: int
    places: tuple[int, ...]  # among the order's rows


def segments_of(plan: Plan, order: Order, from_us_: int, to_us_: int) -> list[Segment]:
    """Windows of [from, to) that an order judges, without what is declared, in time."""
    windows = forbidden(order, from_us_, to_us_, plan.plant)
    every = tuple(range(len(order.rows)))
    if not any(row in plan.declared for row in order.rows):
        return [Segment(a, b, every) for a, b in windows]
    open_windows = [without(windows, plan.declared.get(row, ())) for row in order.rows]
    edges = sorted({us for own in open_windows for window in own for us in window})
    found = []
    for begin, end in pairwise(edges):
        places = tuple(n for n in every if _inside(open_windows[n], begin))
        if places:
            found.append(Segment(begin, end, places))
    return found


def _inside(windows: Sequence[Interval], us: int) -> bool:
    return any(a <= us < b for a, b in windows)


@lru_cache(maxsize=4096)
def local_day_us(day: date, zone: ZoneInfo) -> Interval:
    """[from, to) of a local day [µs]."""
    begin, end = day_bounds(day, zone)
    return to_us(begin), to_us(end)


def day_parts(plan: Plan, segments: Sequence[Segment]) -> list[DayPart]:
    """Segments, cut at local midnights."""
    zone = plan.plant.zone
    found = []
    for segment in segments:
        at = segment.from_us
        while at < segment.to_us:
            day = local_day(from_us(at), zone)
            begin, end = local_day_us(day, zone)
            until = min(end, segment.to_us)
            found.append(
                DayPart(
                    day.toordinal(),
                    (at - begin) / US_PER_MINUTE,
                    min(1440.0, (until - begin) / US_PER_MINUTE),
                    segment.places,
                )
            )
            at = until
    return [part for part in found if part.to_min > part.from_min]


@dataclass(frozen=True, slots=True)
class Tally:
    """Minutes and energy of an order's circuits over its segments [rows]."""

    span_min: NDArray[np.float64]  # judged
    running_min: NDArray[np.float64]  # known to run
    known_min: NDArray[np.float64]  # known if they ran
    energy_kwh: NDArray[np.float64]  # of the minutes whose energy is known
    energy_min: NDArray[np.float64]  # these

    @property
    def unknown_min(self) -> NDArray[np.float64]:
        """Minutes that could have been running."""
        return np.asarray(self.span_min - self.known_min)

    @property
    def coverage(self) -> float:
        """Share of the judged minutes of which it is known if they ran."""
        return float(self.known_min.sum() / max(1.0, self.span_min.sum()))


def tally_of(conduct: Conduct, order: Order, segments: Sequence[Segment]) -> Tally:
    """Add up what an order's circuits did in its segments."""
    total = np.zeros((5, len(order.rows)))
    for segment in segments:
        places = list(segment.places)
        rows = [order.rows[place] for place in places]
        # what the conduct does not reach is judged time all the same, and not known
        total[0, places] += (segment.to_us - segment.from_us) // US_PER_MINUTE
        found = conduct.sums(segment.from_us, segment.to_us)
        total[1, places] += found.running_min[rows]
        total[2, places] += found.known_min[rows]
        total[3, places] += found.energy_kwh[rows]
        total[4, places] += found.energy_min[rows]
    return Tally(*total)
