"""End to end: what waits in the broker, to its commit and its proof of delivery."""

import asyncio
import time
from dataclasses import dataclass, field

from benchmarks.ingest.load import Load
from benchmarks.ingest.stage import Cost, Stage
from benchmarks.ingest.wires import Ear, Publisher
from wattwitness.store.database import Database

_PATIENCE_S = 120.0
_LOOK_S = 0.5
_QUIET_S = 10.0  # without a further row, what is kept aside is taken in


@dataclass(frozen=True, slots=True)
class Drained:
    """What one drain took."""

    load: Load
    took_s: float
    cost: Cost
    proofs: int
    memory_mb: list[float] = field(default_factory=list)  # of the collector, every half second
    broker_mb: float = 0.0  # with everything queued

    @property
    def readings_per_s(self) -> float:
        """Readings that were proven, a second."""
        return self.load.rows / self.took_s

    @property
    def messages_per_s(self) -> float:
        """Messages that were proven, a second."""
        return self.load.messages / self.took_s


def drain(stage: Stage, load: Load) -> Drained:
    """Publish while the collector is away, then let it catch up; it is stopped again at the end."""
    publisher = Publisher(stage.mqtt_url, load)
    publisher.publish(load.messages)
    publisher.settle()
    publisher.close()
    ear = Ear(stage.mqtt_url, load.epoch)
    broker_mb = stage.memory_mb()[1]
    memory_mb: list[float] = []
    looked_s = 0.0

    def look() -> None:
        nonlocal looked_s
        if time.perf_counter() - looked_s > _LOOK_S:
            stage.check_collector()
            looked_s = time.perf_counter()
            memory_mb.append(stage.memory_mb()[0])

    before = stage.cost()
    start_s = stage.start_collector(b'"connected"')
    before = Cost(stage.cost().collector, before.postgres, before.broker)
    end_s = ear.expect(load, _PATIENCE_S, look)
    cost = stage.cost() - before
    ear.close()
    stage.stop_collector()
    return Drained(load, end_s - start_s, cost, ear.proofs, memory_mb, broker_mb)


async def count_rows(stage: Stage, load: Load) -> int:
    """Readings that the database holds of the load's days."""
    query = """
        SELECT count(*) FROM readings
        WHERE ts >= to_timestamp($1) AND ts < to_timestamp($2)
    """
    start_s = 1_767_225_600 + load.day * 86_400
    async with (
        await Database.open(stage.dsn, application="ingest-judge") as db,
        db.connection() as connection,
    ):
        until_s = 1_767_225_600 + (load.last_day() + 1) * 86_400
        return int(await connection.fetchval(query, start_s, until_s))


async def settled_rows(stage: Stage, load: Load) -> int:
    """The same, once the collector has taken in what it kept aside; it is started for that."""
    stage.start_collector()
    found, before = 0, -1
    while found > before:
        before = found
        await asyncio.sleep(_QUIET_S)
        found = await count_rows(stage, load)
    stage.stop_collector()
    return found
