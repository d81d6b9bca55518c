"""The live simulator: plants → outbox → broker, in step with a simulated clock."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog

from gateway_sim.city import City
from gateway_sim.clock import SimulatedClock
from gateway_sim.feed import PlantFeed
from gateway_sim.messages import bodies
from gateway_sim.outbox import Outbox
from gateway_sim.postman import Postman
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.wire.broker_address import BrokerAddress

TICK_S: Final = 0.2  # real time between looks at the clock
CATCH_UP_US: Final = 30 * 60 * 1_000_000  # simulated time per step while behind
OUTBOX_MOST: Final = 20_000  # catching up waits while more than this is not proven
REPORT_S: Final = 60.0
log = structlog.get_logger()


def new_epoch() -> str:
    """A name for this start; never used before."""
    return uuid4().hex[:8]


def postmen(
    outbox: Outbox,
    address: BrokerAddress,
    gateways: Sequence[str],
    clock: SimulatedClock,
    *,
    per_gateway: bool,
) -> list[Postman]:
    """Who carries the messages: one for all, or one per gateway with its own last will.

    One connection is not the limit; a thousand connections cost the broker a
    thousand sockets and show the centre nothing more than last wills. So one is the default.
    """
    known = sorted({*gateways, *(s.gateway for s in outbox.stretches())})
    if per_gateway:
        return [Postman(outbox, address, [gateway], clock.now_us, single=True) for gateway in known]
    return [Postman(outbox, address, known, clock.now_us)]


async def run_live(
    lifecycle: Lifecycle,
    city: City,
    address: BrokerAddress,
    outbox_path: Path | None,
    *,
    rate: float,
    live_from_us: int,
    clock_from_us: int,
    per_gateway: bool = False,
) -> None:
    """Publish the city from `live_from_us` on, until told to stop.

    Args:
        lifecycle: of the process.
        city: whose plants to run.
        address: the broker.
        outbox_path: the outbox file; None = in memory.
        rate: simulated seconds per second.
        live_from_us: readings received from here on are published [µs since 1970].
        clock_from_us: what the simulated clock shows at the start; what lies between is caught up.
        per_gateway: one connection per gateway instead of one for all.

    Raises:
        BrokerUnavailableError: no broker, or it refuses us, at the first attempt.
        SetupError: the outbox cannot be used.
    """
    clock = SimulatedClock(clock_from_us, rate, time.monotonic)
    feeds = {
        plant.blueprint.gateway.gateway_id: PlantFeed(plant, live_from_us) for plant in city.plants
    }
    with Outbox(outbox_path, new_epoch()) as outbox:
        carriers = postmen(outbox, address, list(feeds), clock, per_gateway=per_gateway)
        tasks = [lifecycle.spawn("postman", carrier.run(lifecycle.stop)) for carrier in carriers]
        log.info("live", gateways=len(feeds), broker=str(address), left_over=outbox.count())
        await _feed(lifecycle, city, feeds, outbox, carriers, clock, live_from_us)
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(
    lifecycle: Lifecycle,
    city: City,
    feeds: dict[str, PlantFeed],
    outbox: Outbox,
    carriers: Sequence[Postman],
    clock: SimulatedClock,
    live_from_us: int,
) -> None:
    at_us = live_from_us
    numbers = dict.fromkeys(feeds, 0)
    channels = {
        city.registry.circuit_keys[c.circuit_id]: c.channel for c in city.registry.circuits.values()
    }
    reported_s = time.monotonic()
    while not lifecycle.stop.is_set():
        now_us = clock.now_us()
        behind = now_us - at_us > CATCH_UP_US
        at_us = min(now_us, at_us + CATCH_UP_US)
        if sum(carrier.waiting for carrier in carriers) < OUTBOX_MOST or not behind:
            await _step(feeds, outbox, carriers, channels, numbers, at_us)
        else:
            at_us -= CATCH_UP_US
        if time.monotonic() - reported_s >= REPORT_S:
            reported_s = time.monotonic()
            log.info("live", published=sum(c.published for c in carriers), kept=outbox.count())
        if await lifecycle.sleep(0.0 if behind else TICK_S):
            return


async def _step(
    feeds: dict[str, PlantFeed],
    outbox: Outbox,
    carriers: Sequence[Postman],
    channels: dict[int, str],
    numbers: dict[str, int],
    at_us: int,
) -> None:
    """Put everything that has left its gateway by `at_us` into the outbox."""
    items: list[tuple[str, int, bytes]] = []
    for gateway, feed in feeds.items():
        rows = feed.due(at_us)
        if len(rows):
            found = [(gateway, born, body) for born, body in bodies(rows, channels)]
            numbers[gateway] += len(found)
            items += found
            await asyncio.sleep(0)  # the postman works in the same loop
    if not items:
        return
    outbox.append(items)
    told = {gateway: numbers[gateway] for gateway, _, _ in items}
    for carrier in carriers:
        carrier.added([(g, n) for g, n in told.items() if g in carrier.gateways])
