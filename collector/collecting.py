"""The loop around the core: source to core, core to sink, and the answers back."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from collector.core import Batch, Core
from collector.decode import Places
from collector.metrics import Metrics
from collector.sink import Sink
from collector.source import Source
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestOutcome

log = structlog.get_logger()
DRAIN_S: Final = 15.0  # how long a stopping collector waits for a database that is away

TakeIn = Callable[[Places], Awaitable[IngestOutcome | None]]  # one slice; None = nothing left


class Collecting:
    """Runs a core between a source and a sink until it is told to stop."""

    def __init__(
        self, core: Core, source: Source, sink: Sink, metrics: Metrics, take_in: TakeIn
    ) -> None:
        self._core = core
        self._source = source
        self._sink = sink
        self._metrics = metrics
        self._take_in = take_in
        self._take_in_at_s: float | None = 0.0  # None: nothing to look for
        self._woken = asyncio.Event()
        self._stopping = False

    def learn(self, places: Places) -> None:
        """The registry changed: use it from the next batch on, then look into the parking."""
        self._core.places = places
        self._take_in_at_s = time.monotonic()
        self._woken.set()

    async def receive(self) -> None:
        """Feed the core from the source, for ever."""
        while True:
            messages = await self._source.receive()
            self._metrics.messages.inc(len(messages))
            self._core.receive(messages, time.monotonic())
            self._woken.set()

    async def write(self) -> None:
        """Write batch after batch; ends after `drain`, once nothing is left or time is up.

        Fresh messages and the parking take turns, so that neither starves.
        """
        while not self._stopping:
            self._woken.clear()
            batch = self._core.next_batch(time.monotonic())
            if batch is not None:
                await self._write(batch)
            if self._take_in_at_s is not None and time.monotonic() >= self._take_in_at_s:
                await self._look_into_parking()
            elif batch is None:
                await self._sleep_until(self._wake_at_s())
        deadline_s = time.monotonic() + DRAIN_S
        while self._core.held and time.monotonic() < deadline_s:
            batch = self._core.next_batch(time.monotonic(), final=True)
            if batch is None:
                await asyncio.sleep(0.05)
            else:
                await self._write(batch)
        if self._core.held:
            log.warning("left_with_broker", messages=self._core.held)

    def drain(self) -> None:
        """Receive no more; commit what is in hand, then end `write`."""
        self._stopping = True
        self._woken.set()

    async def _write(self, batch: Batch) -> None:
        started_s = time.monotonic()
        try:
            await self._sink.note_statuses(batch.statuses)
            outcome = await self._sink.write(batch.ingest)
        except StoreUnavailableError as error:
            delay_s = self._core.failed(time.monotonic())
            self._metrics.failures.inc()
            log.warning("write_failed", error=str(error), again_in_s=round(delay_s, 2))
            return
        now_s = time.monotonic()
        settlement = self._core.committed(batch, now_s, time.time_ns() // 1_000_000)
        self._source.prove(settlement.proofs)
        self._source.commit(settlement.tokens)
        if batch.places is not self._core.places:  # what it parked may have a place by now
            self._take_in_at_s = now_s
        self._note(batch, outcome, now_s - started_s, now_s)
        self._metrics.proofs.inc(len(settlement.proofs))

    def _note(self, batch: Batch, outcome: IngestOutcome, took_s: float, now_s: float) -> None:
        self._metrics.count(outcome)
        self._metrics.write_seconds.observe(took_s)
        self._metrics.lag_seconds.observe(now_s - batch.held[0].since_s)
        self._metrics.unknown_fields.inc(batch.unknown_fields)
        self._metrics.held.set(self._core.held)
        self._metrics.holes.set(len(self._core.missing()))
        log.debug("committed", messages=len(batch.held), stored=outcome.stored, seconds=took_s)

    async def _look_into_parking(self) -> None:
        """Take one slice in; looked for again until nothing is left."""
        places = self._core.places
        try:
            outcome = await self._take_in(places)
        except StoreUnavailableError as error:
            delay_s = self._core.policy.retry.delay_s(2, random.Random())  # noqa: S311 - jitter
            self._take_in_at_s = time.monotonic() + delay_s
            log.warning("parking_not_read", error=str(error), again_in_s=round(delay_s, 2))
            return
        if outcome is not None:
            self._metrics.count(outcome)
            log.info("parked_taken_in", readings=outcome.received, stored=outcome.stored)
        elif places is self._core.places:  # else: the registry changed while we looked
            self._take_in_at_s = None

    def _wake_at_s(self) -> float | None:
        times = (self._core.wake_at_s(), self._take_in_at_s)
        return min((at_s for at_s in times if at_s is not None), default=None)

    async def _sleep_until(self, wake_at_s: float | None) -> None:
        timeout_s = None if wake_at_s is None else max(0.0, wake_at_s - time.monotonic())
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return
