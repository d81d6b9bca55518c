"""One run: gateways publish, faults happen, the dust settles, the judge comes."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from benchmarks.chaos.book import Message
from benchmarks.chaos.faults import Injector
from benchmarks.chaos.gateway import Gateway
from benchmarks.chaos.judge import Case, Verdict, absent_of, count_stored, judge
from benchmarks.chaos.plan import Fault, groups
from benchmarks.chaos.stage import Stage
from wattwitness.domain.errors import StoreUnavailableError

_AT_WORK_S: Final = 300.0
_TRIES: Final = 3  # for a fault that hit nothing
_TICK_S: Final = 0.01
_QUIET_S: Final = 90.0  # the dust has settled when nothing moved for so long
_QUIET_TRUSTING_S: Final = 20.0  # nobody sends again: what does not come soon does not come
_LEAD_S: Final = 5.0  # of publishing before the first fault


class StuckError(Exception):
    """The collector does not come back to work."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A fault that was done."""

    fault: Fault
    from_s: float  # monotonic
    to_s: float
    effective: bool


@dataclass(slots=True)
class Outcome:
    """What a run gave."""

    verdict: Verdict
    hurt: Sequence[Message]
    moments: Sequence[Moment]
    stage: Stage
    start_s: float
    messages: int
    sent_again: int
    exit_code: int | None
    complaints: Sequence[str]
    longest_silence_s: float
    ended: Sequence[int]

    def effective(self) -> Counter[str]:
        """How many faults of each sort hit."""
        return Counter(m.fault.sort.name for m in self.moments if m.effective)


@dataclass(slots=True)
class Pace:
    """How much is published."""

    per_s: float  # messages, all gateways together
    at_least: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Play:
    """Runs a plan on a stage."""

    def __init__(self, stage: Stage, plan: Sequence[Fault], pace: Pace, *, trust: bool) -> None:
        self._stage, self._plan, self._pace, self._trust = stage, plan, pace, trust
        self._injector = Injector(stage, self._audit)
        self._start_s = time.monotonic()
        self._moments: list[Moment] = []
        self._absent: dict[str, set[int]] = {}
        self._moved_s = self._start_s
        self._silence_s = 0.0

    async def run(self) -> Outcome:
        """Play it and judge it."""
        stage = self._stage
        await stage.open()
        self._start_s = self._moved_s = time.monotonic()
        reviving = asyncio.create_task(stage.collector.revive())
        publishing = asyncio.create_task(self._publish())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._faults())
                group.create_task(_fail_with(publishing))
            await self._settle()
            reviving.cancel()
            code = await asyncio.to_thread(stage.collector.stop)
            self._say(f"collector ended with {code}")
            for gateway in stage.gateways:
                gateway.hear()
            verdict, hurt = await judge(stage.database, self._case())
            return self._outcome(verdict, hurt, code)
        finally:
            reviving.cancel()
            publishing.cancel()

    async def _faults(self) -> None:
        await asyncio.sleep(_LEAD_S)
        try:
            for group in groups(self._plan):
                await self._group(group)
        except StuckError:
            self._say(f"STUCK: no proof for {_AT_WORK_S:.0f} s; the other faults are left out")
        finally:
            self._pace.done.set()

    async def _group(self, group: Sequence[Fault]) -> None:
        """One fault, or two at once; what hit nothing is tried again alone."""
        left = list(group)
        for _ in range(_TRIES):
            await self._until_at_work()
            await asyncio.sleep(group[0].wait_s)
            async with asyncio.TaskGroup() as tasks:
                done = [
                    tasks.create_task(self._inject(fault, k * fault.wait_s / 2))
                    for k, fault in enumerate(left)
                ]
            left = [m.fault for m in (task.result() for task in done) if not m.effective]
            if not left:
                return
        for fault in left:
            self._say(f"{fault.name} hit nothing, {_TRIES} times")

    async def _inject(self, fault: Fault, after_s: float) -> Moment:
        await asyncio.sleep(after_s)
        from_s = time.monotonic()
        kept = self._stage.kept
        together = ", together" if fault.together else ""
        self._say(f"{fault.name} ({fault.lasts_s:.2f} s{together}); {kept} messages unproven")
        hit = await self._injector.inject(fault)
        if not hit:
            self._say(f"{fault.name} hit nothing")
        moment = Moment(fault, from_s, time.monotonic(), hit)
        self._moments.append(moment)
        return moment

    async def _publish(self) -> None:
        """Until the faults are over, and at least as much as was asked for."""
        stage, pace = self._stage, self._pace
        published = 0
        while not pace.done.is_set() or published < pace.at_least:
            due = int((time.monotonic() - self._start_s) * pace.per_s)
            for k in range(published, min(due, published + 50)):
                stage.gateways[k % len(stage.gateways)].measure()
                published += 1
            self._look()
            await asyncio.sleep(_TICK_S)
        self._say(f"published {published} messages")

    def _look(self) -> None:
        proofs = self._stage.proofs
        for gateway in self._stage.gateways:
            gateway.look()
        now_s = time.monotonic()
        if self._stage.proofs > proofs or not self._stage.kept:
            self._moved_s = now_s
        self._silence_s = max(self._silence_s, now_s - self._moved_s)

    async def _until_at_work(self) -> None:
        """Wait until the collector is up, proofs move on, and messages are on their way."""
        stage = self._stage
        deadline_s = time.monotonic() + _AT_WORK_S
        before: int | None = None
        while before is None or stage.proofs <= before or not stage.kept:
            if time.monotonic() > deadline_s:
                raise StuckError
            if before is None and stage.collector.is_up():
                before = stage.proofs
            await asyncio.sleep(0.05)

    async def _settle(self) -> None:
        """Wait until all is proven, or nothing has moved for a while."""
        quiet_s = _QUIET_TRUSTING_S if self._trust else _QUIET_S
        seen, seen_at_s = (-1, -1), time.monotonic()
        while time.monotonic() - seen_at_s < quiet_s and self._stage.kept:
            now = (self._stage.proven, await count_stored(self._stage.database))
            if now != seen:
                seen, seen_at_s = now, time.monotonic()
            for _ in range(20):
                self._look()
                await asyncio.sleep(0.02)
        self._say("the dust has settled")

    async def _audit(self, gateway: Gateway) -> None:
        """A replay would heal what is absent: look before."""
        with suppress(StoreUnavailableError):
            absent = await absent_of(self._stage.database, gateway.book)
            self._absent.setdefault(gateway.book.gateway_id, set()).update(absent)

    def _case(self) -> Case:
        gateways = self._stage.gateways
        return Case(
            self._stage.books,
            {g.book.gateway_id: g.kept_messages for g in gateways},
            self._trust,
            self._absent,
            sum(g.unknown_told for g in gateways),
        )

    def _outcome(self, verdict: Verdict, hurt: Sequence[Message], code: int | None) -> Outcome:
        stage = self._stage
        return Outcome(
            verdict=verdict,
            hurt=hurt,
            moments=self._moments,
            stage=stage,
            start_s=self._start_s,
            messages=sum(len(book.messages) for book in stage.books),
            sent_again=sum(g.sent_again for g in stage.gateways),
            exit_code=code,
            complaints=stage.collector.complaints(),
            longest_silence_s=self._silence_s,
            ended=stage.collector.ended,
        )

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._start_s:7.2f} s  {text}", flush=True)


async def _fail_with(task: asyncio.Task[None]) -> None:
    await task
