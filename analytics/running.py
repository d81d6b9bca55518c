"""Runs over many enterprises: one batch to its end, or following live data until told to stop."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby

import structlog

from analytics.pipeline import Bench, Summary, analyse_enterprise
from wattwitness.domain.errors import InputRefusedError, StoreUnavailableError, WattWitnessError
from wattwitness.domain.instants import US_PER_MINUTE, from_us, local_day
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.days import DirtyDay, clear_dirty, mark_dirty, take_dirty
from wattwitness.store.registry import load_registry, registry_revision

POLL_S = 1.0
QUIET_POLLS = 20  # nothing dirty for so long: everybody is brought up to the newest data
STORE_AWAY_S = 5.0
BEHIND_US = 15 * US_PER_MINUTE  # at the latest when this far behind it
Progress = Callable[[int, int], None]
"""Called with (enterprises done, enterprises in all)."""
log = structlog.get_logger()


def _by_enterprise(days: Iterable[DirtyDay]) -> dict[str, list[DirtyDay]]:
    ordered = sorted(days, key=lambda d: (d.enterprise_id, d.day))
    return {e: list(found) for e, found in groupby(ordered, key=lambda d: d.enterprise_id)}


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


async def analyse_range(
    db: Database,
    bench: Bench,
    from_: datetime,
    to: datetime,
    enterprise_ids: Sequence[str],
    progress: Progress,
) -> Summary:
    """Analyse all local days that [from, to) touches, of these enterprises or of all."""
    first = local_day(from_, bench.zone)
    last = local_day(to - timedelta(microseconds=1), bench.zone)
    chosen = chosen_enterprises(bench, enterprise_ids)
    await mark_dirty(db, chosen, first, last)
    taken = await take_dirty(db, 10_000_000, enterprise_ids=chosen, first=first, last=last)
    dirty = _by_enterprise(taken)
    total, done = Summary(), 0
    gate = asyncio.Semaphore(bench.executor.width)

    async def one(enterprise_id: str) -> None:
        nonlocal done
        async with gate:
            days = dirty.get(enterprise_id, [])
            reach = await bench.series.watermark()
            newest = date.min if reach is None else local_day(from_us(reach), bench.zone)
            trailing = first if last >= newest else None
            found = await analyse_enterprise(bench, enterprise_id, [d.day for d in days], trailing)
            await clear_dirty(db, days)
        total.add(found)
        done += 1
        progress(done, len(chosen))

    async with asyncio.TaskGroup() as group:
        for enterprise_id in chosen:
            group.create_task(one(enterprise_id))
    return total


@dataclass
class Follower:
    """Keeps up with live data.

    Enterprises with dirty days come first. Those judged before the newest reading of the store
    are brought up to it from time to time, and whenever it is quiet: what a silent plant should
    have sent grows with everybody else's data.
    """

    db: Database
    bench: Bench
    judged_until: dict[str, int] = field(default_factory=dict)  # enterprise → watermark [µs]
    failed_marks: dict[str, int] = field(default_factory=dict)  # enterprise → newest mark it had
    quiet_polls: int = 0

    async def run(self, lifecycle: Lifecycle) -> None:
        """Follow until told to stop."""
        while not lifecycle.stop.is_set():
            try:
                worked = await self.step(lifecycle)
            except StoreUnavailableError as error:
                log.warning("store_away", error=str(error), again_in_s=STORE_AWAY_S)
                await lifecycle.sleep(STORE_AWAY_S)
                continue
            if not worked and await lifecycle.sleep(POLL_S):
                return

    async def step(self, lifecycle: Lifecycle) -> bool:
        """One round over what is dirty (or, if nothing is, stale); whether there was any work."""
        if await registry_revision(self.db) != self.bench.registry.revision:
            self.bench = replace(self.bench, registry=await load_registry(self.db))
            self.judged_until.clear()  # alerts weigh on leads, whoever is dirty
        reach = await self.bench.series.watermark()
        if reach is None:
            return False
        dirty = _by_enterprise(await take_dirty(self.db))
        dirty = {e: days for e, days in dirty.items() if not self._failed(e, days)}
        self.quiet_polls = 0 if dirty else self.quiet_polls + 1
        stale: dict[str, list[DirtyDay]] = {e: [] for e in self._stale(reach)}
        work = dirty | {e: none for e, none in stale.items() if e not in dirty}
        for enterprise_id, days in work.items():
            if lifecycle.stop.is_set():
                break
            await self._one(enterprise_id, days, reach)
        return bool(work)

    def _failed(self, enterprise_id: str, days: Sequence[DirtyDay]) -> bool:
        newest = self.failed_marks.get(enterprise_id)
        return newest is not None and max(d.mark for d in days) <= newest

    def _stale(self, watermark_us: int) -> list[str]:
        behind = 0 if self.quiet_polls >= QUIET_POLLS else BEHIND_US
        return [
            e
            for e in sorted(self.bench.registry.enterprises)
            if e not in self.failed_marks
            and watermark_us - self.judged_until.get(e, watermark_us - BEHIND_US - 1) > behind
        ]

    async def _one(self, enterprise_id: str, days: list[DirtyDay], watermark_us: int) -> None:
        known = self.judged_until.get(enterprise_id)
        trailing = local_day(from_us(known), self.bench.zone) if known is not None else date.min
        try:
            found = await analyse_enterprise(
                self.bench, enterprise_id, [d.day for d in days], trailing
            )
        except WattWitnessError:
            raise  # the store is gone, not this enterprise's fault
        except Exception:
            log.exception("enterprise_failed", enterprise=enterprise_id)
            self.failed_marks[enterprise_id] = max((d.mark for d in days), default=0)
            return
        await clear_dirty(self.db, days)
        self.failed_marks.pop(enterprise_id, None)
        self.judged_until[enterprise_id] = watermark_us
        if days:
            log.info("analysed", enterprise=enterprise_id, days=found.days, leads=found.leads)
