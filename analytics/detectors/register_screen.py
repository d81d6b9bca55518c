"""Which registers of a day have to be looked at step by step.

Part of `counter_anomaly`. Most registers of most days count up, by no more than the nameplate, and
in every hour as much as the power beside them. That is told for all circuits at once, a little more
strictly than the rules themselves are, so that whoever is left out has nothing to be found.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.columns import Columns
from analytics.detectors.register_hours import COARSE_STEPS, HOURS, LEAST_COVERAGE, LEAST_STEPS
from analytics.detectors.register_steps import KIND, SLACK_STEPS
from analytics.detectors.stages import RawDay
from wattwitness.domain.facts import BLOCK_MIN
from wattwitness.domain.instants import US_PER_DAY, US_PER_HOUR, US_PER_SECOND
from wattwitness.domain.rules import CATALOGUE

_BLOCKS_PER_HOUR = 60 // BLOCK_MIN
_STRICTER = 1.0 - 1e-6  # what rounding may do to a sum
_MOST_STEP_KWH = 1.0  # a coarser register may move beyond what an hour counts


def _plain(raw: RawDay) -> NDArray[np.bool_]:
    """Circuits with sound registers only, and power beside all of them or none [circuits]."""
    rows = raw.rows
    power = rows.knows("p_kw")
    plain: NDArray[np.bool_] = (rows.knows("e_kwh") == rows.count) & (
        (power == rows.count) | (power == 0)
    )
    if raw.invalid.any():
        plain[np.unique(rows.circuit_row[raw.invalid])] = False
    return plain


def _between(rows: Columns, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each step from a reading to the next one of its circuit, 0 at the last one [n]."""
    step = np.zeros(len(rows))
    np.subtract(values[1:], values[:-1], out=step[:-1])
    step[rows.ends[1:] - 1] = 0.0
    return step


def _sudden(
    raw: RawDay, step_kwh: NDArray[np.float64], hours: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Circuits with readings in which some step may be sudden, or no nameplate says so [k]."""
    rows, filled = raw.rows, raw.rows.filled
    own_step = np.array([raw.plant.circuits[k].register_resolution_kwh for k in filled.tolist()])
    factor = CATALOGUE[KIND].parameters["jump_factor"] * _STRICTER
    beyond = rows.spread(factor * raw.plant.rated_kw)
    beyond *= hours
    np.subtract(step_kwh, beyond, out=beyond)
    counts_up = np.minimum.reduceat(step_kwh, rows.starts) >= -own_step
    possible = np.maximum.reduceat(beyond, rows.starts) <= own_step
    return ~(counts_up & possible & (own_step <= _MOST_STEP_KWH))


def _differing(
    raw: RawDay, step_kwh: NDArray[np.float64], hours: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Circuits in which the register of some hour may differ from its power."""
    parameters, rows = CATALOGUE[KIND].parameters, raw.rows
    block = raw.block[raw.block_starts] // _BLOCKS_PER_HOUR
    row = rows.circuit_row[raw.block_starts]
    new = np.append(True, (np.diff(block) != 0) | (np.diff(row) != 0))
    starts, row, hour = raw.block_starts[new], row[new], block[new]
    weight, counted = hours, step_kwh
    if len(raw.holes):  # steps over a hole are not compared
        weight, counted = hours.copy(), step_kwh.copy()
        weight[raw.holes] = counted[raw.holes] = 0.0
    change = _between(rows, rows["p_kw"])
    change *= 0.5
    mean = rows["p_kw"] + change
    mean *= weight
    np.abs(change, out=change)
    change *= weight
    power_kwh, change_kwh = np.add.reduceat(mean, starts), np.add.reduceat(change, starts)
    counted_kwh = np.add.reduceat(counted, starts)
    covered = np.add.reduceat(weight, starts)
    own_step = np.array([c.register_resolution_kwh for c in raw.plant.circuits])[row]
    doubt = change_kwh + SLACK_STEPS * own_step + parameters["energy_share"] * power_kwh
    found = np.abs(counted_kwh - power_kwh) > _STRICTER * doubt
    found &= covered >= _STRICTER * LEAST_COVERAGE
    found &= power_kwh >= _STRICTER * COARSE_STEPS * raw.plant.resolution_kw[row] * covered
    found &= np.maximum(power_kwh, counted_kwh) >= _STRICTER * LEAST_STEPS * own_step
    found &= (hour >= 0) & (hour < HOURS)
    compared = raw.plant.interval_us <= parameters["longest_interval_s"] * US_PER_SECOND
    return np.unique(row[found & compared[row]])


def suspects(raw: RawDay) -> NDArray[np.intp]:
    """Circuits whose register may have something to be found, ascending."""
    rows = raw.rows
    if not len(rows) or raw.bounds[1] - raw.bounds[0] > US_PER_DAY:  # blocks have no 25th hour
        return rows.filled
    step_kwh = _between(rows, rows["e_kwh"])
    hours = np.zeros(len(rows))
    np.multiply(rows.step_us, 1.0 / US_PER_HOUR, out=hours[:-1])
    hours[rows.ends[1:] - 1] = 0.0
    found = np.ones(len(rows.count), dtype=np.bool_)
    found[rows.filled] = _sudden(raw, step_kwh, hours)
    found |= ~_plain(raw)
    found[_differing(raw, step_kwh, hours)] = True
    found &= rows.knows("e_kwh") > 1
    return np.flatnonzero(found)
