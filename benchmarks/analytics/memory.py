"""What a city-day costs from readings in memory to episodes, step by step."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analytics.bench import Bench
from analytics.conclusion import conclude
from analytics.day import (
    ColumnsBlock,
    DayBlock,
    Extent,
    day_columns,
    judge_day,
    pairs_of,
    states_of,
)
from analytics.day_end import laid_out
from analytics.detectors.stages import History
from analytics.executors import InProcess
from analytics.learning import learn_days
from analytics.pipeline import analyse_enterprise, history_of
from analytics.plants import Plant, plant_of
from analytics.results import MemoryResults
from analytics.series import MemorySeries
from benchmarks.analytics.city import Model
from benchmarks.analytics.clock import RUNS, best_s
from wattwitness.domain.instants import DEFAULT_ZONE, day_bounds, to_us
from wattwitness.domain.readings import ReadingColumns
from wattwitness.domain.states import Thresholds
from wattwitness.store.day_packs import fact_book, packed_facts, packed_spells, spell_book

MARGIN_US = 3_600_000_000
BEYOND_CACHE = 20  # enterprises whose readings no processor keeps at hand


@dataclass(frozen=True)
class Ready:
    """A model whose history was analysed, and the inputs of the day that is measured."""

    model: Model
    plant: Plant
    results: MemoryResults
    day: DayBlock  # its input of the second kernel
    rows: ReadingColumns  # its input of the first
    history: History
    facts: Sequence[tuple[date, str, bytes]]  # of the history, as they are stored
    spells: Sequence[tuple[str, bytes]]  # likewise


@dataclass
class Steps:
    """Processor time per enterprise and day [s], averaged over the models."""

    sum_s: float = 0.0  # of all circuits of the city: the unit
    sum_all_s: float = 0.0  # of everything that is read of an enterprise
    states_s: float = 0.0
    columns_s: float = 0.0
    learn_s: float = 0.0
    judge_s: float = 0.0
    conclude_s: float = 0.0
    episodes: list[int] = field(default_factory=list)

    @property
    def everything_s(self) -> float:
        """From readings to episodes."""
        return self.columns_s + self.learn_s + self.judge_s + self.conclude_s


def ready(model: Model) -> Ready:
    """Analyse the history of a model and its last day, in memory."""
    return asyncio.run(_ready(model))


def _rows(model: Model, first_us: int, end_us: int) -> ReadingColumns:
    ts = model.rows["ts"]
    return ReadingColumns.of(model.rows[(ts >= first_us) & (ts < end_us)])


async def _ready(model: Model) -> Ready:
    name, days = model.enterprise_id, model.days
    series, results = MemorySeries(), MemoryResults()
    series.add(model.rows)
    results.days_with_data[name] = set(days)
    bench = Bench(model.registry, series, results, InProcess())
    await analyse_enterprise(bench, name, days, days[0])
    history = await history_of(bench, name)
    assert history is not None  # noqa: S101 - it has readings
    plant = plant_of(model.registry, name)
    extent = Extent(history.first_us, history.watermark_us)
    last = days[-1]
    start_us, end_us = (to_us(at) for at in day_bounds(last, DEFAULT_ZONE))
    before_us = to_us(day_bounds(last - timedelta(days=1), DEFAULT_ZONE)[0])
    every = ColumnsBlock(plant, days[-2:], _rows(model, before_us - MARGIN_US, end_us), extent)
    before, today = day_columns(every)
    thresholds = results.days[name][last].thresholds
    facts = [(day, packed_facts(found.facts)) for day, found in results.days[name].items()]
    spells = [packed_spells(found.spells) for found in results.days[name].values()]
    return Ready(
        model=model,
        plant=plant,
        results=results,
        day=DayBlock(plant, laid_out(before.end), today, thresholds, extent),
        rows=_rows(model, start_us - MARGIN_US, end_us),
        history=history,
        facts=[(day, pack.head, pack.numbers) for day, pack in facts],
        spells=[(pack.head, pack.numbers) for pack in spells],
    )


def _states(plant: Plant, power: NDArray[np.float32], thresholds: list[Thresholds]) -> None:
    """States of a plant's circuits and the minutes of its pairings."""
    pairs_of(plant, states_of(plant, power, thresholds), power, thresholds)


def _city_states(found: Sequence[Ready], city: NDArray[np.float32]) -> None:
    """The same for every block of the city's array."""
    start = 0
    levels = [[r.day.thresholds[c.circuit_id] for c in r.plant.circuits] for r in found]
    for n in range(len(city) // len(found[0].plant.circuits)):
        ready_, thresholds = found[n % len(found)], levels[n % len(found)]
        end = start + len(ready_.plant.circuits)
        _states(ready_.plant, city[start:end], thresholds)
        start = end


def measure(found: Sequence[Ready], enterprises: int) -> Steps:
    """Time every step.

    Args:
        found: the models.
        enterprises: of the city, whose power is one array.
    """
    steps = Steps()
    parts = [found[n % len(found)].day.columns.power for n in range(enterprises)]
    city = np.concatenate(parts)
    steps.sum_s = best_s(lambda: np.sum(city), 5 * RUNS)
    steps.states_s = best_s(lambda: _city_states(found, city)) / enterprises
    read = np.concatenate(
        [found[n % len(found)].rows.measured for n in range(BEYOND_CACHE)], axis=1
    )
    steps.sum_all_s = best_s(lambda: np.sum(read), 5 * RUNS) / BEYOND_CACHE
    for one in found:
        block = ColumnsBlock(one.plant, (one.day.columns.day,), one.rows, one.day.extent)
        steps.columns_s += best_s(partial(day_columns, block)) / len(found)
        steps.learn_s += best_s(partial(_learn, one)) / len(found)
        steps.judge_s += best_s(partial(judge_day, one.day)) / len(found)
        steps.conclude_s += best_s(partial(_conclude, one)) / len(found)
        steps.episodes.append(len(conclude(one.history, None).episodes))
    return steps


def _learn(one: Ready) -> None:
    """The day's thresholds from the histograms of its window."""
    days, first = one.model.days, one.model.days[0]
    firsts = {c.circuit_id: first for c in one.plant.circuits}
    learn_days(one.plant, days[-1:], firsts, one.results.histograms)


def _conclude(one: Ready) -> None:
    """From the bytes of the history, as the store hands them over."""
    facts, spells = fact_book(one.facts), spell_book(one.model.enterprise_id, one.spells)
    conclude(replace(one.history, facts=facts, spells=spells), None)
