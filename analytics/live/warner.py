"""The second task of the watcher: early warnings of the whole city, within a minute of the data.

It keeps the newest hours of all plants with pairings as arrays, moves them on with what came, and
looks closely only where treatment may be off or short. What it writes rests on the batch's newest
look, as the verdicts of the watcher do: when the batch has looked again, its warnings hold, and
live ones go on from there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from analytics.live.fleet import Fleet, alike
from analytics.live.latches import Levels
from analytics.live.minutes import CityMinutes
from analytics.live.tally import Tally
from analytics.live.warned import OVERLAP_MIN, Ground, suspects, warnings_now
from analytics.plants import plant_of
from analytics.states.thresholds import UNKNOWN_THRESHOLDS
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.instants import US_PER_MINUTE, from_us, local_day
from wattwitness.domain.spells import SpellBook
from wattwitness.domain.states import Thresholds
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.day_results import load_spells, newest_thresholds
from wattwitness.store.early_warnings import list_warnings, save_live_warnings
from wattwitness.store.latest import watermark
from wattwitness.store.readings import read_since
from wattwitness.store.registry import load_registry
from wattwitness.store.watching import WARNINGS, Analysed, Arrivals, arrivals, watch_turn

POLL_S: Final = 10.0
STORE_AWAY_S: Final = 2.0
WINDOW_MIN: Final = 240  # the batch may be so far behind
WARM_UP_US: Final = (OVERLAP_MIN + 30) * US_PER_MINUTE
LOAD_S: Final = 3.0  # of each poll, for what the batch has looked at again
AT_ONCE: Final = 25  # plants; the verdicts, in the same process, need not wait for more
_COLUMNS: Final = ("p_kw", "e_kwh")
_NEWEST_DAYS: Final = timedelta(days=60)
_DAY: Final = timedelta(days=1)
log = structlog.get_logger()


@dataclass
class Warner:
    """Warns of one database."""

    db: Database
    clock_s: Callable[[], float] = time.monotonic
    revision: int = -1  # of the registry that is known
    city: CityMinutes | None = None
    grounds: dict[int, Ground] = field(default_factory=dict)  # number of the plant → the newest one
    spells: dict[int, SpellBook] = field(default_factory=dict)  # likewise, where they were needed
    marks: dict[str, int] = field(default_factory=dict)  # enterprise → mark that was read
    minute_us: int = 0  # watermark at which what is said was looked at last
    told: Tally = field(default_factory=lambda: Tally("warned"))

    async def run(self, lifecycle: Lifecycle) -> None:
        """Warn until told to stop; one of a database at a time."""
        while not lifecycle.stop.is_set():
            try:
                async with watch_turn(self.db, WARNINGS) as is_mine:
                    await self._warn_in_turn(lifecycle, is_mine)
            except StoreUnavailableError as error:
                log.warning("store_away", error=str(error), again_in_s=STORE_AWAY_S)
                await lifecycle.sleep(STORE_AWAY_S)

    async def _warn_in_turn(
        self, lifecycle: Lifecycle, is_mine: Callable[[], Awaitable[bool]]
    ) -> None:
        while True:
            began_s = self.clock_s()
            if await is_mine():  # fails when the turn is lost
                await self.step()
                self.told = self.told.tell(self.clock_s(), enterprises=len(self.grounds))
            if await lifecycle.sleep(max(1.0, POLL_S - (self.clock_s() - began_s))):
                return

    async def step(self) -> None:
        """One poll."""
        self.told.polls += 1
        reach_us = await watermark(self.db)
        if reach_us is None:
            return
        came = await arrivals(self.db, local_day(from_us(reach_us), self.db.zone) - _DAY)
        await self._learn_registry(came.revision, reach_us)
        if (city := self.city) is None:
            return
        city.reach(reach_us)
        fresh = await self._take_over(city, came)
        fresh |= await self._take_in(city, came, fresh)
        await self._warn(city, fresh)

    async def _learn_registry(self, revision: int, reach_us: int) -> None:
        """Plants with pairings as they are now; with other circuits, all begins anew."""
        if revision == self.revision:
            return
        registry = await load_registry(self.db)
        self.revision = registry.revision
        found = (plant_of(registry, e, self.db.zone) for e in registry.enterprises)
        plants = [plant for plant in found if plant.pairings]
        if self.city is not None and alike(self.city.fleet.plants, plants):
            self.city.fleet = replace(self.city.fleet, plants=tuple(plants))
            return
        self.grounds.clear()
        self.spells.clear()
        self.marks.clear()
        self.city = None
        if plants:
            fleet = Fleet.of(plants)
            unknown = Levels.of([UNKNOWN_THRESHOLDS] * len(fleet))
            since_us = reach_us - WINDOW_MIN * US_PER_MINUTE
            self.city = CityMinutes(fleet, unknown, since_us, WINDOW_MIN)

    async def _take_over(self, city: CityMinutes, came: Arrivals) -> set[int]:
        """Thresholds of plants that the batch has looked at again, and minutes of new ones."""
        again = {
            number: look
            for number, plant in enumerate(city.fleet.plants)
            if (look := came.analysed.get(plant.enterprise_id)) is not None
            and ((known := self.grounds.get(number)) is None or known.at_us != look.at_us)
        }
        done: set[int] = set()
        began_s = self.clock_s()
        for some in _pieces(sorted(again)):
            if self.clock_s() - began_s > LOAD_S:  # the rest comes with the next poll
                break
            new = [number for number in some if number not in self.grounds]
            await self._ground(city, {number: again[number] for number in some})
            await self._advance(city, new, lambda n: self._since_us(city, n))
            done.update(some)
        self.told.load_s += self.clock_s() - began_s
        return done

    async def _ground(self, city: CityMinutes, looks: Mapping[int, Analysed]) -> None:
        """What the batch said; its spells are read when somebody needs them."""
        plants = city.fleet.plants
        days = [
            local_day(from_us(look.data_until_us or 0), self.db.zone) for look in looks.values()
        ]
        names = [c.circuit_id for n in looks for c in plants[n].circuits]
        found = await newest_thresholds(self.db, names, min(days) - _NEWEST_DAYS, max(days))
        for number, look in looks.items():
            own: Sequence[Thresholds] = [
                found.get(c.circuit_id, UNKNOWN_THRESHOLDS) for c in plants[number].circuits
            ]
            city.learn(number, Levels.of(own))
            self.grounds[number] = Ground(look.at_us, look.data_until_us or 0, own)
            self.spells.pop(number, None)

    def _since_us(self, city: CityMinutes, number: int) -> NDArray[np.int64]:
        """Since when an enterprise that is new is read: since its base ends, and a warm-up."""
        rows = city.fleet.span(number)
        since_us = max(city.start_us, self.grounds[number].end_us - WARM_UP_US)
        return np.full(rows.stop - rows.start, since_us)

    async def _take_in(self, city: CityMinutes, came: Arrivals, again: Collection[int]) -> set[int]:
        """Readings of enterprises whose marks moved, or went; who had something new."""
        moved = {
            number: came.marks[e]
            for number in self.grounds
            if (e := city.fleet.plants[number].enterprise_id) in came.marks
            and self.marks.get(e) != came.marks[e]
        }
        fresh: set[int] = set()
        for some in _pieces(sorted({*moved, *again})):
            late = await self._advance(city, some, city.fresh_since_us)
            # marked, but nothing new at the end: something late came
            quiet = sorted(set(some) - late)
            fresh |= late | await self._advance(city, quiet, city.tail_since_us)
            read = (n for n in some if n in moved)
            self.marks.update({city.fleet.plants[n].enterprise_id: moved[n] for n in read})
        return fresh

    async def _advance(
        self,
        city: CityMinutes,
        numbers: Sequence[int],
        since: Callable[[int], NDArray[np.int64]],
    ) -> set[int]:
        """Read and take in; the plants that had something new."""
        if not numbers:
            return set()
        keys = np.concatenate([city.fleet.keys[city.fleet.span(n)] for n in numbers])
        rows = await read_since(self.db, keys, np.concatenate(list(map(since, numbers))), _COLUMNS)
        began_s = time.perf_counter()
        found = city.advance(rows)
        self.told.advance_s += time.perf_counter() - began_s
        self.told.readings += len(rows)
        await asyncio.sleep(0)
        return set(found.plants.tolist())

    async def _warn(self, city: CityMinutes, fresh: Collection[int]) -> None:
        """Look closely where it may be needed, and at all that was said; write what differs."""
        stored: dict[str, list[EarlyWarning]] = {}
        for warning in await list_warnings(self.db):
            stored.setdefault(warning.enterprise_id, []).append(warning)
        names = {n: city.fleet.plants[n].enterprise_id for n in self.grounds}
        passed = city.watermark_us - self.minute_us >= US_PER_MINUTE
        near = suspects(city, self.grounds)
        due = near.keys() & set(fresh)
        due |= {n for n, e in names.items() if e in stored and (passed or n in fresh)}
        if passed:
            self.minute_us = city.watermark_us
        for some in _pieces(sorted(due)):
            found = {}
            for number in some:
                said = stored.get(names[number], [])
                now = await self._warnings(city, number, near.get(number, ()), said)
                if now != said:
                    found[names[number]] = now
            if found:
                rests_on = {names[n]: from_us(self.grounds[n].at_us) for n in some}
                await save_live_warnings(self.db, found, rests_on)
                self.told.written += len(found)

    async def _warnings(
        self,
        city: CityMinutes,
        number: int,
        pairings: Collection[str],
        said: Sequence[EarlyWarning],
    ) -> list[EarlyWarning]:
        ground, plant = self.grounds[number], city.fleet.plants[number]
        if number not in self.spells:
            first: date = local_day(from_us(ground.end_us), plant.zone) - 2 * _DAY
            self.spells[number] = await load_spells(self.db, plant.enterprise_id, first)
        began_s = time.perf_counter()
        found = warnings_now(city, number, ground, self.spells[number], pairings, said)
        self.told.judge_s += time.perf_counter() - began_s
        self.told.judged += 1
        return found


def _pieces(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """A few plants at a time."""
    for start in range(0, len(numbers), AT_ONCE):
        yield numbers[start : start + AT_ONCE]
