"""The three plays: a backlog drained, a collector killed in mid-stream, a database away."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from benchmarks.peers.collectors import Collector, Where
from benchmarks.peers.judge import Judgement, judge, probes_of
from benchmarks.peers.plan import Plan, probe
from benchmarks.peers.publisher import Publisher
from benchmarks.peers.stage import Stage
from benchmarks.peers.supervised import Supervised
from wattwitness.domain.errors import SetupError

OUTAGE_S: Final = 3.0
_READY_S = 60.0  # for a collector to come up
_STALLED_S = 30.0  # one whose table does not grow for so long has stopped
_QUIET_S = 4.0  # what comes late (a second try, a commit interval) has come by then
_PROBE_EACH_S = 1.0


@dataclass(frozen=True, slots=True)
class Drained:
    """A backlog that waited in the broker."""

    judgement: Judgement
    seconds: float  # from the collector's connection to the last row
    cpu_s: float  # of the collector's process in that time
    restarts: int = 0  # the collector ended by itself

    @property
    def rate(self) -> float:
        """Readings per second."""
        return self.judgement.stored / self.seconds if self.seconds else 0.0

    @property
    def cpu_us(self) -> float:
        """CPU of the collector per reading [µs]."""
        return self.cpu_s / max(1, self.judgement.stored) * 1e6


@dataclass(frozen=True, slots=True)
class Faulted:
    """A stream that met a fault."""

    judgement: Judgement
    restarts: int  # the collector ended by itself
    helped: bool  # it stood still until it was killed and started by hand


class Play:
    """One collector on an empty stage."""

    def __init__(
        self, stage: Stage, collector: Collector, where: Where, process: Supervised, plan: Plan
    ) -> None:
        self._stage, self._tables, self._where = stage, collector.tables, where
        self._process, self._plan = process, plan

    async def begin(self) -> None:
        """Start the collector; it has a session at the broker once a probe came through.

        Raises:
            SetupError: none does; with the collector's last words.
        """
        self._process.start()
        async with self._watched():
            if not await self._takes_probes(_READY_S):
                said = self._process.last_words()
                raise SetupError(f"no reading came through within {_READY_S:.0f} s: {said}")
        self._process.restarts = 0

    async def drain(self) -> Drained:
        """Publish while the collector is away, start it, and time it.

        Raises:
            SetupError: it does not connect.
        """
        await self._process.stop()
        goal = await self._count() + self._plan.total
        await self._publish(rate=0.0)
        self._process.start()
        await self._until_connected()
        start_s, start_cpu_s = time.monotonic(), self._process.cpu_s()
        async with self._watched():
            end_s, end_cpu_s = await self._until_stored(goal)
        judgement = await judge(self._where.dsn, self._tables, self._plan)
        seconds, cpu_s = end_s - start_s, end_cpu_s - start_cpu_s
        return Drained(judgement, seconds, cpu_s, self._process.restarts)

    async def kill(self, rate: float) -> Faulted:
        """`kill -9` the collector in mid-stream; the supervisor starts it again."""

        async def fault() -> None:
            self._process.kill()

        return await self._stream(rate, fault)

    async def outage(self, rate: float) -> Faulted:
        """Crash the database in mid-stream and start it again three seconds later."""

        async def fault() -> None:
            self._stage.crash_database()
            await asyncio.sleep(OUTAGE_S)
            await self._stage.restart_database()

        return await self._stream(rate, fault)

    async def _stream(self, rate: float, fault: Callable[[], Awaitable[None]]) -> Faulted:
        async with self._watched():
            publishing = asyncio.create_task(self._publish(rate))
            await asyncio.sleep(self._plan.messages / rate / 2)
            await fault()
            await publishing
            came_through = await self._takes_probes(_STALLED_S)
            if not came_through:
                self._process.kill()
                await self._takes_probes(_READY_S)
            await self._until_quiet()
        judgement = await judge(self._where.dsn, self._tables, self._plan)
        return Faulted(judgement, self._process.restarts, helped=not came_through)

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """With the supervisor at work."""
        watching = asyncio.create_task(self._process.watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _publish(self, rate: float) -> None:
        plan = self._plan
        publisher = await Publisher.connect(self._where.mqtt_url)
        await publisher.publish(
            ((plan.topic(k), plan.payload(k)) for k in range(plan.messages)), rate
        )
        await publisher.close()

    async def _count(self) -> int:
        connection = await asyncpg.connect(self._where.dsn)
        try:
            return int(await connection.fetchval(self._tables.count))
        finally:
            await connection.close()

    async def _until_connected(self) -> None:
        port = urlsplit(self._where.mqtt_url).port or 0
        deadline_s = time.monotonic() + _READY_S
        while not self._process.is_connected(port):
            if time.monotonic() > deadline_s:
                said = self._process.last_words()
                raise SetupError(f"it does not connect to the broker: {said}")
            await asyncio.sleep(0.02)

    async def _until_stored(self, goal: int) -> tuple[float, float]:
        """When the table came to `goal` rows, or moved last; and the CPU seconds until then."""
        stored, moved = -1, (time.monotonic(), self._process.cpu_s())
        while stored < goal and time.monotonic() - moved[0] < _STALLED_S:
            asked_s = time.monotonic()
            now = await self._count()
            if now != stored:
                stored, moved = now, (time.monotonic(), self._process.cpu_s())
            # asking must not cost what is measured
            await asyncio.sleep(max(0.1, 10 * (time.monotonic() - asked_s)))
        return moved

    async def _takes_probes(self, patience_s: float) -> bool:
        """Whether a probe sent now comes through before the table stands still for `patience_s`.

        Messages keep their order, so everything published before has been handed over by then.
        """
        publisher = await Publisher.connect(self._where.mqtt_url)
        sent: set[int] = set()
        stored, moved_s = -1, time.monotonic()
        try:
            while time.monotonic() - moved_s < patience_s:
                ts_ms = time.time_ns() // 1_000_000
                await publisher.publish([probe(ts_ms)])
                sent.add(ts_ms)
                await asyncio.sleep(_PROBE_EACH_S)
                if sent & await probes_of(self._where.dsn, self._tables):
                    return True
                if (now := await self._count()) != stored:
                    stored, moved_s = now, time.monotonic()
        finally:
            await publisher.close()
        return False

    async def _until_quiet(self) -> None:
        stored = -1
        while (now := await self._count()) != stored:
            stored = now
            await asyncio.sleep(_QUIET_S)
