"""How each sort of fault is done, and whether it hit anything."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from benchmarks.chaos import plan
from benchmarks.chaos.book import DAY_MS
from benchmarks.chaos.gateway import Gateway
from benchmarks.chaos.plan import Fault, Kind
from benchmarks.chaos.stage import Stage

_COLLECTORS_PATIENCE_S: Final = 300.0  # to find out about a half-open connection by itself
_REPLAYED_AT_ONCE: Final = 25
_DEAF: Final = 0.5  # share of half-open connections on which the sender's buffers fill as well
_COLLECTOR_JUMPS_S: Final = {
    plan.BACK: (-40 * 86_400, -5 * 86_400),
    plan.AHEAD: (5 * 86_400, 7_200),
}
_GATEWAY_JUMPS_MS: Final = (-40 * DAY_MS, -2 * DAY_MS, -DAY_MS, DAY_MS // 3)
Audit = Callable[[Gateway], Awaitable[None]]


class Freezes(Protocol):
    """What can be stopped and go on."""

    def freeze(self, *, on: bool) -> bool:
        """Returns whether it runs."""
        ...


class Injector:
    """Does faults; each method returns whether it was effective."""

    def __init__(self, stage: Stage, audit: Audit) -> None:
        self._stage = stage
        self._audit = audit  # before a replay puts right what was wrong
        self._do: Mapping[Kind, Callable[[Fault], Awaitable[bool]]] = {
            Kind.KILL: self._kill,
            Kind.KILL_TWICE: self._kill_twice,
            Kind.FREEZE: self._freeze,
            Kind.CUT: self._cut,
            Kind.HALF_OPEN: self._half_open,
            Kind.SLOW: self._slow,
            Kind.LOSE_SESSION: self._lose_session,
            Kind.FILL_DISK: self._fill_disk,
            Kind.REPLAY: self._replay,
            Kind.RESTART: self._restart,
            Kind.JUMP: self._jump,
        }

    async def inject(self, fault: Fault) -> bool:
        """Do it, wait until it is over; what it stopped runs again, or is about to."""
        return await self._do[fault.sort.kind](fault)

    async def _kill(self, fault: Fault) -> bool:
        stage = self._stage
        match fault.sort.place:
            case plan.COLLECTOR:
                return stage.collector.kill()
            case plan.BACKEND:
                return await stage.database.kill_backend()
            case plan.BROKER:
                hit = stage.broker.kill()
                await asyncio.sleep(fault.lasts_s)
                await stage.broker.start()
            case _:
                hit = stage.database.kill()
                await asyncio.sleep(fault.lasts_s)
                await stage.database.start()
        return hit

    async def _kill_twice(self, fault: Fault) -> bool:
        """The second one while it recovers from the first."""
        stage = self._stage
        match fault.sort.place:
            case plan.COLLECTOR:
                first = stage.collector.kill()
                stage.collector.start()
                await asyncio.sleep(fault.lasts_s)
                second = stage.collector.kill()
            case plan.BROKER:
                first = stage.broker.kill()
                starting = asyncio.create_task(stage.broker.start())
                await asyncio.sleep(fault.lasts_s)
                second = stage.broker.kill()
                await starting
                await stage.broker.start()
            case _:
                first = stage.database.kill()
                stage.database.launch()
                await asyncio.sleep(fault.lasts_s)
                second = stage.database.kill()
                await stage.database.start()
        return first and second

    async def _freeze(self, fault: Fault) -> bool:
        stage = self._stage
        victims: dict[str, Freezes] = {
            plan.COLLECTOR: stage.collector,
            plan.BROKER: stage.broker,
            plan.DATABASE: stage.database,
        }
        victim = victims[fault.sort.place]
        hit = victim.freeze(on=True)
        await asyncio.sleep(fault.lasts_s)
        return victim.freeze(on=False) and hit

    async def _cut(self, fault: Fault) -> bool:
        link = self._stage.links[fault.sort.place]
        link.refuse(on=True)
        hit = link.cut()
        await asyncio.sleep(fault.lasts_s)
        link.refuse(on=False)
        return hit > 0

    async def _half_open(self, fault: Fault) -> bool:
        link = self._stage.links[fault.sort.place]
        before = link.swallowed
        hit = link.half_open(deaf=fault.dice < _DEAF)
        if fault.lasts_s == plan.FOR_EVER:
            await self._until_proofs_move(_COLLECTORS_PATIENCE_S)
        else:
            await asyncio.sleep(fault.lasts_s)
        swallowed = link.swallowed - before
        link.reset_half_open()
        return hit > 0 and swallowed > 0

    async def _slow(self, fault: Fault) -> bool:
        link = self._stage.links[fault.sort.place]
        before = link.slowed
        link.slow_down(0.02 + 0.3 * fault.dice, 30_000.0)
        await asyncio.sleep(fault.lasts_s)
        link.slow_down(0.0, 0.0)
        return link.slowed > before

    async def _lose_session(self, fault: Fault) -> bool:
        broker = self._stage.broker
        if fault.sort.place == plan.BY_EXPIRY:
            return await broker.expire_session()
        hit = broker.kill()
        broker.forget_sessions()
        await asyncio.sleep(fault.lasts_s)
        await broker.start()
        return hit

    async def _fill_disk(self, fault: Fault) -> bool:
        """Effective if the collector was refused, or the database gave up."""
        stage, database = self._stage, self._stage.database
        if not database.disk.limited:
            return False
        place = stage.collector.log_size()
        database.disk.fill()
        filling = None
        if fault.sort.place == plan.WAL:
            filling = asyncio.create_task(database.fill_log())
        await asyncio.sleep(fault.lasts_s)
        fell = not database.runs
        database.disk.relieve()
        if filling is not None:
            await filling
        await database.start()
        return fell or b"write_failed" in stage.collector.said(place)

    async def _replay(self, fault: Fault) -> bool:
        gateway = self._one(fault)
        await self._audit(gateway)
        again = gateway.everything(new_epoch=fault.dice * 97 % 1 < 0.5)
        for k, (epoch, seq) in enumerate(again):
            gateway.publish(epoch, seq, resent=True)
            if k % _REPLAYED_AT_ONCE == 0:
                await asyncio.sleep(0.02)
        return len(again) > 0

    async def _restart(self, fault: Fault) -> bool:
        gateway = self._one(fault)
        gateway.measure()  # so that something is in its outbox
        await asyncio.to_thread(gateway.stop)
        gateway.hear()
        kept = gateway.kept
        await asyncio.sleep(fault.lasts_s)
        gateway.restart()
        return kept > 0

    async def _jump(self, fault: Fault) -> bool:
        before = self._stage.proofs
        if fault.sort.place == plan.GATEWAY:
            gateway = self._one(fault)
            measured = len(gateway.book.messages)
            by_ms = _GATEWAY_JUMPS_MS[int(fault.dice * len(_GATEWAY_JUMPS_MS))]
            gateway.jump(by_ms)
            await asyncio.sleep(fault.lasts_s)
            gateway.jump(-by_ms)
            return len(gateway.book.messages) > measured
        self._stage.shift_clock(_COLLECTOR_JUMPS_S[fault.sort.place][int(fault.dice * 2)])
        await asyncio.sleep(fault.lasts_s)
        await self._until_proofs_move(20.0, before)
        self._stage.shift_clock(0.0)
        return self._stage.proofs > before

    def _one(self, fault: Fault) -> Gateway:
        """The gateway that the dice say."""
        gateways = self._stage.gateways
        return gateways[int(fault.dice * 9973) % len(gateways)]

    async def _until_proofs_move(self, most_s: float, before: int | None = None) -> None:
        stage = self._stage
        deadline_s = time.monotonic() + most_s
        if before is None:
            await asyncio.sleep(1.0)  # what is on its way
            before = stage.proofs
        while stage.proofs <= before and time.monotonic() < deadline_s:  # noqa: ASYNC110 - threads
            await asyncio.sleep(0.1)
