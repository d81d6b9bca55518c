"""One enterprise of a city under the real pipeline, in memory: readings in, findings out.

The laws of the analytics (live = batch = pieces) hold for memory and store alike, so a large city
is tried enterprise by enterprise, in bounded memory, without a database.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from analytics.bench import Bench
from analytics.calibration import CALIBRATION, Calibration
from analytics.executors import Executor, InProcess
from analytics.pipeline import analyse_enterprise
from analytics.results import Findings, MemoryResults
from analytics.series import MemorySeries
from gateway_sim.answer_key import true_verdicts
from gateway_sim.city import City
from gateway_sim.effects import Incident
from gateway_sim.history import arrived_rows
from gateway_sim.plant import Plant
from wattwitness.domain.instants import US_PER_SECOND, from_us, local_day
from wattwitness.domain.readings import MEASURANDS, Readings
from wattwitness.domain.registry import Registry
from wattwitness.domain.states import StateSpell
from wattwitness.domain.verdicts import VerdictCode

QUARTER_US = 900 * US_PER_SECOND


@dataclass(frozen=True, slots=True)
class Job:
    """One enterprise to be tried; picklable."""

    seed: int
    plant: Plant
    registry: Registry  # of this enterprise alone
    incidents: Sequence[Incident]
    start_us: int
    end_us: int
    unfollowed: Sequence[tuple[datetime, datetime]] = ()  # orders that were not, or not wholly


@dataclass(frozen=True, slots=True)
class Trial:
    """What the software said."""

    findings: Findings
    states: Sequence[StateSpell]
    readings: int
    seconds: float  # of the analysis


def _own_registry(registry: Registry, enterprise_id: str) -> Registry:
    circuits = registry.circuits_of(enterprise_id)
    return replace(
        registry,
        enterprises={enterprise_id: registry.enterprises[enterprise_id]},
        gateways={k: g for k, g in registry.gateways.items() if g.enterprise_id == enterprise_id},
        circuits={c.circuit_id: c for c in circuits},
        pairings={p.pairing_id: p for p in registry.pairings_of(enterprise_id)},
        measures=tuple(m for m in registry.measures if m.enterprise_id == enterprise_id),
        declarations=registry.declarations_of(enterprise_id),
        inspections=tuple(i for i in registry.inspections if i.enterprise_id == enterprise_id),
        circuit_keys={c.circuit_id: registry.circuit_keys[c.circuit_id] for c in circuits},
    )


def jobs_of(city: City) -> Iterator[Job]:
    """The enterprises of a city, one by one."""
    own: dict[str, list[Incident]] = {}
    for incident in city.incidents:
        own.setdefault(incident.enterprise_id, []).append(incident)
    unfollowed: dict[str, list[tuple[datetime, datetime]]] = {}
    for truth in true_verdicts(city):
        for measure in truth.measures:
            if measure.verdict in (VerdictCode.PARTIAL, VerdictCode.VIOLATED):
                spell = _instant(measure.from_s), _instant(measure.to_s)
                unfollowed.setdefault(truth.enterprise_id, []).append(spell)
    for plant in city.plants:
        yield Job(
            city.scenario.seed,
            plant,
            _own_registry(city.registry, plant.enterprise_id),
            own.get(plant.enterprise_id, []),
            city.start_us,
            city.end_us,
            unfollowed.get(plant.enterprise_id, ()),
        )


def _instant(at_s: int) -> datetime:
    return from_us(at_s * US_PER_SECOND)


class _CitySeries(MemorySeries):
    """Readings of one enterprise of a city whose data reach to its end."""

    def __init__(self, watermark_us: int) -> None:
        super().__init__()
        self._watermark_us = watermark_us

    async def watermark(self) -> int | None:
        """See `SeriesStore`."""
        return self._watermark_us


def _data_days(rows: Readings, zone: ZoneInfo) -> set[date]:
    quarters = np.unique(rows["ts"] // QUARTER_US) * QUARTER_US
    return {local_day(from_us(int(us)), zone) for us in quarters}


def without(rows: Readings, columns: Sequence[str]) -> Readings:
    """The same readings as of meters that do not measure these."""
    if not columns:
        return rows
    rows = rows.copy()
    for name in columns:
        rows[name] = np.nan
    return rows


PHYSICS = tuple(name for name in MEASURANDS if name not in {"p_kw", "e_kwh"})
"""Everything but power and energy."""


def run(
    job: Job,
    *,
    calibration: Calibration = CALIBRATION,
    executor: Executor | None = None,
    left_out: Sequence[str] = (),
) -> Trial:
    """Analyse one enterprise.

    Args:
        job: the enterprise.
        calibration: how confidence is made.
        executor: runs the kernels; an ablation brings its own.
        left_out: measurands that its meters do not have.
    """
    zone = job.plant.around.zone
    rows = arrived_rows(job.plant, job.start_us, job.end_us, job.end_us)
    interval_s = job.plant.blueprint.gateway.interval_s
    series = _CitySeries(job.end_us - interval_s * US_PER_SECOND)
    series.add(without(rows, left_out))
    results = MemoryResults()
    name = job.plant.enterprise_id
    results.days_with_data[name] = _data_days(rows, zone)
    bench = Bench(
        job.registry, series, results, executor or InProcess(), zone, calibration=calibration
    )
    started = time.perf_counter()
    if len(rows):
        days = sorted(results.days_with_data[name])
        first = days[0] - timedelta(days=1)
        asyncio.run(analyse_enterprise(bench, name, days, first))
    seconds = time.perf_counter() - started
    states = [s for day in results.days.get(name, {}).values() for s in day.states]
    return Trial(results.findings.get(name, Findings()), states, len(rows), seconds)
