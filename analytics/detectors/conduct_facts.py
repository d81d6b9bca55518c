"""What each circuit did, minute by minute, kept small: what verdicts on alerts look at.

Running is exact to the minute (state `running`, above the standby floor); energy is kept per block
of 15 minutes. Where a meter is read at longer intervals than a minute, energy is what its register
counted, spread over the time in which it did; power read every few minutes is not integrated.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import JudgedDay, RawDay
from analytics.grid import BRIDGED_INTERVALS, Power
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE
from wattwitness.domain.states import State

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
    power, states = judged.power[:, judged.skip :], judged.states[:, judged.skip :]
    dark = np.isnan(power)
    mean = _means_kw(power, dark)
    spells = [_edges(mask) for mask in (states == State.RUNNING, states == State.UNKNOWN, dark)]
    found = []
    for row in np.flatnonzero(~dark.all(axis=1)).tolist():
        own = [edges[row] for edges in spells]
        values = np.concatenate((mean[row], [len(edges) // 2 for edges in own], *own))
        found.append(judged.fact(CONDUCT_FACT, judged.plant.circuits[row].circuit_id, values))
    return found


def _means_kw(power: Power, dark: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean of the known minutes of each block; NaN where none is known [circuits, 96]."""
    shape = len(power), BLOCKS, BLOCK_MIN
    day = np.zeros((len(power), DAY_MIN))
    np.copyto(day[:, : power.shape[1]], power[:, :DAY_MIN], where=~dark[:, :DAY_MIN])
    known = np.zeros(day.shape, dtype=np.bool_)
    known[:, : power.shape[1]] = ~dark[:, :DAY_MIN]
    n = known.reshape(shape).sum(axis=2)
    return np.where(n > 0, day.reshape(shape).sum(axis=2) / np.maximum(n, 1), np.nan)


def _edges(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Start, end, start, end … of the runs of True of each row [rows, minutes]."""
    rows, minutes = mask.shape
    padded = np.zeros((rows, minutes + 2), dtype=np.bool_)
    padded[:, 1:-1] = mask
    row, at = np.nonzero(padded[:, 1:] != padded[:, :-1])
    return np.split(at, np.searchsorted(row, np.arange(1, rows)))


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


def _registers(raw: RawDay) -> Iterator[tuple[int, _Register]]:
    """Row, and its steps, of each circuit whose register was read twice."""
    energy = raw.rows["e_kwh"]
    sound = np.isfinite(energy) & ~raw.invalid
    for row in range(len(raw.plant.circuits)):
        own = raw.rows.part(row)
        use = sound[own]
        ts, kwh = raw.rows.ts[own][use], np.diff(energy[own][use])
        if len(kwh) == 0:
            continue
        rated = raw.plant.rated_kw[row]
        most = MOST_OF_RATED * rated * np.diff(ts) / US_PER_HOUR if np.isfinite(rated) else np.inf
        yield row, _Register(ts[:-1], ts[1:], kwh, np.asarray((kwh >= 0) & (kwh <= most)))


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


def raw_facts(raw: RawDay) -> list[DayFact]:
    """What registers say: power of coarse meters by block, and energy used in silences."""
    found = []
    start = raw.bounds[0]
    for row, steps in _registers(raw):
        name = raw.plant.circuits[row].circuit_id
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
