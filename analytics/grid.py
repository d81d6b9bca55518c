"""The one-minute power grid of a local day.

A reading stands for [ts, ts + interval); where the next sound reading comes within two intervals
(one sample lost) it holds until that one. Everything else is unknown (NaN), never zero. Several
readings in a minute are averaged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.plants import Plant
from analytics.quality import invalid_samples
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE
from wattwitness.domain.readings import Readings

Power = NDArray[np.float32]
"""Power grid [circuits, minutes], kW, NaN = unknown."""

BRIDGED_INTERVALS = 2.1  # one lost sample, and a clock that jitters
STUCK_STEPS = 2  # of a register that stood still before it caught up
STUCK_FACTOR = 1.5  # × nameplate, or × what is usual: a step that no load explains
LEAST_STEPS = 8
MARGIN_US = US_PER_HOUR  # readings before the day that may hold into it


def margin_us(plant: Plant) -> int:
    """How far before a day readings matter to its grid, in whole minutes [µs]."""
    longest = max((int(3 * s) for s in plant.intervals_s), default=0)
    return max(MARGIN_US, -(-longest // 60) * US_PER_MINUTE)


@dataclass(frozen=True, slots=True)
class Samples:
    """Readings of one plant in (circuit, ts) order, with what the analytics made of them [n]."""

    rows: Readings
    circuit_row: NDArray[np.intp]
    invalid: NDArray[np.bool_]
    power_kw: NDArray[np.float64]  # NaN where nothing sound is known


def _register_power(
    rows: Readings, circuit_row: NDArray[np.intp], plant: Plant
) -> NDArray[np.float64]:
    """Mean power since the reading before, from the energy register [kW], NaN = not known."""
    power = np.full(len(rows), np.nan)
    step_us = np.diff(rows["ts"])
    step_kwh = np.diff(rows["e_kwh"])
    reach = BRIDGED_INTERVALS * plant.interval_us[circuit_row[1:]]
    sound = (np.diff(circuit_row) == 0) & (step_us > 0) & (step_us <= reach) & (step_kwh >= 0)
    power[1:][sound] = step_kwh[sound] * US_PER_HOUR / step_us[sound]
    _forget_stuck(power, circuit_row, plant)
    return power


def _forget_stuck(power: NDArray[np.float64], circuit_row: NDArray[np.intp], plant: Plant) -> None:
    """Forget what a register says that stands still and then catches up in one step.

    The load was there all the time, nobody knows when: neither the zeros nor the step are power.
    """
    for row in np.unique(circuit_row).tolist():
        own = np.flatnonzero(circuit_row == row)
        kw = power[own]
        known = kw[np.isfinite(kw)]
        if len(known) < LEAST_STEPS:
            continue
        usual = float(np.quantile(known, 0.99, method="lower"))
        most = STUCK_FACTOR * max(usual, float(np.nan_to_num(plant.rated_kw[row])))
        for k in np.flatnonzero(kw > most).tolist() if most > 0 else ():
            moving = np.flatnonzero(np.nan_to_num(kw[:k], nan=1.0) > 0)
            first = int(moving[-1]) + 1 if len(moving) else 0
            if k - first >= STUCK_STEPS:
                power[own[first : k + 1]] = np.nan


def samples(rows: Readings, plant: Plant) -> Samples:
    """Mark readings and give each its power, from the register where power was not measured.

    Args:
        rows: readings of the plant in (circuit, ts) order [n].
        plant: whose circuits they are.
    """
    keys = np.array(plant.keys, dtype=np.int64)
    order = np.argsort(keys)
    circuit_row = order[np.searchsorted(keys[order], rows["circuit"])]
    invalid = invalid_samples(rows, circuit_row, plant.rated_kw, plant.resolution_kw)
    power = rows["p_kw"].astype(np.float64)
    if np.isnan(power).any():
        sound = np.flatnonzero(~invalid & np.isfinite(rows["e_kwh"]))
        derived = np.full(len(rows), np.nan)
        derived[sound] = _register_power(rows[sound], circuit_row[sound], plant)
        power = np.where(np.isnan(power), derived, power)
    power = np.where(invalid, np.nan, np.maximum(power, 0.0))  # noise around zero is zero
    return Samples(rows, circuit_row, invalid, power)


def minute_grid(found: Samples, plant: Plant, from_us: int, minutes: int) -> Power:
    """Lay samples on minutes.

    Args:
        found: samples of the plant; those outside the grid are left out.
        plant: gives the number of rows and the reading intervals.
        from_us: start of the first minute [µs].
        minutes: how many.

    Returns:
        Mean power per circuit and minute [circuits, minutes].
    """
    minute = (found.rows["ts"] - from_us) // US_PER_MINUTE
    use = np.isfinite(found.power_kw) & (minute >= 0) & (minute < minutes)
    power, row = found.power_kw[use], found.circuit_row[use]
    ts, minute = found.rows["ts"][use], minute[use]
    shape = (len(plant.circuits), minutes)
    cell = row * minutes + minute
    total = np.bincount(cell, weights=power, minlength=shape[0] * minutes)
    count = np.bincount(cell, minlength=shape[0] * minutes)
    interval = plant.interval_us[row]
    hold_until = ts + interval
    gap = ts[1:] - ts[:-1]
    lost_one = (row[1:] == row[:-1]) & (gap > 0) & (gap <= BRIDGED_INTERVALS * interval[:-1])
    hold_until[:-1][lost_one] = ts[1:][lost_one]
    newest = np.full(shape[0] * minutes, -1, dtype=np.int64)
    newest[cell] = np.arange(len(cell))  # ascending: the last of a minute wins
    newest = np.maximum.accumulate(newest.reshape(shape), axis=1)
    middle = from_us + np.arange(minutes) * US_PER_MINUTE + US_PER_MINUTE // 2
    if len(ts) == 0:
        return np.full(shape, np.nan, dtype=np.float32)
    held = (newest >= 0) & (middle < hold_until[newest])
    grid = np.where(held, power[newest], np.nan)
    own = count.reshape(shape) > 0
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0).reshape(shape)
    return np.where(own, mean, grid).astype(np.float32)
