"""The one-minute power grid of a local day.

A reading stands for [ts, ts + interval); where the next sound reading comes within two intervals
(one sample lost) it holds until that one. Everything else is unknown (NaN), never zero. Several
readings in a minute are averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analytics.columns import Columns, columns_of
from analytics.plants import Plant
from analytics.quality import invalid_samples
from analytics.quantiles import lower_quantile
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE
from wattwitness.domain.readings import Readings

Power = NDArray[np.float32]
"""Power grid [circuits, minutes], kW, NaN = unknown."""

BRIDGED_INTERVALS = 2.1  # one lost sample, and a clock that jitters
STUCK_STEPS = 2  # of a register that stood still before it caught up
STUCK_FACTOR = 1.5  # × nameplate, or × what is usual: a step that no load explains
LEAST_STEPS = 8
MARGIN_US = US_PER_HOUR  # readings before the day that may hold into it


class Meters(Protocol):
    """What laying readings on minutes needs to know: a plant, or other circuits in rows."""

    @property
    def keys(self) -> Sequence[int] | NDArray[np.int64]:
        """Integer keys, row by row."""
        ...

    @property
    def interval_us(self) -> NDArray[np.int64]:
        """Reading interval per row [µs]."""
        ...

    @property
    def rated_kw(self) -> NDArray[np.float64]:
        """Nameplate power per row [kW]; NaN = not known."""
        ...

    @property
    def resolution_kw(self) -> NDArray[np.float64]:
        """Power step of the meter per row [kW]."""
        ...


def margin_us(plant: Plant) -> int:
    """How far before a day readings matter to its grid, in whole minutes [µs]."""
    longest = max((int(3 * s) for s in plant.intervals_s), default=0)
    return max(MARGIN_US, -(-longest // 60) * US_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one plant, with what the analytics made of them [n]."""

    rows: Columns
    invalid: NDArray[np.bool_]
    power_kw: NDArray[np.float64]  # NaN where nothing sound is known

    @property
    def circuit_row(self) -> NDArray[np.intp]:
        """Which circuit each belongs to, ascending [n]."""
        return self.rows.circuit_row


def _register_power(
    ts: NDArray[np.int64], e_kwh: NDArray[np.float64], reach_us: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean power since the reading before, from the energy register [kW], NaN = not known.

    Args:
        ts: of the readings [µs, n].
        e_kwh: their registers [n].
        reach_us: how far back each one tells; 0 = it is the first of its circuit [n].
    """
    power = np.full(len(ts), np.nan)
    step_us, step_kwh = np.diff(ts), np.diff(e_kwh)
    sound = (step_us > 0) & (step_us <= reach_us[1:]) & (step_kwh >= 0)
    power[1:][sound] = step_kwh[sound] * US_PER_HOUR / step_us[sound]
    return power


def _forget_stuck(kw: NDArray[np.float64], rated_kw: float) -> None:
    """Forget what a register says that stands still and then catches up in one step.

    The load was there all the time, nobody knows when: neither the zeros nor the step are power.

    Args:
        kw: power of one circuit, from its register; changed [n].
        rated_kw: its nameplate, NaN = not known.
    """
    known = kw[np.isfinite(kw)]
    if len(known) < LEAST_STEPS:
        return
    most = STUCK_FACTOR * max(lower_quantile(known, 0.99), float(np.nan_to_num(rated_kw)))
    for k in np.flatnonzero(kw > most).tolist() if most > 0 else ():
        moving = np.flatnonzero(np.nan_to_num(kw[:k], nan=1.0) > 0)
        first = int(moving[-1]) + 1 if len(moving) else 0
        if k - first >= STUCK_STEPS:
            kw[first : k + 1] = np.nan


def _derived(
    rows: Columns, sound: NDArray[np.intp], meters: Meters, *, whole: bool
) -> NDArray[np.float64]:
    """Power of the readings whose register is sound [len(sound)]."""
    row = rows.circuit_row[sound]
    reach = np.asarray(BRIDGED_INTERVALS * meters.interval_us[row], dtype=np.float64)
    reach[1:][row[1:] != row[:-1]] = 0.0
    power = _register_power(rows.ts[sound], rows["e_kwh"][sound], reach)
    cuts = [0, *(np.flatnonzero(row[1:] != row[:-1]) + 1).tolist(), len(row)]
    for first, end in pairwise(cuts if whole and len(row) else ()):
        _forget_stuck(power[first:end], float(meters.rated_kw[row[first]]))
    return power


def samples(rows: Readings | Columns, meters: Meters, *, whole: bool = True) -> Samples:
    """Mark readings and give each its power, from the register where power was not measured.

    Args:
        rows: readings of the meters in (circuit, ts) order [n].
        meters: whose readings they are.
        whole: whether the rows are a day; a few minutes do not tell what is usual of a register.
    """
    if not isinstance(rows, Columns):
        rows = columns_of(rows, meters)
    invalid = invalid_samples(rows, meters.rated_kw, meters.resolution_kw)
    power = rows["p_kw"]
    unmeasured = np.isnan(power)
    if unmeasured.any():
        asked = rows.of(np.unique(rows.circuit_row[unmeasured]))
        sound = asked[~invalid[asked] & np.isfinite(rows["e_kwh"][asked])]
        derived = np.full(len(rows), np.nan)
        derived[sound] = _derived(rows, sound, meters, whole=whole)
        power = np.where(unmeasured, derived, power)
    power = np.maximum(power, 0.0)  # noise around zero is zero
    power[invalid] = np.nan
    return Samples(rows, invalid, power)


def minute_grid(found: Samples, meters: Meters, from_us: int, minutes: int) -> Power:
    """Lay samples on minutes.

    Args:
        found: samples of the meters; those outside the grid are left out.
        meters: give the number of rows and the reading intervals.
        from_us: start of the first minute [µs].
        minutes: how many.

    Returns:
        Mean power per circuit and minute [circuits, minutes].
    """
    ts, row, power = found.rows.ts, found.circuit_row, found.power_kw
    minute = (ts - from_us) // US_PER_MINUTE
    use = np.isfinite(power) & (minute >= 0) & (minute < minutes)
    if not use.all():
        ts, row, power, minute = ts[use], row[use], power[use], minute[use]
    grid = np.full(len(meters.interval_us) * minutes, np.nan, dtype=np.float32)
    cell = row * minutes + minute  # ascending
    if (cell[1:] != cell[:-1]).all():
        grid[cell] = power.astype(np.float32)
    else:
        count = np.bincount(cell)
        own = np.flatnonzero(count)
        grid[own] = np.bincount(cell, weights=power)[own] / count[own]
    empty = np.flatnonzero(np.isnan(grid))
    before = cell.searchsorted(empty) - 1  # the reading that may hold there
    same = (before >= 0) & (row[before] == empty // minutes) if len(cell) else before >= 0
    empty, before = empty[same], before[same]
    middle = from_us + (empty % minutes) * US_PER_MINUTE + US_PER_MINUTE // 2
    held = middle < _hold_until(ts, row, meters, before)
    grid[empty[held]] = power[before[held]]
    return grid.reshape(-1, minutes)


def _hold_until(
    ts: NDArray[np.int64], row: NDArray[np.intp], meters: Meters, chosen: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Until when chosen readings stand for what was not read [µs, len(chosen)]."""
    interval = meters.interval_us[row[chosen]]
    after = np.minimum(chosen + 1, len(ts) - 1)
    gap = ts[after] - ts[chosen]
    lost_one = (row[after] == row[chosen]) & (gap > 0) & (gap <= BRIDGED_INTERVALS * interval)
    return np.where(lost_one, ts[after], ts[chosen] + interval)
