"""Nothing is lost: kill collector, broker and database while messages flow, then count.

    python -m benchmarks.chaos --messages 20000 --kills 3 --broker-kills 1 --db-outage 10
    python -m benchmarks.chaos --wrong ack-first      # wrong collectors: what they lose
    python -m benchmarks.chaos --wrong prove-first    # must be reported

Starts its own PostgreSQL, mosquitto and collector in a temporary folder. Exit code 1 when a reading
that was promised is missing, or any is doubled or different. A broker that is killed loses what it
has acknowledged; so with broker kills the publisher keeps an outbox and sends again whatever the
collector has not proven. Without them it sends once, and every message that the broker acknowledged
has to be stored.
"""

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.chaos.faults import Faults, Saboteur
from benchmarks.chaos.judge import Judgement, Promises, count_stored, judge
from benchmarks.chaos.publisher import Plan, Publisher
from benchmarks.chaos.stage import Stage, small_city

_QUIET_S = 20.0  # the dust has settled when nothing moved for so long


class Wrong(StrEnum):
    """Collectors with a mistake."""

    ACK_FIRST = "ack-first"
    PROVE_FIRST = "prove-first"


def main(
    messages: Annotated[int, typer.Option(help="QoS 1 messages to publish.")] = 20_000,
    readings: Annotated[int, typer.Option(help="Readings per message.")] = 5,
    kills: Annotated[int, typer.Option(help="kill -9 of the collector.")] = 3,
    broker_kills: Annotated[int, typer.Option(help="kill -9 of the broker.")] = 1,
    db_outage: Annotated[float, typer.Option(help="Seconds without database, once; 0 = no.")] = 10,
    seed: Annotated[int, typer.Option(help="Decides the moments of the faults.")] = 1,
    gateways: Annotated[int, typer.Option(help="Gateways that share the messages.")] = 20,
    rate: Annotated[float, typer.Option(help="Messages per second.")] = 500.0,
    wrong: Annotated[Wrong | None, typer.Option(help="Use a wrong collector.")] = None,
) -> None:
    """Publish while faults happen, wait for the dust to settle, and compare every reading."""
    if wrong is not None:  # what it loses must stay lost: nobody sends again
        broker_kills = 0
    faults = Faults(kills, broker_kills, db_outage)
    module = "collector" if wrong is None else f"benchmarks.chaos.{wrong.name.lower()}"
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o755)  # the embedded PostgreSQL may run as another user
        play = Play(Plan(messages, readings, gateways), faults, Path(folder), module)
        judgement = asyncio.run(play.run(random.Random(seed), rate))
    sys.exit(0 if judgement.is_clean else 1)


class Play:
    """One run: the stage, the publisher, the faults at their seeded moments."""

    def __init__(self, plan: Plan, faults: Faults, folder: Path, module: str) -> None:
        self._plan, self._faults = plan, faults
        self._stage = Stage(folder, module)
        self._start_s = time.monotonic()
        self._log = folder / "collector.log"

    async def run(self, chance: random.Random, rate: float) -> Judgement:
        """Play it, judge it, print it."""
        stage, plan = self._stage, self._plan
        await stage.prepare(small_city(plan.gateways, plan.readings))
        stage.start_collector()
        await stage.until_collecting()
        publisher = Publisher(plan, stage.mqtt_url)
        saboteur = Saboteur(stage, plan, publisher, chance, self._say)
        self._start_s = time.monotonic()
        span_s = plan.messages / rate
        steady = [asyncio.create_task(saboteur.revive())]
        if self._faults.broker_kills:
            steady.append(asyncio.create_task(_send_again(publisher)))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._publish(publisher, rate))
                group.create_task(saboteur.kill_in_turn(self._faults, span_s))
                group.create_task(saboteur.crash_database(self._faults, span_s))
            await self._settle(publisher)
            for task in steady:
                task.cancel()
            code = await asyncio.to_thread(stage.stop_collector)
            self._say(f"collector ended with {code}")
            judgement = await judge(stage.dsn, plan, self._promises(publisher))
        finally:
            for task in steady:
                task.cancel()
            publisher.close()
            stage.close()
            self._say_errors()
        show(judgement, self._faults, saboteur, publisher)
        return judgement

    def _promises(self, publisher: Publisher) -> Promises:
        everything = range(self._plan.messages)
        due = set(everything) if self._faults.broker_kills else publisher.acknowledged
        return Promises(due, publisher.confirmed_messages())

    async def _publish(self, publisher: Publisher, rate: float) -> None:
        for k in range(self._plan.messages):
            publisher.publish_next()
            ahead_s = (k + 1) / rate - (time.monotonic() - self._start_s)
            if ahead_s > 0.01:
                await asyncio.sleep(ahead_s)
            elif k % 100 == 0:
                await asyncio.sleep(0)
        self._say(f"published {publisher.published}")

    async def _settle(self, publisher: Publisher) -> None:
        """Wait until all is proven, or nothing has moved for a while."""
        seen, seen_at_s = (-1, -1), time.monotonic()
        while time.monotonic() - seen_at_s < _QUIET_S:
            if publisher.proven == self._plan.messages == len(publisher.acknowledged):
                break
            now = (publisher.proven, await count_stored(self._stage.dsn))
            if now != seen:
                seen, seen_at_s = now, time.monotonic()
            await asyncio.sleep(0.5)
        self._say("the dust has settled")

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._start_s:7.2f} s  {text}", flush=True)

    def _say_errors(self) -> None:
        for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
            if '"level": "error"' in line or "internal error" in line:
                self._say(f"collector log: {line[:300]}")


async def _send_again(publisher: Publisher) -> None:
    while True:
        await asyncio.sleep(1.0)
        publisher.send_again()


def show(judgement: Judgement, faults: Faults, saboteur: Saboteur, publisher: Publisher) -> None:
    """Print the table."""
    hit = saboteur.effective
    print(
        f"effective kills: collector {hit['collector']} of {faults.kills}, broker "
        f"{hit['broker']} of {faults.broker_kills}; database outages: {hit['database']}; "
        f"messages sent again: {publisher.sent_again:,}"
    )
    for name, value in asdict(judgement).items():
        print(f"{name.replace('_', ' '):>22} {value:>10,}")
    print("nothing lost, nothing doubled" if judgement.is_clean else "FAILED")


if __name__ == "__main__":
    typer.run(main)
