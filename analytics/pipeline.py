"""From dirty days to findings: the one module of the analytics that does the I/O.

Per enterprise: columns and histograms of the days that changed, thresholds of the days that rest
on them, judgements of the days that changed or whose thresholds did, then episodes, leads and
testability from everything that is known of the enterprise. Each step is a pure function of what
is stored, so live, batch, pieces and several workers end in the same results.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

from analytics.bench import Bench, Summary
from analytics.conclusion import conclude
from analytics.day import ColumnsBlock, DayBlock, DayColumns, Extent, day_columns, judge_day
from analytics.day_end import laid_out, nothing_known
from analytics.detectors.stages import History
from analytics.grid import Power, margin_us
from analytics.late_courses import keep_late_courses
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
from analytics.states.histograms import Histogram
from analytics.together import together
from wattwitness.domain.instants import day_bounds, from_us, local_day, to_us
from wattwitness.domain.states import Thresholds

_DAY = timedelta(days=1)
_NEWEST_DAYS = timedelta(days=60)


@dataclass
class _Run:
    """One enterprise being analysed."""

    bench: Bench
    plant: Plant
    data_days: list[date]
    extent: Extent
    columns: dict[date, DayColumns] = field(default_factory=dict)
    counts: dict[date, dict[str, Histogram]] = field(default_factory=dict)  # of changed days
    learned: Learned = field(default_factory=dict)
    ends: dict[date, Power] = field(default_factory=dict)  # minutes up to midnight that matter
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
    run.columns.update({c.day: c for c in found if c.day in wanted})
    run.ends.update({c.day: laid_out(c.end) for c in found})


async def _load_columns(run: _Run, days: Iterable[date]) -> None:
    """Columns of these days and, to know how things stood at midnight, the ends of those before.

    Readings are in memory piece by piece; what stays are minutes (2 MB per circuit and year). For
    the sake of the day after no day is read whose end is kept.
    """
    wanted = set(days)
    lead = {d - _DAY for d in wanted} & set(run.data_days) - wanted - run.ends.keys()
    kept = await run.bench.results.load_ends(run.plant.enterprise_id, sorted(lead)) if lead else {}
    for day, ends in kept.items():
        if ends.keys() >= set(run.circuit_ids):
            run.ends[day] = laid_out([ends[c] for c in run.circuit_ids])
    missing = (wanted - run.columns.keys()) | (lead - run.ends.keys())
    await together(_load_piece(run, piece, wanted) for piece in pieces(sorted(missing)))


def _before(run: _Run, day: date) -> Power | None:
    """The minutes before a day; None = nothing was read before it."""
    unknown = nothing_known(run.plant) if run.data_days[0] < day else None
    return run.ends.get(day - _DAY, unknown)


def _count(run: _Run, days: Sequence[date]) -> None:
    for day in set(days).intersection(run.data_days):
        begun = {c for c, first in run.first_days.items() if first <= day}
        counts = zip(run.circuit_ids, run.columns[day].histograms, strict=True)
        run.counts[day] = {circuit: minutes for circuit, minutes in counts if circuit in begun}


async def _learn(run: _Run, days: Sequence[date]) -> set[date]:
    """Learn thresholds of `days` and of judged days that rest on them; which of these moved."""
    touched: set[date] = set()
    for first in set(run.first_days.values()):
        touched |= days_resting_on(days, run.data_days, first)
    resting = sorted(d for d in touched.difference(days) if d <= run.watermark_day)
    ids, stored = run.circuit_ids, {}
    if resting:
        stored = await run.bench.results.load_thresholds(ids, resting[0], resting[-1])
    judged = {day for _, day in stored}
    candidates = sorted(judged.intersection(resting).union(days))
    reach = window_span(candidates, run.first_days)
    if reach is None:
        return set()
    histograms = await run.bench.results.load_histograms(ids, *reach)
    for day, counts in run.counts.items():  # stored with the judgements
        for circuit, minutes in counts.items():
            histograms.setdefault(circuit, {})[day] = minutes
    run.learned = learn_days(run.plant, candidates, run.first_days, histograms)
    return {
        day
        for (circuit, day), thresholds in run.learned.items()
        if day not in days and not same_thresholds(stored.get((circuit, day)), thresholds)
    }


async def _judge(run: _Run, days: Sequence[date]) -> None:
    """Judge and store, piece by piece; whoever is stopped in between begins again."""
    for start in range(0, len(days), PIECE_DAYS):
        run.bench.check_stop()
        blocks = [_block(run, day) for day in days[start : start + PIECE_DAYS]]
        judged = await asyncio.to_thread(run.bench.executor.map, judge_day, blocks)
        await run.bench.results.replace_days(run.plant.enterprise_id, judged, run.counts)
        run.summary.days += len(judged)


def _block(run: _Run, day: date) -> DayBlock:
    return DayBlock(
        plant=run.plant,
        before=_before(run, day),
        columns=run.columns[day],
        thresholds={c: t for c in run.circuit_ids if (t := run.learned.get((c, day)))},
        extent=run.extent,
    )


async def _newest_thresholds(run: _Run) -> dict[str, Thresholds]:
    """Of each circuit's newest judged day: of today's, if it was judged a moment ago."""
    last = run.watermark_day
    found = {c: run.learned[c, last] for c in run.circuit_ids if (c, last) in run.learned}
    others = [c for c in run.circuit_ids if c not in found]
    if others:
        stored = run.bench.results.newest_thresholds(others, last - _NEWEST_DAYS, last)
        found |= await stored
    return found


async def _history(run: _Run) -> History:
    plant, registry = run.plant, run.bench.registry
    results = run.bench.results
    enterprise = registry.enterprises[plant.enterprise_id]
    begins, ends = enterprise.verified_from, enterprise.verified_to
    return History(
        plant=plant,
        watermark_us=run.extent.watermark_us,
        first_us=run.extent.first_us,
        spells=await results.load_spells(plant.enterprise_id),
        facts=await results.load_facts(plant.enterprise_id),
        thresholds=await _newest_thresholds(run),
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
    found = conclude(history, district, bench.calibration)
    findings = replace(found, revision=bench.registry.revision)
    await run.bench.results.replace_findings(
        plant.enterprise_id, findings, run.bench.clock_us(), run.extent.watermark_us
    )
    await keep_late_courses(bench, plant.enterprise_id, found.cases, run.extent.watermark_us)
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
        _count(run, changed)
        moved = await _learn(run, changed)
        await _load_columns(run, moved)
        await _judge(run, sorted(days | moved))
    await _conclude(run)
    return run.summary
