"""The strip: 30 days × 24 hours of treatment against production, from the states.

Pure: minute grids out of spells, hours out of minutes. Zones with summer time are drawn by the
clock of the first hour of the day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE, days_between, to_us
from wattwitness.domain.states import State, StateSpell

DAYS = 30
_HOUR_MIN = 60
_LEAST_RUNNING_MIN = 5
_STEPS = (0.02, 0.25, 0.75)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One local hour."""

    hour: int
    look: str  # `ahead`, `missing`, `idle`, `treated`, `some`, `much`, `bare`
    running_min: int  # production ran
    bare_min: int  # … and no treatment did


@dataclass(frozen=True, slots=True, kw_only=True)
class StripDay:
    """One local day of 24 hours."""

    day: date
    cells: tuple[Cell, ...]

    @property
    def seen(self) -> bool:
        """Whether any hour of it has data."""
        return any(cell.look not in {"missing", "ahead"} for cell in self.cells)


def minute_states(
    spells: Sequence[StateSpell], circuit_id: str, start_us: int, minutes: int
) -> NDArray[np.int8]:
    """State per minute, shape (minutes,); what no spell covers is UNKNOWN."""
    grid = np.zeros(minutes, dtype=np.int8)
    for spell in spells:
        if spell.circuit_id == circuit_id:
            first = max(0, (to_us(spell.from_) - start_us) // US_PER_MINUTE)
            last = min(minutes, (to_us(spell.to) - start_us) // US_PER_MINUTE)
            grid[first : max(first, last)] = spell.state
    return grid


def look(running_min: int, bare_min: int, known_min: int) -> str:
    """How an hour is painted."""
    if known_min < _HOUR_MIN // 2:
        return "missing"
    if running_min < _LEAST_RUNNING_MIN:
        return "idle"
    share = bare_min / running_min
    for step, name in zip(_STEPS, ("treated", "some", "much"), strict=True):
        if share <= step:
            return name
    return "bare"


def strip(
    spells: Sequence[StateSpell],
    production: Sequence[str],
    treatment: Sequence[str],
    last: date,
    now: datetime,
    zone: ZoneInfo,
) -> list[StripDay]:
    """The `DAYS` local days up to `last`, newest first, without those before the first data.

    Hours that lie ahead of `now` are not missing data.

    An hour is bare as far as any of `production` ran while every one of `treatment` was off.
    """
    found = []
    for day in days_between(last - timedelta(days=DAYS - 1), last):
        start_us = to_us(datetime(day.year, day.month, day.day, tzinfo=zone))
        size = 24 * _HOUR_MIN
        above = np.array([minute_states(spells, c, start_us, size) for c in production])
        below = np.array([minute_states(spells, c, start_us, size) for c in treatment])
        runs = (above == State.RUNNING).any(axis=0)
        bare = runs & (below == State.OFF).all(axis=0)
        known = (above != State.UNKNOWN).any(axis=0) & (below != State.UNKNOWN).any(axis=0)
        hours = [m.reshape(24, _HOUR_MIN).sum(axis=1).tolist() for m in (runs, bare, known)]
        begun = -(-(to_us(now) - start_us) // US_PER_HOUR)
        cells = tuple(
            Cell(hour=h, look=look(r, b, k) if h < begun else "ahead", running_min=r, bare_min=b)
            for h, (r, b, k) in enumerate(zip(*hours, strict=True))
        )
        found.append(StripDay(day=day, cells=cells))
    first = next((i for i, row in enumerate(found) if row.seen), len(found))
    return found[first:][::-1]
