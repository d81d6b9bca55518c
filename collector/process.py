"""The collector process: opens what it needs, runs the loop, drains when told to stop."""

import asyncio
import gc
import random
import time
from typing import Final
from urllib.parse import quote

import structlog

from collector.asides import take_aside
from collector.bounds import Calendar
from collector.collecting import Collecting
from collector.core import Core, Policy
from collector.decode import Places
from collector.ledger import MAX_EPOCHS_PER_GATEWAY
from collector.metrics import Metrics
from collector.mqtt_source import MqttSource
from collector.parking import take_in
from collector.postgres_sink import PostgresSink
from collector.upkeep import maintain_hourly, retention_of, roll_up
from collector.waiting import Flood
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestOutcome
from wattwitness.domain.registry import Registry
from wattwitness.runtime.backoff import Backoff
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.runtime.role import only_one
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.store.behind import Behind, mend_latest
from wattwitness.store.circuit_facts import circuit_facts
from wattwitness.store.clock import trusted_time
from wattwitness.store.database import Database, limited
from wattwitness.store.epochs import forget_epochs, load_epochs
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import load_registry, registry_revision
from wattwitness.store.set_aside import aside_bytes
from wattwitness.wire.broker_address import BrokerAddress

log = structlog.get_logger()
REGISTRY_POLL_S: Final = 2.0
REGISTRY_PATIENCE_S = 30.0  # a half-open connection must not keep new circuits waiting
CLOCK_S: Final = 10.0
PATIENCE_S: Final = 30.0  # for a database that is just starting
_MOST_IN_FLIGHT: Final = 65_535  # what MQTT can number


def policy_of(settings: Settings) -> Policy:
    """The core's policy as set."""
    return Policy(
        calendar=Calendar.of(settings),
        batch_readings=settings.batch_readings,
        most_readings=settings.batch_most_readings,
        batch_wait_s=settings.batch_wait_s,
        max_payload_bytes=settings.max_payload_bytes,
        stale_messages=window_of(settings),
        flood=Flood(settings.flood_factor, most_bytes=settings.flood_aside_mb * 1_000_000),
    )


def window_of(settings: Settings) -> int:
    """Un-acknowledged messages the broker may send: three batches of one-reading messages.

    One is written, one is planned, one gathers.
    """
    largest = max(settings.batch_readings, settings.batch_most_readings)
    return min(_MOST_IN_FLIGHT, max(1000, 3 * largest))


async def collect(
    settings: Settings, lifecycle: Lifecycle, make_source: type[MqttSource] = MqttSource
) -> None:
    """Collect until told to stop; then commit what is in hand.

    Args:
        settings: where the services are, how batches close.
        lifecycle: tells when to stop.
        make_source: the source to use (benchmarks put a faulty one here).

    Raises:
        StoreUnavailableError: no database at the start.
        BrokerUnavailableError: no broker at the start, or it refuses us.
        SetupError: the metrics' address is taken, or this collector runs already.
    """
    metrics = Metrics()
    metrics.serve(settings.collector_metrics)
    if settings.mqtt_url:
        BrokerAddress.parse(settings.mqtt_url)  # a wrong one is told before anything starts
    # two collectors of one name would take the session from each other without end
    role = f"collect as {quote(settings.collector_id, safe='')}"
    with only_one(settings.home, role):
        async with (
            services(settings, database=True, broker=True) as where,
            await _open_database(where.dsn, settings) as db,
        ):
            await upgrade(db)
            address = BrokerAddress.parse(where.mqtt_url)
            source = make_source(address, settings.collector_id, window_of(settings), Backoff())
            registry = await load_registry(db)
            collecting = await _collecting(db, settings, registry, source, metrics)
            corrected = await _set_clock(db, source, corrected=False)
            _collect_garbage_seldom()
            await source.connect()
            log.info("collecting", broker=str(address), circuits=len(registry.circuits))
            lifecycle.spawn("maintenance", maintain_hourly(db, retention_of(settings)))
            lifecycle.spawn("rollups", roll_up(db, lambda: collecting.busy))
            lifecycle.spawn("registry", _watch_registry(db, collecting, registry.revision))
            lifecycle.spawn("clock", _watch_clock(db, source, corrected=corrected))
            await _loop(lifecycle, source, collecting)


def _collect_garbage_seldom() -> None:
    """Messages in hand are many objects, and none of them is in a cycle: looking is wasted time.

    What lives from the start to the end is not looked at any more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 10)


async def _collecting(
    db: Database, settings: Settings, registry: Registry, source: MqttSource, metrics: Metrics
) -> Collecting:
    """The loop around a core that knows the registry and what was committed before."""
    policy = policy_of(settings)
    await forget_epochs(db, MAX_EPOCHS_PER_GATEWAY)
    chance = random.Random()  # noqa: S311 - jitter
    core = Core(policy, Places.of(registry), await load_epochs(db), chance, await aside_bytes(db))
    sink = PostgresSink(db)
    db.behind = Behind(settings.collector_id)
    db.facts = await circuit_facts(db)
    await mend_latest(db, writer=settings.collector_id)  # what an earlier one of us left

    async def unpark(places: Places) -> IngestOutcome | None:
        return await take_in(db, sink, places, policy.calendar)

    async def unaside(places: Places) -> tuple[str, int, IngestOutcome] | None:
        return await take_aside(db, sink, places, policy.calendar)

    return Collecting(core, source, sink, metrics, unpark, unaside)


async def _loop(lifecycle: Lifecycle, source: MqttSource, collecting: Collecting) -> None:
    """Everything at once until told to stop; then commit what is in hand."""
    lifecycle.spawn("connection", source.run())
    receiving = lifecycle.spawn("receive", collecting.receive())
    writing = lifecycle.spawn("write", collecting.write())
    await lifecycle.stop.wait()
    receiving.cancel()
    collecting.drain()
    await asyncio.wait([writing])
    await source.close()
    log.info("stopped")


async def _open_database(dsn: str, settings: Settings) -> Database:
    """Open the database; one that is away is waited for, as after a power cut."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await Database.open(dsn, application="collector", zone=settings.zone)
        except StoreUnavailableError as error:
            away = "cannot be reached" in error.message  # else: refused, which lasts
            if not away or time.monotonic() >= deadline_s:
                raise
            log.warning("waiting_for_database", error=str(error))
            await asyncio.sleep(1.0)


async def _set_clock(db: Database, source: MqttSource, *, corrected: bool) -> bool:
    """Set the clock that dates messages; whether ours had to be corrected.

    In between it runs by itself, so that a clock that jumps is found out before it dates anything.
    """
    now = await trusted_time(db)
    source.set_clock(now.at_us)
    if bool(now.corrected_us) != corrected:
        event = "clock_differs" if now.corrected_us else "clock_agrees"
        log.warning(event, lacks_s=now.corrected_us / 1e6)
    return bool(now.corrected_us)


async def _watch_clock(db: Database, source: MqttSource, *, corrected: bool) -> None:
    """Keep the clock that dates messages right."""
    while True:
        await asyncio.sleep(CLOCK_S)
        try:
            corrected = await _set_clock(db, source, corrected=corrected)
        except StoreUnavailableError as error:
            log.debug("clock_not_compared", error=str(error))


async def _watch_registry(db: Database, collecting: Collecting, known: int) -> None:
    """Tell the loop whenever the registry has changed."""
    while True:
        await asyncio.sleep(REGISTRY_POLL_S)
        try:
            with limited(REGISTRY_PATIENCE_S):
                revision = await registry_revision(db)
                if revision == known:
                    continue
                registry = await load_registry(db)
        except StoreUnavailableError as error:
            log.debug("registry_not_read", error=str(error))
            continue
        known = registry.revision
        collecting.learn(Places.of(registry))
        log.info("registry_learned", revision=known, circuits=len(registry.circuits))
