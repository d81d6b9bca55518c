"""The loop around the core: source to core, core to sink, and the answers back."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from collector.core import Batch, Core
from collector.decode import Places
from collector.metrics import Metrics
from collector.sink import Sink
from collector.source import Incoming, Source
from wattwitness.domain.errors import StoreRefusesError, StoreUnavailableError
from wattwitness.domain.ingest import AtWork, IngestOutcome

log = structlog.get_logger()
IDLE_CATCH_UP_S: Final = 0.5  # the newest values are at most so old while nothing waits
BUSY_CATCH_UP_S: Final = 5.0  # and so old while there is always more to write
AHEAD_S: Final = 0.001  # for the rows of a batch to be on their way before others are looked at
STORE_FIRST_S: Final = 0.25  # a store that takes longer may be away: then we take in as ever
TURN_BYTES: Final = 64 * 1024  # of payload that are decoded before the event loop goes on
ASIDE_S: Final = 1.0
DRAIN_S: Final = 15.0  # how long a stopping collector waits for a database that is away

TakeAside = Callable[[Places], Awaitable[tuple[str, int, IngestOutcome] | None]]
TakeIn = Callable[[Places], Awaitable[IngestOutcome | None]]  # one slice; None = nothing left


class Collecting:
    """Runs a core between a source and a sink until it is told to stop."""

    def __init__(
        self,
        core: Core,
        source: Source,
        sink: Sink,
        metrics: Metrics,
        take_in: TakeIn,
        take_aside: TakeAside | None = None,
    ) -> None:
        self._core = core
        self._source = source
        self._sink = sink
        self._metrics = metrics
        self._take_in = take_in
        self._take_aside = take_aside
        self._aside_at_s = 0.0
        self._take_in_at_s: float | None = 0.0  # None: nothing to look for
        self._woken = asyncio.Event()
        self._free = asyncio.Event()  # cleared while the store waits for our next word …
        self._free.set()
        self._waits_since_s = 0.0  # … since then
        self._stopping = False
        self._caught_up_s = time.monotonic()

    def learn(self, places: Places) -> None:
        """The registry changed: use it from the next batch on, then look into the parking."""
        self._core.places = places
        self._take_in_at_s = time.monotonic()
        self._woken.set()

    @property
    def busy(self) -> bool:
        """Whether more waits than is taken at once; what is not urgent may come later."""
        return self._core.held >= self._core.policy.pressure_messages

    async def receive(self) -> None:
        """Feed the core from the source, for ever."""
        while True:
            messages = await self._source.receive()
            self._metrics.messages.inc(len(messages))
            for some in in_turns(messages):
                await self._store_first()
                self._core.receive(some, time.monotonic())
                self._plan_ahead()
                self._woken.set()
                await asyncio.sleep(0)

    async def _store_first(self) -> None:
        """Let a store that waits for us have its batch first; ours is not urgent then.

        Not for long: what nobody takes in after each new connection would pile up.
        """
        while (self._sink.is_preparing or self._core.is_ahead) and not self._free.is_set():
            try:
                async with asyncio.timeout_at(self._waits_since_s + STORE_FIRST_S):
                    await self._free.wait()
            except TimeoutError:
                return
            await asyncio.sleep(AHEAD_S)

    async def write(self) -> None:
        """Write batch after batch; ends after `drain`, once nothing is left or time is up.

        Fresh messages and the parking take turns, so that neither starves.
        """
        while not self._stopping:
            self._woken.clear()
            batch = self._core.next_batch(time.monotonic())
            if batch is not None:
                await self._write(batch)
            await self._catch_up(idle=not self._core.held)
            if self._take_in_at_s is not None and time.monotonic() >= self._take_in_at_s:
                await self._look_into_parking()
            elif batch is None and not await self._look_aside():
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
        await self._catch_up(idle=True, final=True)

    @asynccontextmanager
    async def _planning(self) -> AsyncIterator[AtWork]:
        """Inside, a batch is written; once the store is at work, the next one is got ready."""
        self._store_is_at_work(False)
        ahead = asyncio.create_task(self._plan_soon())
        try:
            yield self._store_is_at_work
        finally:
            self._free.set()
            if not ahead.cancel():
                ahead.result()  # a fault of ours ends the collector, wherever it shows

    def _store_is_at_work(self, at_work: bool) -> None:  # noqa: FBT001 - as `AtWork` is called
        if at_work:
            self._free.set()
        else:
            self._free.clear()
            self._waits_since_s = asyncio.get_running_loop().time()

    async def _plan_soon(self) -> None:
        """Plan what is there already; what comes is planned when it comes."""
        await self._free.wait()
        await asyncio.sleep(AHEAD_S)
        self._plan_ahead()

    def _plan_ahead(self) -> None:
        """While a batch is written, get the next one ready, so that the store need not wait."""
        if self._free.is_set() and (ahead := self._core.plan_ahead()) is not None:
            self._sink.prepare(ahead.ingest)

    def drain(self) -> None:
        """Receive no more; commit what is in hand, then end `write`."""
        self._stopping = True
        self._woken.set()

    async def _write(self, batch: Batch) -> None:
        started_s = time.monotonic()
        try:
            await self._sink.note_statuses(batch.statuses)
            async with self._planning() as at_work:
                outcome = await self._sink.write(batch.ingest, at_work)
        except StoreUnavailableError as error:
            delay_s = self._core.failed(time.monotonic())
            self._metrics.failures.inc()
            log.warning("write_failed", error=str(error), again_in_s=round(delay_s, 2))
            return
        except StoreRefusesError as error:  # about what is in it: trying the same again is no use
            self._core.refused(batch, error.message, time.monotonic())
            self._metrics.refusals.inc()
            log.warning("store_refuses", messages=len(batch.held), error=error.message)
            return
        now_s = time.monotonic()
        settlement = self._core.committed(batch, now_s, time.time_ns() // 1_000_000)
        self._source.prove(settlement.proofs)
        self._source.commit(settlement.tokens)
        if batch.places is not self._core.places:  # what it parked may have a place by now
            self._take_in_at_s = now_s
        self._note(batch, outcome, now_s - started_s, now_s)
        self._metrics.proofs.inc(len(settlement.proofs))

    async def _catch_up(self, *, idle: bool, final: bool = False) -> None:
        """Let the sink do what it puts off while there is more to write."""
        now_s = time.monotonic()
        wait_s = 0.0 if final else IDLE_CATCH_UP_S if idle else BUSY_CATCH_UP_S
        if not self._sink.is_behind or now_s < self._caught_up_s + wait_s:
            return
        self._caught_up_s = now_s
        try:
            await self._sink.catch_up()
        except StoreUnavailableError as error:
            log.warning("still_behind", error=str(error))

    def _note(self, batch: Batch, outcome: IngestOutcome, took_s: float, now_s: float) -> None:
        self._metrics.count(outcome)
        self._metrics.write_seconds.observe(took_s)
        self._metrics.lag_seconds.observe(now_s - batch.held[0].since_s)
        self._metrics.unknown_fields.inc(batch.unknown_fields)
        self._metrics.set_aside.inc(sum(len(aside.messages) for aside in batch.ingest.aside))
        self._metrics.aside_bytes.set(self._core.aside_bytes.total())
        self._metrics.held.set(self._core.held)
        self._metrics.holes.set(self._core.holes)
        log.debug("committed", messages=len(batch.held), stored=outcome.stored, seconds=took_s)

    async def _look_aside(self) -> bool:
        """Nothing else waits: take in one block of what was kept aside; whether one was tried."""
        core, now_s = self._core, time.monotonic()
        if self._take_aside is None or not core.aside_bytes or now_s < self._aside_at_s:
            return False
        try:
            taken = await self._take_aside(core.places)
        except StoreUnavailableError as error:
            self._aside_at_s = now_s + core.policy.retry.most_s
            log.warning("aside_not_taken_in", error=str(error))
            return True
        if taken is None:
            core.nothing_aside()
            self._aside_at_s = now_s + ASIDE_S  # what is planned may still be kept aside
        else:
            gateway_id, size, outcome = taken
            core.took_aside(gateway_id, size)
            self._metrics.count(outcome)
        self._metrics.aside_bytes.set(core.aside_bytes.total())
        return True

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
            self._metrics.count_taken_in(outcome)
            log.info("parked_taken_in", readings=outcome.received, stored=outcome.stored)
        elif places is self._core.places:  # else: the registry changed while we looked
            self._take_in_at_s = None

    def _wake_at_s(self) -> float | None:
        wait_s = BUSY_CATCH_UP_S if self._core.held else IDLE_CATCH_UP_S
        behind_s = self._caught_up_s + wait_s if self._sink.is_behind else None
        aside_s = self._aside_at_s if self._take_aside and self._core.aside_bytes else None
        times = (self._core.wake_at_s(), self._take_in_at_s, behind_s, aside_s)
        return min((at_s for at_s in times if at_s is not None), default=None)

    async def _sleep_until(self, wake_at_s: float | None) -> None:
        timeout_s = None if wake_at_s is None else max(0.0, wake_at_s - time.monotonic())
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return


def in_turns(messages: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
    """Messages, as many at a time as the event loop can do without us."""
    start = size = 0
    for k, incoming in enumerate(messages):
        size += len(incoming.payload)
        if size >= TURN_BYTES:
            yield messages[start : k + 1]
            start, size = k + 1, 0
    if start < len(messages):
        yield messages[start:]
