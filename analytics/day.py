"""The two kernels of a local day: readings → columns, columns → what the day contributes.

Both are pure and picklable, so that a day can be computed anywhere, alone, again, in any order.
The first needs the readings of the day and of the hour before it; the second the columns of the
day and, to know how things stood at midnight, the end of the day before (`day_end`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.columns import PlantRows
from analytics.day_end import KIND as END_KIND
from analytics.day_end import day_end, last_minutes
from analytics.detectors import frozen_reading
from analytics.detectors.line_up import CONDITIONS, FACTS, MARKS, RAW_FACTS
from analytics.detectors.stages import JudgedDay, RawDay
from analytics.grid import Power, margin_us, minute_grid, samples
from analytics.pairing.condition import PairMinutes, pair_minutes
from analytics.plants import Interval, Plant
from analytics.quality.day_rates import day_rates
from analytics.states.dwell import production_dwell
from analytics.states.histograms import day_histograms
from analytics.states.hysteresis import StateGrid, classify
from analytics.states.thresholds import UNKNOWN_THRESHOLDS
from wattwitness.domain.facts import DayFact
from wattwitness.domain.instants import US_PER_MINUTE, day_bounds, from_us, to_us
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.readings import ReadingColumns
from wattwitness.domain.spells import ConditionSpell
from wattwitness.domain.states import State, StateSpell, Thresholds

NO_HISTOGRAMS = np.zeros((0, 0), dtype=np.int32)

_STATES = tuple(State)  # by their integers
_UNTOLD = -1
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a circuit's data reach [µs]."""

    first_us: Mapping[str, int]  # circuit id → first reading ever
    watermark_us: int  # newest data time of the whole store


@dataclass(frozen=True, slots=True)
class ColumnsBlock:
    """Input of `day_columns`: readings of some days of a plant, the margin before each included."""

    plant: Plant
    days: tuple[date, ...]
    rows: ReadingColumns  # (circuit, ts) order
    extent: Extent
    lead: frozenset[date] = frozenset()  # days of which only the end matters


@dataclass(frozen=True, slots=True)
class DayColumns:
    """One local day of a plant on its minute grid."""

    day: date
    power: Power  # [circuits, minutes of the day]
    histograms: NDArray[np.int32]  # [circuits, 256]
    quality: tuple[DayQuality, ...]
    end: tuple[NDArray[np.float32], ...]  # `day_end` [circuits]
    spells: tuple[ConditionSpell, ...] = ()  # of the detectors that look at readings as they came
    facts: tuple[DayFact, ...] = ()  # likewise


@dataclass(frozen=True, slots=True)
class DayBlock:
    """Input of `judge_day`."""

    plant: Plant
    before: Power | None  # minutes up to midnight that warm up the states; None = nothing was
    columns: DayColumns
    thresholds: Mapping[str, Thresholds]
    extent: Extent


@dataclass(frozen=True, slots=True)
class DayJudgement:
    """What a local day contributes."""

    day: date
    states: list[StateSpell]
    quality: list[DayQuality]
    thresholds: dict[str, Thresholds]
    spells: list[ConditionSpell]
    facts: list[DayFact] = field(default_factory=list)
    end: list[DayFact] = field(default_factory=list)  # `day_end`; empty while the day goes on


def bounds_us(day: date, plant: Plant) -> Interval:
    """[from, to) of a local day of the plant [µs]."""
    start, end = day_bounds(day, plant.zone)
    return to_us(start), to_us(end)


def _one_day(block: ColumnsBlock, rows: PlantRows, day: date) -> DayColumns:
    plant = block.plant
    start, end = bounds_us(day, plant)
    margin = margin_us(plant)
    found = samples(rows.between(start - margin, end), plant)
    skip = margin // US_PER_MINUTE
    power = minute_grid(found, plant, start - margin, skip + (end - start) // US_PER_MINUTE)
    power = np.ascontiguousarray(power[:, skip:])
    raw = RawDay(
        plant=plant,
        day=day,
        bounds=(start, end),
        rows=found.rows,
        invalid=found.invalid,
        watermark_us=block.extent.watermark_us,
    )
    if day in block.lead:
        _forget_frozen(power, plant, frozen_reading.mark(raw), start)
        end_only = day_end(power, last_minutes(plant))
        return DayColumns(day, power[:, :0], NO_HISTOGRAMS, (), end_only)
    spells = tuple(spell for mark in MARKS for spell in mark(raw))
    _forget_frozen(power, plant, spells, start)
    return DayColumns(
        day,
        power,
        day_histograms(power),
        day_rates(raw, block.extent.first_us),
        day_end(power, last_minutes(plant)),
        spells,
        tuple(fact for facts in RAW_FACTS for fact in facts(raw)),
    )


def _forget_frozen(
    power: Power, plant: Plant, spells: Sequence[ConditionSpell], start: int
) -> None:
    """What a meter showed while it was proven to stand still is not known."""
    for spell in spells:
        if spell.kind == frozen_reading.KIND and frozen_reading.is_proven(spell):
            first = (to_us(spell.from_) - start) // US_PER_MINUTE
            end = -(-(to_us(spell.to) - start) // US_PER_MINUTE)
            power[plant.row[spell.subject], max(0, first) : end] = np.nan


def day_columns(block: ColumnsBlock) -> list[DayColumns]:
    """First kernel: mark readings, lay them on minutes, count them."""
    rows = PlantRows(block.rows, block.plant)
    return [_one_day(block, rows, day) for day in block.days]


def _told(block: DayBlock, states: StateGrid, start_us: int) -> StateGrid:
    """States between each circuit's first reading and the watermark, and one column after them.

    Args:
        block: the day.
        states: of the day itself [circuits, minutes].
        start_us: of the day.

    Returns:
        _UNTOLD elsewhere [circuits, minutes + 1].
    """
    plant, extent, minutes = block.plant, block.extent, states.shape[1]
    newest_us = extent.watermark_us + plant.interval_us - start_us
    ends = np.clip(-(-newest_us // US_PER_MINUTE), 0, minutes).tolist()
    told = np.full((len(states), minutes + 1), _UNTOLD, dtype=np.int8)
    for row, (circuit, end) in enumerate(zip(plant.circuits, ends, strict=True)):
        first_us = extent.first_us.get(circuit.circuit_id)
        if first_us is not None:
            begin = max(0, (first_us - start_us) // US_PER_MINUTE)
            told[row, begin:end] = states[row, begin:end]
    return told


def _state_spells(block: DayBlock, states: StateGrid, start_us: int) -> list[StateSpell]:
    """Maximal spells of equal state of each circuit, while it is known how it stood."""
    told = _told(block, states, start_us)
    width, flat = told.shape[1], told.reshape(-1)
    cuts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    begin = from_us(start_us)
    instants = [begin + minute * _MINUTE for minute in (cuts % width).tolist()]
    names = [circuit.circuit_id for circuit in block.plant.circuits]
    found = zip(flat[cuts].tolist(), (cuts // width).tolist(), pairwise(instants), strict=False)
    return [  # what follows the last cut is untold
        StateSpell(circuit_id=names[row], from_=from_, to=to, state=_STATES[state])
        for state, row, (from_, to) in found
        if state != _UNTOLD
    ]


def _with_warm_up(block: DayBlock) -> tuple[Power, int]:
    today = block.columns.power
    before = block.before if block.before is not None else today[:, :0]
    return np.concatenate((before, today), axis=1), before.shape[1]


def _end_facts(block: DayBlock, end_us: int) -> list[DayFact]:
    """The end of a day that is over; before, what is the end moves with every minute."""
    if block.extent.watermark_us < end_us:
        return []
    return [
        DayFact(
            enterprise_id=block.plant.enterprise_id,
            day=block.columns.day,
            kind=END_KIND,
            subject=circuit.circuit_id,
            values=own,
        )
        for circuit, own in zip(block.plant.circuits, block.columns.end, strict=True)
    ]


def states_of(plant: Plant, power: Power, thresholds: Sequence[Thresholds]) -> StateGrid:
    """What each circuit of a plant does, minute by minute [circuits, minutes]."""
    return production_dwell(classify(power, thresholds), plant.produces)


def pairs_of(
    plant: Plant, states: StateGrid, power: Power, thresholds: Sequence[Thresholds]
) -> PairMinutes:
    """The minutes of every pairing that has circuits on both sides."""
    level = np.array([t.running_level_kw for t in thresholds], dtype=np.float64)
    return pair_minutes(states, power, level, plant.paired)


def judge_day(block: DayBlock) -> DayJudgement:
    """Second kernel: states, and the conditions that the detectors look for."""
    plant, columns = block.plant, block.columns
    start, over = bounds_us(columns.day, plant)
    power, skip = _with_warm_up(block)
    thresholds = [block.thresholds.get(c.circuit_id, UNKNOWN_THRESHOLDS) for c in plant.circuits]
    states = states_of(plant, power, thresholds)
    judged = JudgedDay(
        plant=plant,
        day=columns.day,
        start_us=start - skip * US_PER_MINUTE,
        skip=skip,
        power=power,
        states=states,
        thresholds=thresholds,
        pairs=pairs_of(plant, states, power, thresholds),
    )
    return DayJudgement(
        day=columns.day,
        states=_state_spells(block, states[:, skip:], start),
        quality=[q for q in columns.quality if q.expected or q.received],
        thresholds=dict(block.thresholds),
        spells=[*columns.spells, *(s for look in CONDITIONS for s in look(judged))],
        facts=[*columns.facts, *(f for look in FACTS for f in look(judged))],
        end=_end_facts(block, over),
    )
