"""The watcher: polls what came, moves the minutes on, judges, writes what turned.

It writes verdicts of enterprises under open alerts, and nothing else. It rests on what the batch
has stored; when the batch has looked at an enterprise again, that is taken over at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from analytics.live.conduct import SETTLED_US, base_end_us
from analytics.live.fleet import Fleet, alike
from analytics.live.latches import Levels
from analytics.live.loading import Frozen, Loader
from analytics.live.minutes import WINDOW_MIN, CityMinutes
from analytics.live.tally import Tally
from analytics.live.watched import AFTER, AHEAD, Case, Watched
from analytics.plants import Plant, plant_of
from analytics.states.thresholds import UNKNOWN_THRESHOLDS
from wattwitness.domain.alerts import open_alerts
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.instants import US_PER_MINUTE, from_us, local_day
from wattwitness.domain.registry import Alert, Registry
from wattwitness.domain.verdicts import Verdict
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.latest import watermark
from wattwitness.store.readings import read_since
from wattwitness.store.registry import load_registry
from wattwitness.store.verdicts import save_live_verdicts
from wattwitness.store.watching import Analysed, Arrivals, arrivals, first_readings, watch_turn

POLL_S: Final = 0.3
IDLE_S: Final = 2.0  # with no open alert, or while another watcher has the turn
STORE_AWAY_S: Final = 2.0
LOAD_S: Final = 0.3  # of each poll, for what the batch has looked at again …
FIRST_LOAD_S: Final = 1.0  # … and for what is not judged at all yet
SAVED_AT_ONCE: Final = 100  # verdicts of one transaction: the first rows need not wait for all
SILENT_US: Final = 2 * US_PER_MINUTE  # who sends nothing is judged again after so long
SILENT_AT_ONCE: Final = 60
WARM_UP_US: Final = SETTLED_US + 30 * US_PER_MINUTE
_COLUMNS: Final = ("p_kw", "e_kwh")
log = structlog.get_logger()


@dataclass
class Watcher:
    """Watches one database."""

    db: Database
    clock_s: Callable[[], float] = time.monotonic
    registry: Registry | None = None
    alerts: Sequence[Alert] = ()
    city: CityMinutes | None = None
    watched: dict[int, Watched] = field(default_factory=dict)  # number of the plant → it
    to_load: dict[int, None] = field(default_factory=dict)  # numbers, who waits longest first
    due: dict[int, bool] = field(default_factory=dict)  # number → whether a state turned
    marks: dict[str, int] = field(default_factory=dict)  # enterprise → mark that was read
    frozen: Frozen = field(default_factory=Frozen)
    told: Tally = field(default_factory=Tally)
    _loader: Loader | None = None
    _numbers: dict[str, int] = field(default_factory=dict)

    async def run(self, lifecycle: Lifecycle) -> None:
        """Watch until told to stop; one watcher of a database at a time."""
        while not lifecycle.stop.is_set():
            try:
                async with watch_turn(self.db) as is_mine:
                    while not await is_mine():
                        if await lifecycle.sleep(IDLE_S):
                            return
                    log.info("watching")
                    await self._watch(lifecycle, is_mine)
            except StoreUnavailableError as error:
                log.warning("store_away", error=str(error), again_in_s=STORE_AWAY_S)
                await lifecycle.sleep(STORE_AWAY_S)

    async def _watch(self, lifecycle: Lifecycle, is_mine: Callable[[], Awaitable[bool]]) -> None:
        while not lifecycle.stop.is_set():
            began_s = self.clock_s()
            busy = await self.step()
            standing = {"enterprises": len(self.watched), "to_load": len(self.to_load)}
            self.told = self.told.tell(self.clock_s(), **standing)
            spent_s = self.clock_s() - began_s
            if await lifecycle.sleep(max(0.01, (POLL_S if busy else IDLE_S) - spent_s)):
                return
            await is_mine()  # fails when the turn is lost

    async def step(self) -> bool:
        """One poll; whether there is anything to watch."""
        self.told.polls += 1
        reach = await watermark(self.db) if self.city is None else self.city.watermark_us
        if reach is None:
            return False
        first_day: date = local_day(from_us(reach), self.db.zone) - timedelta(days=1)
        came = await arrivals(self.db, first_day)
        await self._learn_registry(came.revision, reach)
        if self.city is None:
            return False
        await self._take_in(self.city, came)
        await self._load(self.city, came)
        await self._judge(self.city)
        return True

    async def _learn_registry(self, revision: int, reach_us: int) -> None:
        """Registry and open alerts as they are now; with other plants, all begins anew."""
        if self.registry is None or self.registry.revision != revision:
            self.registry = await load_registry(self.db)
            self._loader = None
        alerts = open_alerts(
            self.registry.alerts.values(), from_us(reach_us), ahead=AHEAD, after=AFTER
        )
        if self._loader is not None and alerts == self.alerts:
            return
        self.alerts = alerts
        self.frozen.only(alerts)
        plants = self._plants(self.registry)
        self._loader = Loader(
            self.db, self.registry, alerts, await first_readings(self.db), self.frozen
        )
        if self.city is None or not alike(self.city.fleet.plants, plants):
            self._begin_anew(plants, reach_us)
        else:
            self.city.fleet = replace(self.city.fleet, plants=tuple(plants))
        self.to_load = dict.fromkeys(range(len(plants)))
        log.info("alerts", open=len(alerts), enterprises=len(plants))

    def _plants(self, registry: Registry) -> list[Plant]:
        """Plants under an open alert."""
        return [
            plant_of(registry, e.enterprise_id, self.db.zone)
            for e in registry.enterprises.values()
            if any(alert.concerns(e.district) for alert in self.alerts)
        ]

    def _begin_anew(self, plants: Sequence[Plant], reach_us: int) -> None:
        self.watched.clear()
        self.due.clear()
        self.marks.clear()
        self._numbers = {plant.enterprise_id: n for n, plant in enumerate(plants)}
        self.city = None
        if plants:
            fleet = Fleet.of(plants)
            unknown = Levels.of([UNKNOWN_THRESHOLDS] * len(fleet))
            self.city = CityMinutes(fleet, unknown, reach_us - WINDOW_MIN * US_PER_MINUTE)
            self.city.reach(reach_us)

    async def _take_in(self, city: CityMinutes, came: Arrivals) -> None:
        """Readings of enterprises whose marks moved."""
        marks, numbers = came.marks, self._numbers
        moved = {e: m for e, m in marks.items() if e in numbers and self.marks.get(e) != m}
        again = list(self._analysed_again(came))  # what had come by then may have no mark any more
        known = sorted({*again, *(numbers[e] for e in moved if numbers[e] in self.watched)})
        if known:
            late = await self._advance(city, known, city.fresh_since_us)
            quiet = sorted(set(known) - late)
            if quiet:  # marked, but nothing new at the end: something late came
                await self._advance(city, quiet, city.tail_since_us)
        for number in again:
            self.to_load.setdefault(number)
        self.marks.update(moved)

    def _analysed_again(self, came: Arrivals) -> Iterable[int]:
        for enterprise_id, analysed in came.analysed.items():
            number = self._numbers.get(enterprise_id)
            known = None if number is None else self.watched.get(number)
            if known is not None and known.rests_on_us != analysed.at_us:
                yield known.plant

    async def _advance(
        self, city: CityMinutes, numbers: Sequence[int], since: Callable[[int], NDArray[np.int64]]
    ) -> set[int]:
        """Read and take in; the plants that had something new."""
        keys = np.concatenate([city.fleet.keys[city.fleet.span(n)] for n in numbers])
        since_us = np.concatenate([since(n) for n in numbers])
        rows = await read_since(self.db, keys, since_us, _COLUMNS)
        began_s = time.perf_counter()
        found = city.advance(rows)
        self.told.advance_s += time.perf_counter() - began_s
        self.told.readings += len(rows)
        for number in found.plants.tolist():
            self.due.setdefault(number, False)
        for number in found.turned.tolist():
            self.due[number] = True
        return set(found.plants.tolist())

    async def _load(self, city: CityMinutes, came: Arrivals) -> None:
        """Take over what the batch has stored, as far as the time goes."""
        assert self._loader is not None  # noqa: S101 - made with the city
        began_s = self.clock_s()
        unknown = any(number not in self.watched for number in self.to_load)
        while self.to_load:
            if self.clock_s() - began_s > (FIRST_LOAD_S if unknown else LOAD_S):
                break
            number = next(iter(self.to_load))
            analysed = came.analysed.get(city.fleet.plants[number].enterprise_id)
            before = self.watched.get(number)
            if before is None:
                await self._advance(city, [number], partial(self._since, city, analysed))
            found = await self._loader.load(city, number, analysed, self.clock_s())
            for case in found.cases:
                case.reach_us = _reach_us(before, case)
            self.watched[number] = found
            self.due.setdefault(number, False)
            del self.to_load[number]
        self.told.load_s += self.clock_s() - began_s

    def _since(
        self, city: CityMinutes, analysed: Analysed | None, number: int
    ) -> NDArray[np.int64]:
        """Since when an enterprise that is new is read: since its base ends, and a warm-up."""
        rows = city.fleet.span(number)
        until_us = 0 if analysed is None else analysed.data_until_us or 0
        since_us = base_end_us(until_us) - WARM_UP_US
        return np.full(rows.stop - rows.start, max(city.start_us, since_us))

    async def _judge(self, city: CityMinutes) -> None:
        """Judge who is due, and who has been silent; write what is news."""
        silent = [
            n
            for n, own in self.watched.items()
            if n not in self.due and city.watermark_us - own.judged_us >= SILENT_US
        ]
        self.due.update(dict.fromkeys(silent[:SILENT_AT_ONCE], False))
        waiting = [n for n in self.due if n in self.watched]
        for start in range(0, len(waiting), SAVED_AT_ONCE):
            await self._judge_some(city, waiting[start : start + SAVED_AT_ONCE])
            await asyncio.sleep(0)

    async def _judge_some(self, city: CityMinutes, numbers: Sequence[int]) -> None:
        began_s = time.perf_counter()
        news: list[tuple[Case, Verdict, int]] = []
        for number in numbers:
            turned, reach_us = self.due[number], city.reaches_us(number)
            for case, verdict in self.watched[number].judged(city):
                self.told.judged += 1
                if case.is_news(verdict, reach_us, turned=turned):
                    news.append((case, verdict, reach_us))
        self.told.judge_s += time.perf_counter() - began_s
        if news:
            rests_on = {
                self.watched[n].enterprise_id: from_us(self.watched[n].rests_on_us) for n in numbers
            }
            found = [verdict for _, verdict, _ in news]
            await save_live_verdicts(self.db, found, datetime.now(UTC), rests_on=rests_on)
        for case, verdict, reach_us in news:
            case.wrote(verdict, reach_us)
        self.told.written += len(news)
        for number in numbers:
            del self.due[number]


def _reach_us(before: Watched | None, case: Case) -> int:
    """How far an enterprise's own readings reach in what was last written of a case."""
    for known in () if before is None else before.cases:
        if known.plan.alert.alert_id == case.plan.alert.alert_id:
            return known.reach_us
    return 0
