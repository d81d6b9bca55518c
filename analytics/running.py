"""Runs over many enterprises: one batch to its end, or following live data until told to stop."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import structlog

from analytics.bench import AnalysisStoppedError, Bench, Summary
from analytics.pacing import Pace
from analytics.pipeline import analyse_enterprise
from analytics.together import together
from wattwitness.domain.alerts import open_alerts
from wattwitness.domain.errors import InputRefusedError, StoreUnavailableError, WattWitnessError
from wattwitness.domain.instants import US_PER_MINUTE, from_us, local_day
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.days import (
    DirtyDay,
    analyses_at_once,
    analysing,
    clear_dirty,
    mark_dirty,
    take_dirty,
)
from wattwitness.store.early_warnings import list_warnings
from wattwitness.store.registry import load_registry, registry_revision

POLL_S = 1.0
QUIET_POLLS = 20  # nothing dirty for so long: everybody is brought up to the newest data
STORE_AWAY_S = 5.0
BUSY_S = 0.2  # between two tries to get an enterprise that another process analyses
RETRY_AFTER_S = (60.0, 300.0, 900.0)  # an enterprise whose analysis failed
BEHIND_US = 15 * US_PER_MINUTE  # at the latest when this far behind it
ROUND_S = 5.0  # then it is looked again who waits: late data may have come
TELL_S = 60.0  # how often the log says how far behind it is
ALERT_AHEAD = timedelta(hours=2)  # an alert whose response begins so soon counts as open
Progress = Callable[[int, int], None]
"""Called with (enterprises done, enterprises in all)."""
log = structlog.get_logger()


async def _refreshed(db: Database, bench: Bench) -> Bench:
    """With the registry as it is now."""
    if await registry_revision(db) == bench.registry.revision:
        return bench
    return replace(bench, registry=await load_registry(db))


def chosen_enterprises(bench: Bench, enterprise_ids: Sequence[str]) -> list[str]:
    """The enterprises to analyse; all when none is named.

    Raises:
        InputRefusedError: one of them is not in the registry.
    """
    unknown = sorted(set(enterprise_ids) - bench.registry.enterprises.keys())
    if unknown:
        raise InputRefusedError(
            f"no enterprise {unknown[0]!r} in the registry", "see `wattwitness export testability`"
        )
    return sorted(set(enterprise_ids) or bench.registry.enterprises)


@dataclass(frozen=True, slots=True)
class _Range:
    """What one batch analyses of each enterprise."""

    db: Database
    bench: Bench
    first: date
    last: date

    async def analyse(self, enterprise_id: str) -> Summary:
        """Analyse an enterprise as soon as nobody else does."""
        while True:
            self.bench.check_stop()
            async with analysing(self.db, enterprise_id) as free:
                if free:
                    return await self._analyse_alone(enterprise_id)
            await asyncio.sleep(BUSY_S)

    async def _analyse_alone(self, enterprise_id: str) -> Summary:
        # marked here and not for all at once: who follows would do the same work beside this
        first, last = self.first, self.last
        days = await mark_dirty(self.db, enterprise_id, first, last)
        # after the marks: what changes the registry from here on leaves marks of its own
        bench = await _refreshed(self.db, self.bench)
        reach = await bench.series.watermark()
        newest = date.min if reach is None else local_day(from_us(reach), bench.zone)
        trailing = first if last >= newest else None
        found = await analyse_enterprise(
            bench, enterprise_id, [d.day for d in days], trailing, reach
        )
        await clear_dirty(self.db, days)
        now = await _refreshed(self.db, bench)
        if now is not bench:  # verdicts by a registry that is no more were left out
            await analyse_enterprise(now, enterprise_id, (), None, reach)
        return found


async def analyse_range(
    db: Database,
    bench: Bench,
    from_: datetime,
    to: datetime,
    enterprise_ids: Sequence[str],
    progress: Progress,
) -> Summary:
    """Analyse all local days that [from, to) touches, of these enterprises or of all.

    Raises:
        AnalysisStoppedError: `bench.stop` was set; enterprises that were finished are stored.
    """
    first = local_day(from_, bench.zone)
    last = local_day(to - timedelta(microseconds=1), bench.zone)
    chosen = chosen_enterprises(bench, enterprise_ids)
    total, done = Summary(), 0
    span = _Range(db, bench, first, last)
    gate = asyncio.Semaphore(min(bench.executor.width, analyses_at_once(db)))

    async def one(enterprise_id: str) -> None:
        nonlocal done
        async with gate:
            total.add(await span.analyse(enterprise_id))
        done += 1
        progress(done, len(chosen))

    await together(one(enterprise_id) for enterprise_id in chosen)
    return total


@dataclass(frozen=True, slots=True)
class _Pause:
    """An enterprise whose analysis failed, left alone for a while."""

    failures: int
    until_s: float  # of the follower's clock


@dataclass
class Follower:
    """Keeps up with live data.

    Enterprises with dirty days come first. Those judged before the newest reading of the store
    are brought up to it from time to time, and whenever it is quiet: what a silent plant should
    have sent grows with everybody else's data. An enterprise that somebody else analyses, or whose
    analysis failed a while ago, is left for later. With a pace, so are those of which only the
    newest day has new readings and that were looked at a moment ago.
    """

    db: Database
    bench: Bench
    clock_s: Callable[[], float] = time.monotonic
    pace: Pace | None = None
    judged_until: dict[str, int] = field(default_factory=dict)  # enterprise → watermark [µs]
    paused: dict[str, _Pause] = field(default_factory=dict)
    quiet_polls: int = 0
    waiting_s: dict[str, float] = field(default_factory=dict)  # enterprise → dirty since
    told_s: float = 0.0

    async def run(self, lifecycle: Lifecycle) -> None:
        """Follow until told to stop."""
        while not lifecycle.stop.is_set():
            try:
                worked = await self.step(lifecycle)
            except AnalysisStoppedError:
                return
            except StoreUnavailableError as error:
                log.warning("store_away", error=str(error), again_in_s=STORE_AWAY_S)
                await lifecycle.sleep(STORE_AWAY_S)
                continue
            if not worked and await lifecycle.sleep(POLL_S):
                return

    async def step(self, lifecycle: Lifecycle) -> bool:
        """One round over what is dirty (or, if nothing is, stale); whether there was any work."""
        await self._refresh()
        reach = await self.bench.series.watermark()
        if reach is None:
            return False
        marked = await take_dirty(self.db)
        dirty = await self._due(marked, reach)
        self.quiet_polls = 0 if marked else self.quiet_polls + 1
        stale = set(self._stale(reach))
        worked, until_s = False, self.clock_s() + ROUND_S
        for enterprise_id in (*dirty, *sorted(stale - set(dirty))):
            if lifecycle.stop.is_set() or (self.pace and self.clock_s() > until_s):
                break
            worked |= await self._one(enterprise_id, stale=enterprise_id in stale)
        return worked

    async def _due(self, marked: Sequence[DirtyDay], watermark_us: int) -> list[str]:
        """Who is looked at now, whoever waits longest first; late data before new ones."""
        dirty = {d.enterprise_id for d in marked} - self._resting()
        if self.pace is None:
            return sorted(dirty)
        now_s, pace = self.clock_s(), self.pace
        self.waiting_s = {e: self.waiting_s.get(e, now_s) for e in dirty}
        pace.soon = await self._pressing(watermark_us)
        pace.enterprises = len(self.bench.registry.enterprises)
        self._tell(now_s)
        newest = local_day(from_us(watermark_us), self.bench.zone)
        late = {d.enterprise_id for d in marked if d.day < newest}
        due = {e: float("-inf") if e in late else pace.due_s(e) for e in dirty}
        return sorted((e for e in dirty if due[e] <= now_s), key=lambda e: (due[e], e))

    async def _pressing(self, watermark_us: int) -> set[str]:
        """Enterprises under an open alert, and those with an early warning."""
        registry = self.bench.registry
        open_ = open_alerts(registry.alerts.values(), from_us(watermark_us), ahead=ALERT_AHEAD)
        found = {
            e.enterprise_id
            for e in registry.enterprises.values()
            if any(alert.concerns(e.district) for alert in open_)
        }
        return found | {w.enterprise_id for w in await list_warnings(self.db)}

    def _tell(self, now_s: float) -> None:
        if self.pace is None or now_s < self.told_s + TELL_S:
            return
        self.told_s = now_s
        log.info(
            "following",
            waiting=len(self.waiting_s),
            longest_s=round(now_s - min(self.waiting_s.values(), default=now_s), 1),
            a_look_s=round(self.pace.cost_s, 3),
            soon=len(self.pace.soon),
        )

    async def _refresh(self) -> None:
        bench = await _refreshed(self.db, self.bench)
        if bench is not self.bench:
            self.bench = bench
            self.judged_until.clear()  # alerts weigh on leads, whoever is dirty
            self.paused.clear()  # it may be what was wrong

    def _resting(self) -> set[str]:
        now_s = self.clock_s()
        return {e for e, pause in self.paused.items() if now_s < pause.until_s}

    def _stale(self, watermark_us: int) -> list[str]:
        behind = 0 if self.quiet_polls >= QUIET_POLLS else BEHIND_US
        resting = self._resting()
        return [
            e
            for e in self.bench.registry.enterprises
            if e not in resting
            and watermark_us - self.judged_until.get(e, watermark_us - BEHIND_US - 1) > behind
        ]

    async def _one(self, enterprise_id: str, *, stale: bool) -> bool:
        """Analyse an enterprise, if it still needs it and nobody else does; whether it was done."""
        async with analysing(self.db, enterprise_id) as free:
            days = await take_dirty(self.db, enterprise_ids=[enterprise_id]) if free else []
            if not free or not (days or stale):
                return False
            await self._refresh()  # after the marks, as in a batch
            begun_s = self.clock_s()
            watermark_us = await self.bench.series.watermark()
            known = self.judged_until.get(enterprise_id)
            trailing = date.min if known is None else local_day(from_us(known), self.bench.zone)
            try:
                found = await analyse_enterprise(
                    self.bench, enterprise_id, [d.day for d in days], trailing, watermark_us
                )
            except (WattWitnessError, BrokenExecutor):
                raise  # the store, or the workers, are gone: not this enterprise's fault
            except Exception:
                # the outermost point of one enterprise: what breaks here, a defect of ours or
                # data that nobody thought of, must not blind the city for all others
                log.exception("enterprise_failed", enterprise=enterprise_id)
                self._pause(enterprise_id)
                return True
            await clear_dirty(self.db, days)
        self.paused.pop(enterprise_id, None)
        self.waiting_s.pop(enterprise_id, None)
        if self.pace is not None:
            self.pace.looked(enterprise_id, self.clock_s(), self.clock_s() - begun_s)
        if watermark_us is not None:
            self.judged_until[enterprise_id] = watermark_us
        if days:
            log.info("analysed", enterprise=enterprise_id, days=found.days, leads=found.leads)
        return True

    def _pause(self, enterprise_id: str) -> None:
        """Later again, each time a little later; its marks stay."""
        before = self.paused.get(enterprise_id)
        failures = 1 if before is None else before.failures + 1
        wait_s = RETRY_AFTER_S[min(failures, len(RETRY_AFTER_S)) - 1]
        self.paused[enterprise_id] = _Pause(failures, self.clock_s() + wait_s)
