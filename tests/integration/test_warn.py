"""Early warnings on a real PostgreSQL, between two looks of the batch, which has the last word."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.live.warner import Warner
from analytics.results import PostgresResults
from analytics.running import Follower, analyse_range
from analytics.series import PostgresSeries
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import (
    Circuit,
    Declaration,
    DeclarationReason,
    Enterprise,
    Gateway,
    Pairing,
    Registry,
    Role,
)
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.early_warnings import list_warnings, save_live_warnings, warnings_mark
from wattwitness.store.findings import list_episodes
from wattwitness.store.following import following
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.watching import arrivals

START = datetime(2026, 9, 7, tzinfo=DEFAULT_ZONE)
NOON = START + timedelta(days=1, hours=12)  # what is before it was analysed
NAMES = ("A", "B")
MINUTE = timedelta(minutes=1)
PATIENCE_S = 60.0


def city(declarations: tuple[Declaration, ...] = ()) -> Registry:
    """Two plants, each a press and its fan."""
    roles = {"P": Role.PRODUCTION, "T": Role.TREATMENT}
    return Registry(
        enterprises={e: Enterprise(enterprise_id=e, name=e) for e in NAMES},
        gateways={e: Gateway(gateway_id=e, enterprise_id=e) for e in NAMES},
        circuits={
            e + name: Circuit(
                circuit_id=e + name, gateway_id=e, channel=name, role=role, rated_kw=100.0
            )
            for e in NAMES
            for name, role in roles.items()
        },
        pairings={
            e: Pairing(pairing_id=e, production=(e + "P",), treatment=(e + "T",)) for e in NAMES
        },
        declarations=declarations,
    )


class Plants:
    """A database with their history."""

    def __init__(self, db: Database) -> None:
        self.db, self.keys = db, {}

    async def fill(self) -> "Plants":
        await save_registry(self.db, city())
        self.keys = dict((await load_registry(self.db)).circuit_keys)
        for name in NAMES:
            await self.say(name, START, NOON, fan=True)
        await self.analyse()
        return self

    async def say(self, name: str, from_: datetime, to: datetime, *, fan: bool) -> None:
        at = np.arange(to_us(from_), to_us(to), US_PER_MINUTE)
        minute = at // US_PER_MINUTE
        works = minute % 60 >= 5  # both rest five minutes an hour, so that their levels are learned
        for circuit, kw in (("P", 80.0 * works), ("T", 20.0 * works * fan)):
            rows = empty_readings(len(at))
            rows["circuit"], rows["ts"] = self.keys[name + circuit], at
            rows["received_at"], rows["p_kw"] = at + 2_000_000, kw + minute % 3 * 0.1 * (kw > 0)
            await write_batch(self.db, IngestBatch(rows=rows, from_gateways=False))

    async def bench(self) -> Bench:
        return Bench(
            await load_registry(self.db), PostgresSeries(self.db), PostgresResults(self.db),
            InProcess(), self.db.zone,
        )  # fmt: skip

    async def analyse(self) -> None:
        span = (START, START + timedelta(days=2))
        await analyse_range(self.db, await self.bench(), *span, [], lambda _done, _all: None)

    async def warnings(self) -> list[tuple[str, datetime, float]]:
        found = await list_warnings(self.db)
        return [(w.enterprise_id, w.from_, w.known_minutes) for w in found]


@pytest.fixture
async def plants(db: Database) -> Plants:
    return await Plants(db).fill()


@contextmanager
def watching(url: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "analytics", "--watch"],
        env={**os.environ, "WATTWITNESS_DATABASE_URL": url},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


OFF = NOON + 5 * MINUTE  # here the presses begin to run after noon


async def test_a_warning_is_there_with_the_readings(plants: Plants) -> None:
    warner = Warner(plants.db)
    await warner.step()
    await plants.say("A", NOON, NOON + 10 * MINUTE, fan=True)
    await plants.say("B", NOON, NOON + 10 * MINUTE, fan=True)
    await warner.step()
    for minute in range(10, 25):
        at = NOON + minute * MINUTE
        await plants.say("A", at, at + MINUTE, fan=False)
        await plants.say("B", at, at + MINUTE, fan=True)
        await warner.step()
        known = minute - 9
        since = NOON + 10 * MINUTE
        assert await plants.warnings() == ([("A", since, known)] if known >= 10 else [])
    before = await list_warnings(plants.db)
    mark = await warnings_mark(plants.db)
    await plants.analyse()
    assert await list_warnings(plants.db) == before
    await plants.say("A", NOON + 25 * MINUTE, NOON + 27 * MINUTE, fan=True)
    await warner.step()
    assert await list_warnings(plants.db) == before  # it was so a moment ago
    await plants.say("B", NOON + 25 * MINUTE, NOON + 42 * MINUTE, fan=True)
    await warner.step()
    assert await plants.warnings() == []
    assert await warnings_mark(plants.db) != mark


async def test_it_goes_when_the_batch_tells_an_episode_of_it(plants: Plants) -> None:
    warner = Warner(plants.db)
    await warner.step()
    await plants.say("A", NOON, NOON + 45 * MINUTE, fan=False)
    await warner.step()
    assert await plants.warnings() == [("A", OFF, 40.0)]
    await plants.analyse()
    assert await plants.warnings() == []
    assert len(await list_episodes(plants.db)) == 1
    await plants.say("A", NOON + 45 * MINUTE, NOON + 46 * MINUTE, fan=False)
    await warner.step()
    assert await plants.warnings() == []


async def test_what_the_batch_does_not_confirm_goes_and_stays_away(plants: Plants) -> None:
    warner = Warner(plants.db)
    await warner.step()
    await plants.say("A", NOON, NOON + 30 * MINUTE, fan=False)
    await warner.step()
    assert len(await plants.warnings()) == 1
    paper = Declaration(
        enterprise_id="A", from_=NOON, to=NOON + timedelta(hours=2),
        reason=DeclarationReason.MAINTENANCE, circuits=("AT",),
    )  # fmt: skip
    await save_registry(plants.db, Registry(declarations=(paper,)))
    await warner.step()
    await plants.analyse()
    assert await plants.warnings() == []
    for minute in range(30, 36):
        at = NOON + minute * MINUTE
        await plants.say("A", at, at + MINUTE, fan=False)
        await warner.step()
        assert await plants.warnings() == []


async def test_a_follower_in_between_leaves_no_gap(plants: Plants) -> None:
    warner, follower = Warner(plants.db), Follower(plants.db, await plants.bench())
    await warner.step()
    for minute in range(45):
        at = NOON + minute * MINUTE
        await plants.say("A", at, at + MINUTE, fan=minute < 8)
        if minute % 7 == 3:
            while await follower.step(Lifecycle()):
                pass
        await warner.step()
        known = minute - 7
        told = bool(await list_episodes(plants.db))
        assert bool(await plants.warnings()) == (known >= 10 and not told)
    assert told


async def test_one_that_rests_on_an_older_look_is_not_written(plants: Plants) -> None:
    look = (await arrivals(plants.db, START.date())).analysed["A"]
    said = EarlyWarning(
        enterprise_id="A", kind="treatment_off", pairing_id="A", from_=NOON, to=NOON + 12 * MINUTE,
        known_minutes=12.0, required_minutes=30.0,
    )  # fmt: skip
    at = datetime.fromtimestamp(look.at_us / 1e6, DEFAULT_ZONE)
    older = at - timedelta(seconds=1)
    await save_live_warnings(plants.db, {"A": [said]}, {"A": older})
    assert await list_warnings(plants.db) == []
    await save_live_warnings(plants.db, {"A": [said], "nobody": []}, {"A": at, "nobody": at})
    assert await list_warnings(plants.db) == [said]


async def test_plants_that_come_later_are_taken_in(plants: Plants) -> None:
    warner = Warner(plants.db)
    await warner.step()
    late = Registry(
        enterprises={"C": Enterprise(enterprise_id="C", name="C")},
        gateways={"C": Gateway(gateway_id="C", enterprise_id="C")},
        circuits={
            f"C{name}": Circuit(
                circuit_id=f"C{name}", gateway_id="C", channel=name, role=role, rated_kw=100.0
            )
            for name, role in (("P", Role.PRODUCTION), ("T", Role.TREATMENT))
        },
        pairings={"C": Pairing(pairing_id="C", production=("CP",), treatment=("CT",))},
    )
    await save_registry(plants.db, late)
    plants.keys = dict((await load_registry(plants.db)).circuit_keys)
    await plants.say("C", START, NOON, fan=True)
    await warner.step()
    assert await plants.warnings() == []
    await plants.analyse()
    await plants.say("C", NOON, NOON + 26 * MINUTE, fan=False)
    await plants.say("A", NOON, NOON + 26 * MINUTE, fan=False)
    await warner.step()
    assert await plants.warnings() == [("A", OFF, 21.0), ("C", OFF, 21.0)]


async def test_the_watching_process_warns_and_the_lags_are_told(plants: Plants) -> None:
    standing = await following(plants.db)
    assert (standing.most_s, standing.median_s, standing.verdicts_s) == (0.0, 0.0, None)
    assert not standing.warnings_watched
    assert not standing.verdicts_watched
    with watching(plants.db.dsn):
        await plants.say("A", NOON, NOON + 30 * MINUTE, fan=False)
        async with asyncio.timeout(PATIENCE_S):
            while not await plants.warnings():  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.2)
        standing = await following(plants.db)
        assert (standing.most_s, standing.median_s) == (1800.0, 900.0)
        assert standing.warnings_watched
        assert standing.verdicts_watched
        assert standing.warnings == 1
