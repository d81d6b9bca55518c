"""A simulated city into the store, and the real pipeline over it."""

from dataclasses import replace

from analytics.executors import InProcess
from analytics.pipeline import Bench
from analytics.results import PostgresResults
from analytics.running import analyse_range
from analytics.series import PostgresSeries
from gateway_sim.city import City
from gateway_sim.history import arrived_rows
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import from_us
from wattwitness.domain.readings import Readings
from wattwitness.store.database import Database
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

BATCH_ROWS = 200_000


async def fill(db: Database, city: City) -> int:
    """Store the city's registry and what had arrived by its end; returns the readings stored."""
    await save_registry(db, replace(city.registry, circuit_keys={}, revision=0))
    stored = await load_registry(db)
    total = 0
    for plant in city.plants:
        rows = arrived_rows(plant, city.start_us, city.end_us, city.end_us)
        rows = _rekeyed(rows, city, stored.circuit_keys)
        for start in range(0, len(rows), BATCH_ROWS):
            batch = IngestBatch(rows=rows[start : start + BATCH_ROWS], from_gateways=False)
            total += (await write_batch(db, batch)).stored
    return total


def _rekeyed(rows: Readings, city: City, keys: object) -> Readings:
    """The same rows under the store's circuit keys."""
    assert isinstance(keys, dict)  # noqa: S101 - the registry's mapping
    by_old = {old: keys[circuit] for circuit, old in city.registry.circuit_keys.items()}
    rows = rows.copy()
    rows["circuit"] = [by_old[int(old)] for old in rows["circuit"]]
    return rows


async def analyse(db: Database, city: City) -> None:
    """The whole span in one batch, in this process."""
    bench = Bench(
        registry=await load_registry(db),
        series=PostgresSeries(db),
        results=PostgresResults(db),
        executor=InProcess(),
        zone=db.zone,
    )
    await analyse_range(
        db, bench, from_us(city.start_us), from_us(city.end_us), [], lambda _done, _all: None
    )
