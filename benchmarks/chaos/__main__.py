"""Nothing is lost: kill the collector and the database while messages flow, then count.

    python -m benchmarks.chaos --messages 20000 --readings 5 --kills 3 --db-outage 10 --seed 1
    python -m benchmarks.chaos --ack-first      # a wrong collector: must report losses

Starts its own PostgreSQL, mosquitto and collector in a temporary folder. Exit code 1 when a reading
that the broker or the collector acknowledged is missing, doubled or different.
"""

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.chaos.judge import Judgement, count_stored, judge
from benchmarks.chaos.publisher import Plan, Publisher
from benchmarks.chaos.stage import Stage, small_city

_QUIET_S = 20.0  # the dust has settled when nothing moved for so long
_RESTART_S = 0.5


def main(
    messages: Annotated[int, typer.Option(help="QoS 1 messages to publish.")] = 20_000,
    readings: Annotated[int, typer.Option(help="Readings per message.")] = 5,
    kills: Annotated[int, typer.Option(help="kill -9 of the collector.")] = 3,
    db_outage: Annotated[float, typer.Option(help="Seconds without database, once; 0 = no.")] = 10,
    seed: Annotated[int, typer.Option(help="Decides the moments of the faults.")] = 1,
    gateways: Annotated[int, typer.Option(help="Gateways that share the messages.")] = 20,
    rate: Annotated[float, typer.Option(help="Messages per second.")] = 1000.0,
    ack_first: Annotated[bool, typer.Option(help="Use the wrong collector.")] = False,  # noqa: FBT002
) -> None:
    """Publish while faults happen, wait for the dust to settle, and compare every reading."""
    plan = Plan(messages, readings, gateways)
    module = "benchmarks.chaos.ack_first" if ack_first else "collector"
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o755)  # the embedded PostgreSQL may run as another user
        play = Play(plan, Path(folder), module, random.Random(seed))
        judgement = asyncio.run(play.run(kills, db_outage, rate))
    show(judgement)
    sys.exit(0 if judgement.is_clean else 1)


class Play:
    """One run: the stage, the publisher, the faults at their seeded moments."""

    def __init__(self, plan: Plan, folder: Path, module: str, chance: random.Random) -> None:
        self._plan = plan
        self._stage = Stage(folder, module)
        self._chance = chance
        self._start_s = time.monotonic()
        self._folder = folder

    async def run(self, kills: int, db_outage_s: float, rate: float) -> Judgement:
        """Play it and judge it."""
        stage, plan = self._stage, self._plan
        await stage.prepare(small_city(plan.gateways, plan.readings))
        stage.start_collector()
        await stage.until_collecting()
        publisher = Publisher(plan, stage.mqtt_url)
        self._start_s = time.monotonic()
        span_s = max(plan.messages / rate, db_outage_s)
        faults = [asyncio.create_task(self._kill(span_s)) for _ in range(kills)]
        if db_outage_s:
            faults.append(asyncio.create_task(self._outage(span_s, db_outage_s)))
        supervisor = asyncio.create_task(self._supervise())
        try:
            await self._publish(publisher, rate)
            await asyncio.gather(*faults)
            await self._settle(publisher)
            supervisor.cancel()
            code = await asyncio.to_thread(stage.stop_collector)
            self._say(f"collector ended with {code}")
            return await judge(stage.dsn, plan, publisher)
        finally:
            supervisor.cancel()
            publisher.close()
            stage.close()
            log = (self._folder / "collector.log").read_text(encoding="utf-8", errors="replace")
            for line in log.splitlines():
                if '"level": "error"' in line or "internal error" in line:
                    self._say(f"collector log: {line[:300]}")

    async def _publish(self, publisher: Publisher, rate: float) -> None:
        for k in range(self._plan.messages):
            publisher.publish(k)
            ahead_s = (k + 1) / rate - (time.monotonic() - self._start_s)
            if ahead_s > 0.01:
                await asyncio.sleep(ahead_s)
            elif k % 100 == 0:
                await asyncio.sleep(0)
        self._say(f"published {publisher.published}")

    async def _kill(self, span_s: float) -> None:
        await asyncio.sleep(self._chance.uniform(0.05, 0.95) * span_s)
        self._say("kill -9 collector")
        self._stage.kill_collector()

    async def _outage(self, span_s: float, outage_s: float) -> None:
        await asyncio.sleep(self._chance.uniform(0.1, 0.6) * span_s)
        self._say("database crashes")
        self._stage.crash_database()
        await asyncio.sleep(outage_s)
        await self._stage.restart_database()
        self._say("database is back")

    async def _supervise(self) -> None:
        """Restart a collector that ended, as a service manager would."""
        while True:
            await asyncio.sleep(_RESTART_S)
            code = self._stage.revive_collector()
            if code is not None:
                self._say(f"collector started again (it had ended with {code})")

    async def _settle(self, publisher: Publisher) -> None:
        """Wait until all is proven, or nothing has moved for a while."""
        seen, seen_at_s = (-1, -1), time.monotonic()
        while time.monotonic() - seen_at_s < _QUIET_S:
            confirmed = len(publisher.confirmed_messages())
            if confirmed == self._plan.messages == len(publisher.acknowledged):
                break
            now = (confirmed, await count_stored(self._stage.dsn))
            if now != seen:
                seen, seen_at_s = now, time.monotonic()
            await asyncio.sleep(0.5)
        self._say("the dust has settled")

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._start_s:7.2f} s  {text}", flush=True)


def show(judgement: Judgement) -> None:
    """Print the table."""
    for name, value in asdict(judgement).items():
        print(f"{name.replace('_', ' '):>22} {value:>10,}")
    print("nothing lost, nothing doubled" if judgement.is_clean else "FAILED")


if __name__ == "__main__":
    typer.run(main)
