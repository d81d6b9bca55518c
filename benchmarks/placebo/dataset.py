"""A data set in the formats of the contract, analysed once, in memory."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from analytics.bench import Bench
from analytics.detectors.stages import History
from analytics.executors import InProcess
from analytics.pipeline import analyse_enterprise
from analytics.plants import Plant, plant_of
from analytics.results import MemoryResults
from analytics.series import MemorySeries
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_SECOND, from_us, local_day
from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import Registry
from wattwitness.files.readings_files import read_chunks
from wattwitness.files.registry_files import read_registry

READINGS = ("readings*.csv", "readings*.csv.gz", "readings*.parquet", "readings/*")
QUARTER_US = 900 * US_PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """One enterprise of a data set."""

    history: History
    rows: Readings  # all of it
    registry: Registry


def read_dataset(folder: Path) -> tuple[Registry, Readings]:
    """Registry and readings of a folder; alerts and orders that it tells are left out.

    Raises:
        InputRefusedError: a file is missing, or cannot be read.
    """
    registry = read_registry(folder, Registry()).registry
    names = sorted(registry.circuits)
    keys = {name: rank for rank, name in enumerate(names, start=1)}
    registry = replace(registry, circuit_keys=keys, alerts={}, measures=())
    files = sorted({path for pattern in READINGS for path in folder.glob(pattern)})
    if not files:
        raise InputRefusedError(f"{folder} has no readings", f"one of {', '.join(READINGS)}")
    return registry, np.concatenate([part for path in files for part in _parts(path, keys)])


def _parts(path: Path, keys: dict[str, int]) -> Iterator[Readings]:
    for chunk in read_chunks(path):
        known = np.array([keys.get(name, 0) for name in chunk.circuits])
        rows = chunk.rows.copy()
        rows["circuit"] = known[chunk.rows["circuit"]]
        yield rows[rows["circuit"] > 0]


def analysed(
    registry: Registry, rows: Readings, enterprise_id: str, zone: ZoneInfo = DEFAULT_ZONE
) -> Analysed:
    """Run the day kernels of the product over one enterprise, once.

    Raises:
        InputRefusedError: there are no readings of it.
    """
    plant = plant_of(registry, enterprise_id, zone)
    own = rows[np.isin(rows["circuit"], plant.keys)]
    if not len(own):
        raise InputRefusedError(f"{enterprise_id} has no readings", "name another enterprise")
    series = MemorySeries()
    series.add(own)
    results = MemoryResults()
    quarters = np.unique(own["ts"] // QUARTER_US) * QUARTER_US
    results.days_with_data[enterprise_id] = {local_day(from_us(int(us)), zone) for us in quarters}
    days = sorted(results.days_with_data[enterprise_id])
    bench = Bench(registry, series, results, InProcess(), zone)
    asyncio.run(analyse_enterprise(bench, enterprise_id, days, days[0]))
    return Analysed(
        history=asyncio.run(_history(registry, plant, series, results)),
        rows=own,
        registry=registry,
    )


async def _history(
    registry: Registry, plant: Plant, series: MemorySeries, results: MemoryResults
) -> History:
    name = plant.enterprise_id
    enterprise = registry.enterprises[name]
    first_us = {}
    for circuit, key in zip(plant.circuits, plant.keys, strict=True):
        reach = await series.extent([key])
        if reach is not None:
            first_us[circuit.circuit_id] = reach[0]
    days = await results.data_days(name)
    ids = [c.circuit_id for c in plant.circuits]
    stored = await results.load_thresholds(ids, days[0], days[-1])
    watermark_us = await series.watermark()
    verified = (enterprise.verified_from, enterprise.verified_to)
    return History(
        plant=plant,
        watermark_us=watermark_us or 0,
        first_us=first_us,
        spells=await results.load_spells(name),
        facts=await results.load_facts(name),
        thresholds={circuit: stored[circuit, day] for circuit, day in sorted(stored)},
        verified=_both(*verified),
        grade=enterprise.grade,
    )


def _both(begins: datetime | None, ends: datetime | None) -> tuple[datetime, datetime] | None:
    return None if begins is None or ends is None else (begins, ends)
