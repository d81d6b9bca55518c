"""`treatment_gradual_underrun` (治污负荷逐渐下降): the level of a unit declines from day to day.

Method: the daily median of the unit's ratio to its frozen reference (`pairing.levels`). A hinge
(level until a day, then a straight decline) is fitted for every possible day by least squares; the
best one counts if the decline is large enough, slow enough, and explains the days better than a
single step does. Adaptive references would follow the decline and see nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History
from analytics.episodes.declared import Window, accepted, covers_unit, windows
from analytics.episodes.plain import evidence_of
from analytics.pairing.levels import ROUNDING, Levels, levels_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCKS
from wattwitness.domain.instants import day_bounds
from wattwitness.domain.registry import Pairing
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

KIND = "treatment_gradual_underrun"
LEAST_DAY_BLOCKS = 3
LEAST_DAYS = 4


@dataclass(frozen=True, slots=True)
class Decline:
    """A slow decline of one unit."""

    first: int  # ordinal of the day on which it began
    told: int  # ordinal of the day on which it could be told
    last: int  # ordinal of the last day
    per_day: float  # of the reference level, negative
    ratio: float  # reached at the end

    def expected(self, ordinal: NDArray[np.int64]) -> NDArray[np.float64]:
        """The declining ratio on these days."""
        found: NDArray[np.float64] = 1.0 + self.per_day * np.maximum(0, ordinal - self.first)
        return found


def _daily(levels: Levels) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    enough = np.isfinite(levels.ratio).sum(axis=1) >= LEAST_DAY_BLOCKS
    return levels.day_numbers[enough], _medians(levels.ratio[enough])


def _medians(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the known numbers of each row [rows]; each has some."""
    ordered = np.sort(rows, axis=1)  # what is not known comes last
    count = np.isfinite(rows).sum(axis=1)
    at = np.arange(len(rows))
    lower, upper = ordered[at, (count - 1) // 2], ordered[at, count // 2]
    return np.asarray((lower + upper) / 2.0)


def _hinge(x: NDArray[np.int64], y: NDArray[np.float64]) -> tuple[int, float, float]:
    """(day of the hinge, slope per day, squared error) of the best hinge from 1."""
    best = (int(x[0]), 0.0, float(((y - 1.0) ** 2).sum()))
    for start in x[:-3].tolist():
        run = np.maximum(0, x - start).astype(np.float64)
        slope = float((run * (y - 1.0)).sum() / (run * run).sum())
        error = float(((y - 1.0 - slope * run) ** 2).sum())
        if error < best[2]:
            best = (start, slope, error)
    return best


def _step_error(y: NDArray[np.float64]) -> float:
    """Squared error of the best single step from 1."""
    after = [float(((y[:k] - 1.0) ** 2).sum() + len(y[k:]) * y[k:].var()) for k in range(len(y))]
    return min(after)


def _low_ends(y: NDArray[np.float64]) -> list[int]:
    """How many days there may be when a decline is told: the last three of them are low."""
    if len(y) < LEAST_DAYS:
        return []
    last = np.median(np.lib.stride_tricks.sliding_window_view(y, 3), axis=1)
    low = 1.0 - last >= CATALOGUE[KIND].parameters["least_decline"]
    ends = np.flatnonzero(low) + 3
    return [int(end) for end in ends if end >= LEAST_DAYS]


def _may_decline(levels: Levels) -> bool:
    """Whether the median of two days or more may be low: a quick look."""
    low = levels.may_be_below(1.0 - CATALOGUE[KIND].parameters["least_decline"] + ROUNDING)
    if not low.any():
        return False
    known = np.count_nonzero(np.isfinite(levels.table.values[:, :BLOCKS]), axis=1)
    days = low.any(axis=1) & (np.count_nonzero(low, axis=1) * 2 >= known)
    return bool(np.count_nonzero(days) >= 2)


def _declines(x: NDArray[np.int64], y: NDArray[np.float64]) -> tuple[int, float] | None:
    """(first day, slope) if these days show a slow decline to their end."""
    parameters = CATALOGUE[KIND].parameters
    if len(x) < LEAST_DAYS or 1.0 - float(np.median(y[-3:])) < parameters["least_decline"]:
        return None
    start, slope, error = _hinge(x, y)
    days = int(x[-1]) - start
    slow = parameters["least_per_day"] <= -slope <= parameters["most_per_day"]
    fits = error < parameters["better_than_step"] * _step_error(y)
    return (start, slope) if days >= parameters["least_days"] and slow and fits else None


def decline_of(history: History, circuit_id: str) -> Decline | None:
    """The first slow decline of a unit, up to its repair or the newest day."""
    return history.once(_decline_of, circuit_id)


def _decline_of(history: History, circuit_id: str) -> Decline | None:
    levels = levels_of(history, circuit_id)
    if levels is None or not _may_decline(levels):
        return None
    x, y = _daily(levels)
    recovered = CATALOGUE[KIND].parameters["recovered"]
    for end in _low_ends(y):
        found = _declines(x[:end], y[:end])
        if found is None:
            continue
        back = np.flatnonzero(y[end:] >= recovered)
        last = end + int(back[0]) if len(back) else len(x)
        start, slope = _declines(x[:last], y[:last]) or found
        return Decline(start, int(x[end - 1]), int(x[last - 1]), slope, float(y[last - 1]))
    return None


def _bounds(history: History, ordinal: int) -> tuple[datetime, datetime]:
    return day_bounds(date.fromordinal(ordinal), history.plant.zone)


def _episode(
    history: History, pairing: Pairing, levels: Levels, decline: Decline, part: Window
) -> Episode:
    span = decline.last - decline.first
    confidence = 0.75 + 0.2 * min(1.0, (1.0 - decline.ratio) / 0.2) * min(1.0, span / 14.0)
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=part.from_,
        to=part.to,
        detected_at=min(max(_bounds(history, decline.told)[1], part.from_), part.to),
        circuits=(levels.circuit_id,),
        pairing_id=pairing.pairing_id,
        confidence=round(confidence, 3),
        evidence=evidence_of(
            {
                "level_reached": (100.0 * decline.ratio, "%"),
                "decline": (-100.0 * decline.per_day, "%/d"),
                "reference_level": (levels.level_kw, "kW"),
                "days": (float(span), "d"),
                "reference": (levels.period.basis, ""),
            }
        ),
        rule_version=RULE_VERSION,
        suppressed_by=part.declaration_id,
    )


def _of_unit(history: History, pairing: Pairing, levels: Levels) -> list[Episode]:
    """The decline of a unit, cut at declarations; a part must last long enough on its own."""
    decline = decline_of(history, levels.circuit_id)
    if decline is None:
        return []
    valid = accepted(history.plant, lambda d: covers_unit(d, pairing, levels.circuit_id))
    span = _bounds(history, decline.first)[0], _bounds(history, decline.last)[1]
    least_min = CATALOGUE[KIND].parameters["least_days"] * 1440.0
    return [
        _episode(history, pairing, levels, decline, part)
        for part in windows(valid, *span)
        if part.minutes >= least_min
    ]


def episodes(history: History) -> list[Episode]:
    """One per declining unit."""
    found: list[Episode] = []
    for pairing in history.plant.pairings:
        for circuit_id in pairing.treatment:
            levels = levels_of(history, circuit_id) if circuit_id in history.plant.row else None
            if levels is not None:
                found += _of_unit(history, pairing, levels)
    return found
