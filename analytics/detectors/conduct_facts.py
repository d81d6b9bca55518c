"""What each circuit did, minute by minute, kept small: what verdicts on alerts look at.

Running is exact to the minute (state `running`, above the standby floor); energy is kept per block
of 15 minutes. Where a meter is read at longer intervals than a minute, energy is what its register
counted, spread over the time in which it did; power read every few minutes is not integrated.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import JudgedDay, RawDay
from analytics.grid import BRIDGED_INTERVALS
from analytics.pairing.blocks import block_means
from analytics.states.hysteresis import RUNNING, UNKNOWN
from analytics.states.runs import runs_of
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE

CONDUCT_FACT = "conduct"  # per circuit: mean kW of each block over its known minutes [96], how many
#   spells follow of each sort [3], spells as minutes of the day (start, end): running, state not
#   known, power not known
REGISTER_FACT = "register_power"  # per circuit read at more than a minute: mean kW of each block by
#   its register [96]; NaN = the register does not tell
GAPS_FACT = "register_gaps"  # per circuit: silences (from, to [minutes of the day], kWh used) × n
INTEGRATED_INTERVAL_US = US_PER_MINUTE  # at most: then power is the energy's measure
LEAST_COVER = 0.8  # of a block, by the steps of the register
MOST_OF_RATED = 1.5  # a step that no load explains is not energy
DAY_MIN = BLOCKS * BLOCK_MIN
_BLOCK_US = BLOCK_MIN * US_PER_MINUTE


def facts(judged: JudgedDay) -> list[DayFact]:
    """Power by block, and spells of running and of what is not known, of each circuit."""
    states, dark = judged.states[:, judged.skip :], judged.dark[:, judged.skip :]
    silent = np.logical_and.reduce(dark, axis=1).tolist()
    mean_kw = block_means(judged.power, ~judged.dark, judged.skip, 1)
    # circuit after circuit, each sort after the other
    sorts = np.stack((states == RUNNING, states == UNKNOWN, dark), axis=1)
    spells = runs_of(sorts.reshape(-1, dark.shape[1]))
    counts = np.bincount(spells.row, minlength=3 * len(dark)).reshape(-1, 3)
    heads = np.hstack((mean_kw, counts)).astype(np.float32)
    tails = np.stack((spells.start, spells.end), axis=1).astype(np.float32)
    ends = np.cumsum(counts.sum(axis=1)).tolist()
    return [
        judged.fact(
            CONDUCT_FACT,
            judged.plant.circuits[row].circuit_id,
            np.concatenate((heads[row], tails[begin:end].ravel())),
        )
        for row, (begin, end) in enumerate(pairwise((0, *ends)))
        if not silent[row]
    ]


@dataclass(frozen=True, slots=True)
class DayConduct:
    """A circuit's day as its fact keeps it; spells are minutes of the day [n, 2]."""

    block_kw: NDArray[np.float32]  # [96], NaN = not known
    running: NDArray[np.int64]
    stateless: NDArray[np.int64]
    dark: NDArray[np.int64]


def read(values: NDArray[np.float32]) -> DayConduct:
    """A `conduct` fact → what it holds."""
    ran, stateless, _ = (int(n) for n in values[BLOCKS : BLOCKS + 3])
    spells = values[BLOCKS + 3 :].astype(np.int64).reshape(-1, 2)
    split = ran + stateless
    return DayConduct(values[:BLOCKS], spells[:ran], spells[ran:split], spells[split:])


@dataclass(frozen=True, slots=True)
class _Register:
    """Steps between neighbouring sound registers of one circuit [n]."""

    from_us: NDArray[np.int64]
    to_us: NDArray[np.int64]
    kwh: NDArray[np.float64]
    sound: NDArray[np.bool_]  # energy that a load explains


def _speaking(raw: RawDay) -> list[int]:
    """Circuits whose register may have something to tell that power, minute by minute, does not."""
    rows = raw.rows
    found = raw.plant.interval_us > INTEGRATED_INTERVAL_US
    found |= rows.knows("e_kwh") < rows.count
    found[rows.circuit_row[raw.holes]] = True
    found[rows.circuit_row[raw.invalid]] = True
    return np.flatnonzero(found).tolist()


def _register(raw: RawDay, row: int) -> _Register | None:
    """The steps of a circuit's register; None = it was not read twice."""
    own, rated = raw.rows.part(row), raw.plant.rated_kw[row]
    use = np.isfinite(raw.rows["e_kwh"][own]) & ~raw.invalid[own]
    ts, kwh = raw.rows.ts[own][use], np.diff(raw.rows["e_kwh"][own][use])
    if len(kwh) == 0:
        return None
    most = MOST_OF_RATED * rated * np.diff(ts) / US_PER_HOUR if np.isfinite(rated) else np.inf
    return _Register(ts[:-1], ts[1:], kwh, np.asarray((kwh >= 0) & (kwh <= most)))


def _block_kw(steps: _Register, reach_us: float, start_us: int) -> NDArray[np.float64]:
    """Mean power of each block of the day by the register; NaN where steps do not cover it [96]."""
    length = steps.to_us - steps.from_us
    use = steps.sound & (length <= reach_us)
    at = np.concatenate((steps.from_us[:1], steps.to_us))
    edges = start_us + np.arange(BLOCKS + 1) * _BLOCK_US
    covered = np.concatenate(([0], np.cumsum(np.where(use, length, 0))))
    counted = np.concatenate(([0.0], np.cumsum(np.where(use, steps.kwh, 0.0))))
    cover_us = np.diff(np.interp(edges, at, covered))
    kwh = np.diff(np.interp(edges, at, counted))
    told = cover_us >= LEAST_COVER * _BLOCK_US
    return np.where(told, kwh * US_PER_HOUR / np.maximum(cover_us, 1.0), np.nan)


def _register_facts(raw: RawDay, row: int) -> list[DayFact]:
    steps, found = _register(raw, row), []
    if steps is None:
        return []
    start, name = raw.bounds[0], raw.plant.circuits[row].circuit_id
    interval_us = int(raw.plant.interval_us[row])
    reach_us = BRIDGED_INTERVALS * interval_us
    if interval_us > INTEGRATED_INTERVAL_US:
        by_register = _block_kw(steps, reach_us, start)
        if np.isfinite(by_register).any():
            found.append(raw.fact(REGISTER_FACT, name, by_register))
    silent = (steps.to_us - steps.from_us > reach_us) & steps.sound & (steps.to_us > start)
    if silent.any():
        ends = [(us - start) / US_PER_MINUTE for us in (steps.from_us, steps.to_us)]
        gaps = np.stack((*ends, steps.kwh), axis=1)[silent]
        found.append(raw.fact(GAPS_FACT, name, gaps.ravel()))
    return found


def raw_facts(raw: RawDay) -> list[DayFact]:
    """What registers say: power of coarse meters by block, and energy used in silences."""
    return [fact for row in _speaking(raw) for fact in _register_facts(raw, row)]
