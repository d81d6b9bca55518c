"""From dirty days to findings: the one module of the analytics that does the I/O.

Per enterprise: columns and histograms of the days that changed, thresholds of the days that rest
on them, judgements of the days that changed or whose thresholds did, then episodes, leads and
testability from everything that is known of the enterprise. Each step is a pure function of what
is stored, so live, batch, pieces and several workers end in the same results.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from analytics.calibration import CALIBRATION, Calibration
from analytics.conclusion import conclude
from analytics.day import ColumnsBlock, DayBlock, DayColumns, Extent, day_columns, judge_day
from analytics.detectors.stages import History
from analytics.executors import Executor
from analytics.grid import margin_us
from analytics.learning import Learned, learn_days, same_thresholds
from analytics.planning import (
    PIECE_DAYS,
    days_resting_on,
    days_to_judge,
    pieces,
    trailing_days,
    window_span,
)
from analytics.plants import Plant, plant_of
from analytics.results import ResultStore
from analytics.series import SeriesStore
from analytics.together import together
from wattwitness.domain.errors import WattWitnessError
from wattwitness.domain.instants import DEFAULT_ZONE, day_bounds, from_us, local_day, to_us
from wattwitness.domain.registry import Registry

_NEWEST_DAYS = timedelta(days=60)


class AnalysisStoppedError(WattWitnessError):
    """Told to stop before the end; what was not finished is still marked as changed."""

    def __init__(self) -> None:
        super().__init__(
            "stopped; what was finished is stored", "run the same again for what is left"
        )


def _wall_clock_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Bench:
    """What the pipeline works with."""

    registry: Registry
    series: SeriesStore
    results: ResultStore
    executor: Executor
    zone: ZoneInfo = DEFAULT_ZONE
    stop: asyncio.Event = field(default_factory=asyncio.Event)  # looked at between pieces
    clock_us: Callable[[], int] = _wall_clock_us  # for "last run"; nothing is judged by it
    calibration: Calibration = CALIBRATION  # what confidence is worth

    def check_stop(self) -> None:
        """Go on only if nobody said stop.

        Raises:
            AnalysisStoppedError: somebody did.
        """
        if self.stop.is_set():
            raise AnalysisStoppedError


@dataclass
class Summary:
    """What a run did."""

    enterprises: int = 0
    days: int = 0  # enterprise-days judged
    readings: int = 0
    episodes: int = 0
    suppressed: int = 0
    leads: int = 0

    def add(self, other: "Summary") -> None:
        """Count another run in."""
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class _Run:
    """One enterprise being analysed."""

    bench: Bench
    plant: Plant
    data_days: list[date]
    extent: Extent
    columns: dict[date, DayColumns] = field(default_factory=dict)
    summary: Summary = field(default_factory=lambda: Summary(enterprises=1))

    @cached_property
    def watermark_day(self) -> date:
        """Newest local day of the whole store."""
        return local_day(from_us(self.extent.watermark_us), self.plant.zone)

    @cached_property
    def first_days(self) -> dict[str, date]:
        """Circuit id → local day of its first reading."""
        return {
            circuit: local_day(from_us(us), self.plant.zone)
            for circuit, us in self.extent.first_us.items()
        }

    @cached_property
    def circuit_ids(self) -> list[str]:
        """Of the plant, in row order."""
        return [c.circuit_id for c in self.plant.circuits]


async def _start(bench: Bench, enterprise_id: str, known_us: int | None) -> _Run | None:
    plant = plant_of(bench.registry, enterprise_id, bench.zone)
    reach = await bench.series.reach(plant.keys)
    if known_us is None:
        known_us = await bench.series.watermark()
    if known_us is None:
        return None
    watermark_us = max(known_us, reach.newest_us or known_us)
    first_us = {
        circuit.circuit_id: reach.first_us[key]
        for circuit, key in zip(plant.circuits, plant.keys, strict=True)
        if key in reach.first_us
    }
    days = await bench.results.data_days(enterprise_id)
    return _Run(bench, plant, days, Extent(first_us, watermark_us))


async def _load_piece(run: _Run, piece: tuple[date, ...], wanted: Collection[date]) -> None:
    bench = run.bench
    start = to_us(day_bounds(piece[0], run.plant.zone)[0]) - margin_us(run.plant)
    end = to_us(day_bounds(piece[-1], run.plant.zone)[1])
    async with bench.executor.room:
        bench.check_stop()
        rows = await bench.series.block(run.plant.keys, start, end)
        run.summary.readings += len(rows)
        lead = frozenset(piece).difference(wanted)
        block = ColumnsBlock(run.plant, piece, rows, run.extent, lead)
        (found,) = await asyncio.to_thread(bench.executor.map, day_columns, [block])
    run.columns.update({c.day: c for c in found})


async def _load_columns(run: _Run, days: Iterable[date]) -> None:
    """Columns of these days and, for the warm-up, of the days before them.

    Readings are in memory piece by piece; what stays are minutes (2 MB per circuit and year).
    """
    wanted = set(days)
    lead = {d - timedelta(days=1) for d in wanted} & set(run.data_days)
    missing = {d for d in wanted if d not in run.columns or run.columns[d].only_power}
    missing |= lead - run.columns.keys()
    await together(_load_piece(run, piece, wanted) for piece in pieces(sorted(missing)))


async def _save_histograms(run: _Run, days: Sequence[date]) -> None:
    found = {}
    for day in set(days).intersection(run.data_days):
        begun = {c for c, first in run.first_days.items() if first <= day}
        counts = zip(run.circuit_ids, run.columns[day].histograms, strict=True)
        found[day] = {circuit: minutes for circuit, minutes in counts if circuit in begun}
    await run.bench.results.save_histograms(found)


async def _learn(run: _Run, days: Sequence[date]) -> tuple[Learned, set[date]]:
    """Thresholds of `days` and of the judged days that rest on them; and which of these moved."""
    touched: set[date] = set()
    for first in set(run.first_days.values()):
        touched |= days_resting_on(days, run.data_days, first)
    span = sorted(touched | set(days))
    if not span:
        return {}, set()
    ids = run.circuit_ids
    stored = await run.bench.results.load_thresholds(ids, span[0], span[-1])
    judged = {day for _, day in stored}
    candidates = sorted(set(days) | (touched & judged))
    reach = window_span(candidates, run.first_days)
    if reach is None:
        return {}, set()
    histograms = await run.bench.results.load_histograms(ids, *reach)
    learned = learn_days(run.plant, candidates, run.first_days, histograms)
    moved = {
        day
        for (circuit, day), thresholds in learned.items()
        if day not in days and not same_thresholds(stored.get((circuit, day)), thresholds)
    }
    return learned, moved


async def _judge(run: _Run, days: Sequence[date], learned: Learned) -> None:
    """Judge and store, piece by piece; whoever is stopped in between begins again."""
    for start in range(0, len(days), PIECE_DAYS):
        run.bench.check_stop()
        blocks = [_block(run, day, learned) for day in days[start : start + PIECE_DAYS]]
        judged = await asyncio.to_thread(run.bench.executor.map, judge_day, blocks)
        await run.bench.results.replace_days(run.plant.enterprise_id, judged)
        run.summary.days += len(judged)


def _block(run: _Run, day: date, learned: Learned) -> DayBlock:
    return DayBlock(
        plant=run.plant,
        before=run.columns.get(day - timedelta(days=1)),
        columns=run.columns[day],
        thresholds={c: t for c in run.circuit_ids if (t := learned.get((c, day)))},
        extent=run.extent,
    )


async def _history(run: _Run) -> History:
    plant, registry, last = run.plant, run.bench.registry, run.watermark_day
    results = run.bench.results
    enterprise = registry.enterprises[plant.enterprise_id]
    begins, ends = enterprise.verified_from, enterprise.verified_to
    return History(
        plant=plant,
        watermark_us=run.extent.watermark_us,
        first_us=run.extent.first_us,
        spells=await results.load_spells(plant.enterprise_id),
        facts=await results.load_facts(plant.enterprise_id),
        thresholds=await results.newest_thresholds(run.circuit_ids, last - _NEWEST_DAYS, last),
        alerts=[alert for alert in registry.alerts.values() if alert.concerns(enterprise.district)],
        inspections=[i for i in registry.inspections if i.enterprise_id == plant.enterprise_id],
        verified=None if begins is None or ends is None else (begins, ends),
        measures=[m for m in registry.measures if m.enterprise_id == plant.enterprise_id],
        grade=enterprise.grade,
        judged_until=await run.bench.results.judged_until(plant.enterprise_id),
    )


async def _conclude(run: _Run) -> None:
    """Findings from all that is known of the enterprise."""
    plant, bench = run.plant, run.bench
    history = await _history(run)
    district = bench.registry.enterprises[plant.enterprise_id].district
    findings = conclude(history, district, bench.calibration)
    await run.bench.results.replace_findings(
        plant.enterprise_id, findings, run.bench.clock_us(), run.extent.watermark_us
    )
    run.summary.episodes = sum(e.suppressed_by is None for e in findings.episodes)
    run.summary.suppressed = len(findings.episodes) - run.summary.episodes
    run.summary.leads = len(findings.leads)


async def history_of(bench: Bench, enterprise_id: str) -> History | None:
    """All that is known of an enterprise; None without any readings."""
    run = await _start(bench, enterprise_id, None)
    return None if run is None else await _history(run)


async def analyse_enterprise(
    bench: Bench,
    enterprise_id: str,
    dirty: Iterable[date],
    trailing_from: date | None = None,
    watermark_us: int | None = None,
) -> Summary:
    """Bring the results of one enterprise up to date.

    Args:
        bench: registry, stores and executor.
        enterprise_id: of the registry.
        dirty: local days whose readings changed.
        trailing_from: also judge the silent days from here to the newest data of the store (whose
            expected readings nobody else asks for); None = do not.
        watermark_us: how far the data of the whole store reached a moment ago [µs], no later than
            the dirty days were marked or newer than its own data; None = look again.

    Raises:
        AnalysisStoppedError: `bench.stop` was set before the end.
    """
    run = await _start(bench, enterprise_id, watermark_us)
    if run is None:
        return Summary()
    days = set(days_to_judge(dirty, run.data_days, run.watermark_day))
    if trailing_from is not None:
        days |= {d for d in trailing_days(run.data_days, run.watermark_day) if d >= trailing_from}
    if days and run.plant.circuits:
        changed = sorted(days)
        await _load_columns(run, changed)
        await _save_histograms(run, changed)
        learned, moved = await _learn(run, changed)
        await _load_columns(run, moved)
        await _judge(run, sorted(days | moved), learned)
    await _conclude(run)
    return run.summary
