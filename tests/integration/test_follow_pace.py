"""A follower with a pace: new readings of the newest day wait, older days do not."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.pacing import Pace
from analytics.results import PostgresResults
from analytics.running import Follower
from analytics.series import PostgresSeries
from gateway_sim.city import City, build_city
from gateway_sim.scenario import Scenario
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, to_us
from wattwitness.domain.registry import Alert, AlertLevel, Registry
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.days import take_dirty
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

START = datetime(2026, 9, 7, tzinfo=DEFAULT_ZONE)


@pytest.fixture(scope="module")
def city() -> City:
    return build_city(Scenario(enterprises=2, days=1.6, seed=3, verified_days=0), START)


class Scene:
    """A database that a paced follower has brought up to noon of the second day."""

    def __init__(self, db: Database, city: City) -> None:
        self.db, self.city, self.now_s = db, city, 1000.0

    async def begin(self) -> "Scene":
        await save_registry(self.db, replace(self.city.registry, circuit_keys={}, revision=0))
        registry = await load_registry(self.db)
        keys = dict(registry.circuit_keys)
        city = self.city
        parts = [p.readings(city.start_us, city.end_us, keys) for p in city.plants]
        rows = np.concatenate(parts)
        held = (rows["ts"] >= to_us(START + timedelta(hours=3))) & (
            rows["ts"] < to_us(START + timedelta(hours=4))
        )
        noon = START + timedelta(days=1, hours=12)
        fresh = rows["ts"] >= to_us(noon)
        minutes = rows["ts"] < to_us(noon + timedelta(minutes=4))
        self.late, self.fresh = rows[held], rows[fresh & minutes]
        await self.write(rows[~held & ~fresh])
        bench = Bench(
            registry, PostgresSeries(self.db), PostgresResults(self.db), InProcess(), self.db.zone
        )
        pace = Pace(300.0, cost_s=1000.0)  # a look costs so much that everybody waits for it
        self.follower = Follower(self.db, bench, clock_s=lambda: self.now_s, pace=pace)
        while await self.step():
            pass
        assert await take_dirty(self.db) == []
        pace.cost_s = 1000.0
        return self

    async def write(self, rows) -> None:
        await write_batch(self.db, IngestBatch(rows=rows, from_gateways=False))

    async def step(self) -> bool:
        return await self.follower.step(Lifecycle())


async def test_new_readings_wait_and_are_looked_at_in_the_end(db: Database, city: City) -> None:
    scene = await Scene(db, city).begin()
    await scene.write(scene.fresh)
    assert not await scene.step()
    assert await take_dirty(db)
    scene.now_s += 299.0
    assert not await scene.step()
    assert max(scene.now_s - since for since in scene.follower.waiting_s.values()) == 299.0
    scene.now_s += 2.0
    assert await scene.step()
    assert await take_dirty(db) == []


async def test_older_days_do_not_wait(db: Database, city: City) -> None:
    scene = await Scene(db, city).begin()
    await scene.write(scene.late)
    assert await scene.step()
    assert await take_dirty(db) == []


async def test_an_open_alert_does_not_wait_as_long(db: Database, city: City) -> None:
    scene = await Scene(db, city).begin()
    response = START + timedelta(days=1, hours=11)
    alert = Alert(alert_id="A1", level=AlertLevel.RED, issued_at=response, response_from=response)
    await save_registry(db, Registry(alerts={"A1": alert}))
    while await scene.step():
        pass
    scene.follower.pace.cost_s = 0.5  # two enterprises: others would wait 6.7 s, these 2.5 s
    await scene.write(scene.fresh)
    scene.now_s += 2.0
    assert not await scene.step()
    scene.now_s += 1.0
    assert await scene.step()
