"""Where a city is tried: enterprise by enterprise in memory, or whole through PostgreSQL."""

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from analytics.bench import Bench
from analytics.calibration import CALIBRATION, Calibration
from analytics.executors import InProcess
from analytics.results import Findings, PostgresResults
from analytics.running import analyse_range
from analytics.series import PostgresSeries
from benchmarks.truth.ablations import ABLATIONS
from benchmarks.truth.measured import Measured, measure
from benchmarks.truth.trial import Job, Trial, jobs_of, run
from gateway_sim.city import City
from gateway_sim.history import arrived_rows
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import from_us
from wattwitness.domain.readings import Readings
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.store.database import Database
from wattwitness.store.findings import (
    list_episodes,
    list_leads,
    list_states,
    list_testability,
)
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

BATCH_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Way:
    """How the software is run."""

    calibration: Calibration = CALIBRATION
    ablation: str = "as it is"


def _one(task: tuple[Job, Way]) -> Measured:
    job, way = task
    ablation = ABLATIONS[way.ablation]
    trial = run(
        job,
        calibration=way.calibration,
        executor=ablation.executor(),
        left_out=ablation.left_out,
    )
    return measure(job, trial)


def in_memory(city: City, way: Way, processes: int) -> Iterator[Measured]:
    """Enterprise by enterprise; only the counts stay in memory."""
    tasks = ((job, way) for job in jobs_of(city))
    if processes == 1:
        yield from map(_one, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(_one, tasks, chunksize=4)


def through_postgres(city: City, way: Way) -> Iterator[Measured]:
    """The whole city into a database of its own, the real pipeline over it."""
    with tempfile.TemporaryDirectory(prefix="wattwitness-truth-") as folder:
        yield from asyncio.run(_through(city, way, Settings(home=Path(folder))))


async def _through(city: City, way: Way, settings: Settings) -> list[Measured]:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="truth") as db,
    ):
        await upgrade(db)
        readings = await fill(db, city)
        started = time.perf_counter()
        await _analyse(db, city, way)
        seconds = time.perf_counter() - started
        return [
            measure(job, await _said(db, job, readings[job.plant.enterprise_id], seconds / total))
            for total in (len(city.plants),)
            for job in jobs_of(city)
        ]


async def _said(db: Database, job: Job, readings: int, seconds: float) -> Trial:
    name = job.plant.enterprise_id
    leads = [lead for lead in await list_leads(db) if lead.enterprise_id == name]
    testability = [t for t in await list_testability(db) if t.enterprise_id == name]
    findings = Findings(await list_episodes(db, enterprise_ids=[name]), leads, testability)
    states = await list_states(db, list(job.plant.circuit_ids), job.start_us, job.end_us)
    return Trial(findings, states, readings, seconds)


async def fill(db: Database, city: City) -> Mapping[str, int]:
    """Store the city's registry and what had arrived by its end; readings by enterprise."""
    await save_registry(db, replace(city.registry, circuit_keys={}, revision=0))
    stored = await load_registry(db)
    total = {}
    for plant in city.plants:
        rows = arrived_rows(plant, city.start_us, city.end_us, city.end_us)
        rows = _rekeyed(rows, city, stored.circuit_keys)
        total[plant.enterprise_id] = len(rows)
        for start in range(0, len(rows), BATCH_ROWS):
            batch = IngestBatch(rows=rows[start : start + BATCH_ROWS], from_gateways=False)
            await write_batch(db, batch)
    return total


def _rekeyed(rows: Readings, city: City, keys: Mapping[str, int]) -> Readings:
    """The same rows under the store's circuit keys."""
    by_old = {old: keys[circuit] for circuit, old in city.registry.circuit_keys.items()}
    rows = rows.copy()
    rows["circuit"] = [by_old[int(old)] for old in rows["circuit"]]
    return rows


async def _analyse(db: Database, city: City, way: Way) -> None:
    """The whole span in one batch, in this process."""
    bench = Bench(
        registry=await load_registry(db),
        series=PostgresSeries(db),
        results=PostgresResults(db),
        executor=InProcess(),
        zone=db.zone,
        calibration=way.calibration,
    )
    await analyse_range(
        db, bench, from_us(city.start_us), from_us(city.end_us), [], lambda _done, _all: None
    )
