"""The watcher on a real PostgreSQL: verdicts move with each reading, and are the batch's."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.live.watching import Watcher
from analytics.results import PostgresResults
from analytics.running import Follower, analyse_range
from analytics.series import PostgresSeries
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, from_us, to_us
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Declaration,
    DeclarationReason,
    Enterprise,
    Gateway,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.domain.spells import SpellBook
from wattwitness.domain.verdicts import Verdict, VerdictCode
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.following import following
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.verdicts import list_verdict_changes, list_verdicts, save_live_verdicts
from wattwitness.store.watching import arrivals

DAYS = 9
START = datetime(2026, 9, 7, tzinfo=DEFAULT_ZONE)
RESPONSE = START + timedelta(days=DAYS - 1, hours=6)
HISTORY_END = RESPONSE + timedelta(hours=1)  # all before it is there when the watcher starts
PATIENCE_S = 60.0


def city(lifted_at: datetime | None = None) -> Registry:
    """Two plants with two presses each, under one alert that stops them at once."""
    alert = Alert(
        alert_id="A1",
        level=AlertLevel.RED,
        issued_at=RESPONSE - timedelta(hours=24),
        response_from=RESPONSE,
        lifted_at=lifted_at,
    )
    names = ("E1", "E2")
    return Registry(
        enterprises={e: Enterprise(enterprise_id=e, name=e, district="D") for e in names},
        gateways={f"G-{e}": Gateway(gateway_id=f"G-{e}", enterprise_id=e) for e in names},
        circuits={
            f"{e}-P{n}": Circuit(
                circuit_id=f"{e}-P{n}",
                gateway_id=f"G-{e}",
                channel=f"P{n}",
                role=Role.PRODUCTION,
                rated_kw=110.0,
            )
            for e in names
            for n in (1, 2)
        },
        measures=tuple(
            Measure(enterprise_id=e, level=AlertLevel.RED, action=MeasureAction.STOP, grace_min=0.0)
            for e in names
        ),
        alerts={"A1": alert},
    )


def readings(key: int, from_: datetime, to: datetime, *, runs: bool) -> Readings:
    """A press that runs 50 minutes of each hour until the response, then as `runs` says."""
    at = np.arange(to_us(from_), to_us(to), US_PER_MINUTE)
    minute = at // US_PER_MINUTE
    works = np.where(at >= to_us(RESPONSE), runs, minute % 60 < 50)
    rows = empty_readings(len(at))
    rows["circuit"], rows["ts"], rows["received_at"] = key, at, at + 2_000_000
    rows["p_kw"] = np.where(works, 80.0 + minute % 7, 0.0)
    return rows


class Plants:
    """A database with their history, analysed."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.keys: dict[str, int] = {}

    async def fill(self, registry: Registry | None = None) -> "Plants":
        await save_registry(self.db, registry or city())
        self.keys = dict((await load_registry(self.db)).circuit_keys)
        await self.say("E1", START, HISTORY_END, runs=False)
        await self.say("E2", START, HISTORY_END, runs=False)
        await self.analyse()
        return self

    async def say(self, enterprise: str, from_: datetime, to: datetime, *, runs: bool) -> None:
        parts = [readings(self.keys[f"{enterprise}-P{n}"], from_, to, runs=runs) for n in (1, 2)]
        await write_batch(self.db, IngestBatch(rows=np.concatenate(parts), from_gateways=False))

    async def bench(self) -> Bench:
        return Bench(
            await load_registry(self.db),
            PostgresSeries(self.db),
            PostgresResults(self.db),
            InProcess(),
            self.db.zone,
        )

    async def analyse(self) -> None:
        span = (START, START + timedelta(days=DAYS + 1))
        await analyse_range(self.db, await self.bench(), *span, [], lambda _done, _all: None)

    async def verdict(self, enterprise: str) -> Verdict:
        (found,) = await list_verdicts(self.db, "A1", [enterprise])
        return found


@pytest.fixture
async def plants(any_db: Database) -> Plants:
    return await Plants(any_db).fill()


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await what():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.2)


async def settled(watcher: Watcher) -> None:
    """All that is stored is taken over and judged."""
    for _ in range(3):
        await watcher.step()
    assert not watcher.to_load
    assert not watcher.due


@contextmanager
def watching(url: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "WATTWITNESS_DATABASE_URL": url}
    process = subprocess.Popen(
        [sys.executable, "-m", "analytics", "--watch"],
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


async def test_a_plant_that_runs_on_turns_its_row(plants: Plants) -> None:
    assert (await plants.verdict("E1")).verdict is VerdictCode.COMPLIED
    with watching(plants.db.dsn):
        at = HISTORY_END
        for _ in range(30):  # ten hours in pieces: one plant goes back to work, the other does not
            await plants.say("E1", at, at + timedelta(minutes=20), runs=True)
            await plants.say("E2", at, at + timedelta(minutes=20), runs=False)
            at += timedelta(minutes=20)

        newest = at - timedelta(minutes=1)

        async def turned() -> bool:
            found = await plants.verdict("E1")
            return found.verdict is VerdictCode.VIOLATED and found.as_of == newest

        await until(turned)
        guilty = await plants.verdict("E1")
        assert guilty.now_kw is not None
        assert guilty.now_kw > 100
        innocent = await plants.verdict("E2")
        assert innocent.verdict is VerdictCode.COMPLIED
        await plants.say("E1", at, at + timedelta(minutes=20), runs=False)

        async def rests() -> bool:
            return (await plants.verdict("E1")).now_kw == 0.0

        await until(rests)


async def test_live_says_what_the_batch_then_says(plants: Plants) -> None:
    watcher = Watcher(plants.db)
    await settled(watcher)
    at = HISTORY_END
    for piece, runs in enumerate([False, True, True, False, True] * 6):
        await plants.say("E1", at, at + timedelta(minutes=13), runs=runs)
        await plants.say("E2", at, at + timedelta(minutes=13), runs=piece % 9 == 0)
        await settled(watcher)
        at += timedelta(minutes=13)
    live = [await plants.verdict(e) for e in ("E1", "E2")]
    assert live[0].verdict is not VerdictCode.COMPLIED
    await plants.analyse()
    assert [await plants.verdict(e) for e in ("E1", "E2")] == live
    await settled(watcher)
    assert [await plants.verdict(e) for e in ("E1", "E2")] == live


async def test_late_data_are_taken_over_from_the_batch(plants: Plants) -> None:
    watcher = Watcher(plants.db)
    await settled(watcher)
    gone, back = HISTORY_END, HISTORY_END + timedelta(hours=5)
    await plants.say("E1", back, back + timedelta(minutes=30), runs=False)
    await plants.say("E2", gone, back + timedelta(minutes=30), runs=False)
    await settled(watcher)
    before = (await plants.verdict("E1")).measures[0]
    assert before.coverage < 0.5
    await plants.say("E1", gone, back, runs=True)  # what the gateway had kept
    await plants.analyse()
    await settled(watcher)
    late = back + timedelta(minutes=30)
    await plants.say("E1", late, late + timedelta(minutes=10), runs=False)
    await settled(watcher)
    after = await plants.verdict("E1")
    assert after.as_of == late + timedelta(minutes=9)
    assert after.verdict is VerdictCode.VIOLATED
    assert after.measures[0].coverage > 0.99


async def test_a_lift_ends_the_judging_and_a_new_alert_begins_it(plants: Plants) -> None:
    watcher = Watcher(plants.db)
    await settled(watcher)
    lift = HISTORY_END + timedelta(minutes=30)
    await plants.say("E1", HISTORY_END, HISTORY_END + timedelta(hours=1), runs=False)
    await settled(watcher)
    await save_registry(plants.db, city(lifted_at=lift))
    await settled(watcher)
    assert (await plants.verdict("E1")).as_of == lift
    registry = city(lifted_at=lift)
    second = replace(
        registry.alerts["A1"],
        alert_id="A2",
        issued_at=lift,
        response_from=lift + timedelta(minutes=10),
        lifted_at=None,
    )
    await save_registry(plants.db, replace(registry, alerts={**registry.alerts, "A2": second}))
    await settled(watcher)
    (found,) = await list_verdicts(plants.db, "A2", ["E1"])
    assert found.as_of == HISTORY_END + timedelta(minutes=59)


async def test_of_a_database_one_watcher_works(plants: Plants) -> None:
    life, other = Lifecycle(), Lifecycle()
    async with await Database.open(plants.db.dsn, application="second") as second:
        first = asyncio.create_task(Watcher(plants.db).run(life))

        async def judged() -> bool:
            return len(await list_verdicts(plants.db, "A1")) == 2

        await until(judged)
        waits = Watcher(second)
        task = asyncio.create_task(waits.run(other))
        await plants.say("E1", HISTORY_END, HISTORY_END + timedelta(minutes=5), runs=False)

        async def moved() -> bool:
            found = await plants.verdict("E1")
            return found.as_of == HISTORY_END + timedelta(minutes=4)

        await until(moved)
        assert waits.told.polls == 0
        life.stop.set()
        await first

        async def takes_over() -> bool:
            return waits.told.polls > 0

        await until(takes_over)
        other.stop.set()
        await task


async def test_a_database_that_restarts_is_waited_for(short_folder: Path) -> None:
    folder = short_folder / "watched"
    dsn, server = start_postgres(folder)
    async with await Database.open(dsn, application="tests") as db:
        await upgrade(db)
        plants = await Plants(db).fill()
    with watching(dsn) as process:
        async with await Database.open(dsn, application="tests") as db:
            plants.db = db
            await plants.say("E1", HISTORY_END, HISTORY_END + timedelta(minutes=5), runs=True)

            async def first() -> bool:
                return (await plants.verdict("E1")).as_of > HISTORY_END

            await until(first)
        stop_postgres(server)
        await asyncio.sleep(3)
        dsn, server = start_postgres(folder)
        try:
            async with await Database.open(dsn, application="tests") as db:
                plants.db = db
                await plants.say(
                    "E1", HISTORY_END + timedelta(minutes=5), HISTORY_END + timedelta(hours=6),
                    runs=True,
                )  # fmt: skip

                async def second() -> bool:
                    found = await plants.verdict("E1")
                    late = found.as_of == HISTORY_END + timedelta(hours=6, minutes=-1)
                    return late and found.verdict is VerdictCode.VIOLATED

                await until(second)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            stop_postgres(server)


async def test_a_verdict_that_rests_on_an_older_look_is_not_written(plants: Plants) -> None:
    said = await plants.verdict("E1")
    look = from_us((await arrivals(plants.db, START.date())).analysed["E1"].at_us)
    newer = replace(said, as_of=said.as_of + timedelta(minutes=5), now_kw=11.0)
    older_look = {"E1": look - timedelta(seconds=1)}
    await save_live_verdicts(plants.db, [newer], HISTORY_END, rests_on=older_look)
    assert await plants.verdict("E1") == said
    await save_live_verdicts(plants.db, [newer], HISTORY_END, rests_on={"E1": look})
    assert await plants.verdict("E1") == newer
    again = replace(newer, now_kw=12.0)  # a second reading of the same minute
    await save_live_verdicts(plants.db, [again], HISTORY_END, rests_on={"E1": look})
    assert await plants.verdict("E1") == again
    back = replace(again, as_of=said.as_of, now_kw=13.0)
    await save_live_verdicts(plants.db, [back], HISTORY_END, rests_on={"E1": look})
    assert await plants.verdict("E1") == again


def test_choices_of_a_batch_do_not_go_with_watch(database_url: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "analytics", "--watch", "--follow"],
        env={**os.environ, "WATTWITNESS_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 2


async def test_a_verdict_that_waited_for_an_analysis_knows_of_it(plants: Plants) -> None:
    said = await plants.verdict("E1")
    look = from_us((await arrivals(plants.db, START.date())).analysed["E1"].at_us)
    stale = replace(said, as_of=said.as_of + timedelta(minutes=5), basis="before the amendment")
    analysis = await asyncpg.connect(plants.db.dsn)
    async with analysis.transaction():
        await analysis.execute("SELECT FROM enterprises WHERE enterprise_id = 'E1' FOR UPDATE")
        later = "UPDATE analysed_enterprises SET analysed_at = analysed_at + INTERVAL '1 second'"
        await analysis.execute(later)
        live = asyncio.create_task(
            save_live_verdicts(plants.db, [stale], HISTORY_END, rests_on={"E1": look})
        )

        async def waits() -> bool:
            return bool(await analysis.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

        await until(waits)
    await live
    await analysis.close()
    assert await plants.verdict("E1") == said


class HeldResults(PostgresResults):
    """Reads, and then waits: whoever uses it concludes by a registry that grows old."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()

    async def load_spells(self, enterprise_id: str) -> SpellBook:
        found = await super().load_spells(enterprise_id)
        self.has_read.set()
        await self.go_on.wait()
        return found


@pytest.mark.parametrize("batch", [True, False])
async def test_a_look_by_an_older_registry_turns_no_verdict(plants: Plants, *, batch: bool) -> None:
    watcher = Watcher(plants.db)
    await settled(watcher)
    until_ = HISTORY_END + timedelta(hours=5)
    for name in ("E1", "E2"):
        await plants.say(name, HISTORY_END, until_, runs=True)
    await settled(watcher)
    assert (await plants.verdict("E1")).verdict is VerdictCode.VIOLATED
    held = HeldResults(plants.db)
    bench = replace(await plants.bench(), results=held)
    follower = Follower(plants.db, bench)
    span = (START, START + timedelta(days=DAYS + 1))
    old = asyncio.create_task(
        analyse_range(plants.db, bench, *span, ["E1"], lambda _done, _all: None)
        if batch
        else follower.step(Lifecycle())
    )
    await held.has_read.wait()
    paper = Declaration(
        enterprise_id="E1", from_=RESPONSE, to=until_ + timedelta(hours=9),
        reason=DeclarationReason.STOP,
    )  # fmt: skip
    await save_registry(plants.db, Registry(declarations=(paper,)))
    await settled(watcher)
    assert (await plants.verdict("E1")).verdict is VerdictCode.EXEMPT
    held.go_on.set()
    await old
    assert (await plants.verdict("E1")).verdict is VerdictCode.EXEMPT
    while await follower.step(Lifecycle()):
        pass
    assert (await plants.verdict("E1")).verdict is VerdictCode.EXEMPT
    turns = await list_verdict_changes(plants.db, "A1", "E1")
    assert [turn.cause for turn in turns].count("registry") == 1


async def test_a_batch_by_an_older_registry_ends_with_the_newer_one(plants: Plants) -> None:
    held = HeldResults(plants.db)
    bench = replace(await plants.bench(), results=held)
    span = (START, START + timedelta(days=DAYS + 1))
    old = asyncio.create_task(
        analyse_range(plants.db, bench, *span, ["E1"], lambda _done, _all: None)
    )
    await held.has_read.wait()
    paper = Declaration(
        enterprise_id="E1", from_=RESPONSE, to=RESPONSE + timedelta(hours=9),
        reason=DeclarationReason.STOP,
    )  # fmt: skip
    await save_registry(plants.db, Registry(declarations=(paper,)))
    held.go_on.set()
    await old
    assert (await plants.verdict("E1")).verdict is VerdictCode.EXEMPT


async def test_how_far_verdicts_are_behind_is_told(plants: Plants) -> None:
    watcher = Watcher(plants.db)
    await settled(watcher)
    assert (await following(plants.db)).verdicts_s == 0.0
    for name in ("E1", "E2"):
        await plants.say(name, HISTORY_END, HISTORY_END + timedelta(minutes=10), runs=False)
    assert (await following(plants.db)).verdicts_s == 600.0
    await settled(watcher)
    standing = await following(plants.db)
    assert (standing.verdicts_s, standing.most_s) == (0.0, 600.0)  # the batch has yet to look
    await save_registry(plants.db, city(lifted_at=HISTORY_END))
    assert (await following(plants.db)).verdicts_s is None
