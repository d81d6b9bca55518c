"""The faults: what is killed, when, and whether it was in the middle of something."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chaos.publisher import Plan, Publisher
from benchmarks.chaos.stage import Stage

_RESTART_S = 0.5
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what happens."""

    kills: int
    broker_kills: int
    db_outage_s: float


class Saboteur:
    """Kills one thing after the other, each only once the collector is at work again."""

    def __init__(
        self,
        stage: Stage,
        plan: Plan,
        publisher: Publisher,
        chance: random.Random,
        say: Callable[[str], None],
    ) -> None:
        self._stage, self._plan, self._publisher = stage, plan, publisher
        self._chance = chance
        self._say = say
        self.effective: Counter[str] = Counter()

    async def kill_in_turn(self, faults: Faults, span_s: float) -> None:
        """Kill collector and broker in a random order; stops when everything is proven."""
        victims = ["collector"] * faults.kills + ["broker"] * faults.broker_kills
        self._chance.shuffle(victims)
        for victim in victims:
            if not await self._until_at_work():
                self._say("everything is proven already; the other kills would mean nothing")
                return
            await asyncio.sleep(self._chance.uniform(0.1, 0.9) * span_s / (2 * len(victims)))
            if not await self._until_at_work():
                return
            self._say(f"kill -9 {victim}")
            self.effective[victim] += 1
            if victim == "collector":
                self._stage.kill_collector()
            else:
                self._stage.kill_broker()
                await asyncio.sleep(_RESTART_S)
                await asyncio.to_thread(self._stage.restart_broker)

    async def crash_database(self, faults: Faults, span_s: float) -> None:
        """Take the database away for a while, once."""
        if not faults.db_outage_s:
            return
        await asyncio.sleep(self._chance.uniform(0.1, 0.6) * span_s)
        self._say("database crashes")
        self.effective["database"] += 1
        self._stage.crash_database()
        await asyncio.sleep(faults.db_outage_s)
        await self._stage.restart_database()
        self._say("database is back")

    async def revive(self) -> None:
        """Start a collector that ended again, as a service manager would, for ever."""
        while True:
            await asyncio.sleep(_RESTART_S)
            code = self._stage.revive_collector()
            if code is not None:
                self._say(f"collector started again (it had ended with {code})")

    async def _until_at_work(self) -> bool:
        """Wait until the collector is up and its proofs move on; False = nothing is left to do."""
        while not self._stage.collector_is_up():  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(_LOOK_S)
        before = self._publisher.proven
        deadline_s = time.monotonic() + 60.0
        while self._publisher.proven == before and time.monotonic() < deadline_s:
            if before == self._plan.messages:
                return False
            await asyncio.sleep(_LOOK_S)
        return self._publisher.proven > before
