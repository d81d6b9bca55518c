"""Several analysers of one database, failures, and being told to stop."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import asyncpg
import numpy as np
import pytest

from analytics.bench import AnalysisStoppedError, Bench
from analytics.executors import InProcess
from analytics.results import PostgresResults
from analytics.running import Follower, analyse_range
from analytics.series import PostgresSeries
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.readings import ReadingColumns, Readings, empty_readings
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
from wattwitness.store.days import (
    analyses_at_once,
    analysing,
    clear_dirty,
    take_dirty,
)
from wattwitness.store.findings import list_episodes, list_quality, list_testability
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

START = datetime(2026, 3, 1, 16, tzinfo=UTC)  # midnight in Shanghai
ENTERPRISES = ("A", "B", "C")
SPAN = (START, START + timedelta(days=2))


def city() -> Registry:
    circuits, pairings = {}, {}
    for e in ENTERPRISES:
        for name, role in (("P", Role.PRODUCTION), ("T", Role.TREATMENT)):
            circuits[e + name] = Circuit(
                circuit_id=e + name, gateway_id=e, channel=name, role=role, rated_kw=100.0
            )
        pairings[e] = Pairing(pairing_id=e, production=(e + "P",), treatment=(e + "T",))
    return Registry(
        enterprises={e: Enterprise(enterprise_id=e, name=e) for e in ENTERPRISES},
        gateways={e: Gateway(gateway_id=e, enterprise_id=e, interval_s=900) for e in ENTERPRISES},
        circuits=circuits,
        pairings=pairings,
    )


def rows(keys: dict[str, int], enterprise: str, from_h: int, to_h: int, fan_kw: float) -> Readings:
    parts = []
    for name, kw in (("P", 80.0), ("T", fan_kw)):
        found = empty_readings((to_h - from_h) * 4)
        found["circuit"] = keys[enterprise + name]
        found["ts"] = to_us(START) + (from_h * 60 + np.arange(len(found)) * 15) * US_PER_MINUTE
        found["p_kw"] = kw
        parts.append(found)
    return np.concatenate(parts)


async def write(db: Database, readings: Readings) -> None:
    await write_batch(db, IngestBatch(rows=readings, from_gateways=False))


@pytest.fixture
async def keys(db: Database) -> dict[str, int]:
    """A night of sound operation of three plants."""
    await save_registry(db, city())
    keys = dict((await load_registry(db)).circuit_keys)
    for e in ENTERPRISES:
        await write(db, rows(keys, e, 0, 6, 50.0))
    return keys


async def bench(db: Database, **parts: object) -> Bench:
    made = Bench(
        await load_registry(db), PostgresSeries(db), PostgresResults(db), InProcess(), db.zone
    )
    return replace(made, **parts)


class HeldSeries(PostgresSeries):
    """Reads, and then waits: whoever uses it holds data that grow old."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.has_read = asyncio.Event()
        self.go_on = asyncio.Event()

    async def block(self, circuit_keys: Sequence[int], from_us: int, to_us: int) -> ReadingColumns:
        found = await super().block(circuit_keys, from_us, to_us)
        self.has_read.set()
        await self.go_on.wait()
        return found


def nothing(_done: int, _all: int) -> None:
    pass


async def test_who_read_older_data_does_not_have_the_last_word(db: Database, keys) -> None:
    held = HeldSeries(db)
    slow_bench = await bench(db, series=held)
    slow = asyncio.create_task(analyse_range(db, slow_bench, *SPAN, ["A"], nothing))
    await held.has_read.wait()
    await write(db, rows(keys, "A", 6, 9, 0.0))  # the fan stops
    follower = Follower(db, await bench(db))
    while await follower.step(Lifecycle()):
        pass
    held.go_on.set()
    await slow
    while await follower.step(Lifecycle()):
        pass
    assert await take_dirty(db) == []
    found = await list_episodes(db)
    assert [(e.enterprise_id, e.to - e.from_) for e in found] == [("A", timedelta(hours=3))]


async def test_a_follower_leaves_to_a_batch_what_it_works_on(db: Database, keys) -> None:
    follower = Follower(db, await bench(db))
    while await follower.step(Lifecycle()):
        pass
    held = HeldSeries(db)
    slow_bench = await bench(db, series=held)
    slow = asyncio.create_task(analyse_range(db, slow_bench, *SPAN, [], nothing))
    await held.has_read.wait()
    assert not await follower.step(Lifecycle())
    held.go_on.set()
    assert (await slow).enterprises == 3
    assert not await follower.step(Lifecycle())


async def test_a_batch_judges_by_the_registry_of_now(db: Database, keys) -> None:
    old_bench = await bench(db)
    await write(db, rows(keys, "A", 6, 9, 0.0))
    paper = Declaration(
        enterprise_id="A", from_=START, to=SPAN[1], reason=DeclarationReason.MAINTENANCE
    )
    await save_registry(db, Registry(declarations=(paper,)))
    await analyse_range(db, old_bench, *SPAN, [], nothing)
    assert [e.suppressed_by for e in await list_episodes(db)] == [paper.declaration_id]
    assert await take_dirty(db) == []


async def test_a_batch_waits_for_its_turn(db: Database, keys) -> None:
    async with analysing(db, "B") as free:
        assert free
        batch = asyncio.create_task(analyse_range(db, await bench(db), *SPAN, [], nothing))
        done, _ = await asyncio.wait([batch], timeout=1.0)
        assert not done
    assert (await asyncio.wait_for(batch, 20)).enterprises == 3


async def test_the_right_is_one_process_s_and_given_back(db: Database, keys) -> None:
    async with analysing(db, "A") as first, analysing(db, "A") as second, analysing(db, "B") as b:
        assert (first, second, b) == (True, False, True)
    async with analysing(db, "A") as again:
        assert again


async def test_many_at_a_time_do_not_starve_for_connections(database_url: str, db, keys) -> None:
    class Wide(InProcess):
        width = 8

    async with await Database.open(database_url, max_connections=2) as small:
        assert analyses_at_once(small) == 1
        wide = await bench(small, executor=Wide())
        found = await asyncio.wait_for(analyse_range(small, wide, *SPAN, [], nothing), 30)
    assert found.enterprises == 3


async def test_a_pool_that_cannot_work_beside_its_lock_is_refused(database_url: str, db) -> None:
    async with await Database.open(database_url, max_connections=1) as tiny:
        with pytest.raises(ValueError, match="two connections"):
            async with analysing(tiny, "A"):
                pass


@pytest.mark.parametrize("step", [1, -1])
async def test_marks_are_cleared_in_the_order_in_which_they_are_made(
    step: int, db: Database, database_url: str, keys
) -> None:
    first, second = date(2026, 3, 3), date(2026, 3, 4)
    await clear_dirty(db, await take_dirty(db))
    for hour in (48, 24):  # the later day lies first in the table
        await write(db, rows(keys, "A", hour, hour + 1, 50.0))
    marks = await take_dirty(db)
    assert [m.day for m in marks] == [second, first]
    other = await asyncpg.connect(database_url)
    lock = "SELECT FROM dirty_days WHERE day = $1 FOR UPDATE NOWAIT"
    async with other.transaction():
        await other.execute(lock, first)
        clearing = asyncio.create_task(clear_dirty(db, marks[::step]))
        await asyncio.wait([clearing], timeout=0.5)
        assert not clearing.done()
        await other.execute(lock, second)  # the clearing does not hold it yet: no deadlock
    await clearing
    await other.close()
    assert await take_dirty(db) == []


class Failing(PostgresResults):
    """Fails for one enterprise while `broken`."""

    broken = True

    async def load_spells(self, enterprise_id: str):
        if self.broken and enterprise_id == "A":
            raise ZeroDivisionError
        return await super().load_spells(enterprise_id)


async def test_what_failed_is_tried_again_later_and_later(db: Database, keys) -> None:
    now_s = 0.0
    results = Failing(db)
    follower = Follower(db, await bench(db, results=results), clock_s=lambda: now_s)

    async def rounds() -> int:
        count = 0
        while await follower.step(Lifecycle()):
            count += 1
        return count

    assert await rounds() > 0
    for wait_s in (60, 300, 900, 900):
        now_s += wait_s - 1
        assert await rounds() == 0
        now_s += 1
        assert await rounds() == 1
    results.broken = False
    now_s += 900
    assert await rounds() > 0
    assert {t.enterprise_id for t in await list_testability(db)} == set(ENTERPRISES)
    assert await take_dirty(db) == []


async def test_an_error_of_the_store_comes_out_of_a_batch_as_it_is(db: Database, keys) -> None:
    class Away(PostgresResults):
        async def load_spells(self, _enterprise_id: str):
            raise StoreUnavailableError("away", "wait")

    with pytest.raises(StoreUnavailableError):
        await analyse_range(db, await bench(db, results=Away(db)), *SPAN, [], nothing)


async def test_a_stop_is_heard_within_one_enterprise(db: Database, keys) -> None:
    for day in range(0, 100, 2):
        await write(db, rows(keys, "A", 24 * day, 24 * day + 1, 50.0))
    lifecycle = Lifecycle()
    read: list[int] = []

    class Told(PostgresSeries):
        async def block(
            self, circuit_keys: Sequence[int], from_us: int, to_us: int
        ) -> ReadingColumns:
            read.append(from_us)
            lifecycle.stop.set()
            return await super().block(circuit_keys, from_us, to_us)

    told = await bench(db, series=Told(db), stop=lifecycle.stop)
    await asyncio.wait_for(Follower(db, told).run(lifecycle), 20)
    assert len(read) == 1
    assert await take_dirty(db) != []
    with pytest.raises(AnalysisStoppedError):
        await analyse_range(db, told, *SPAN, [], nothing)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_batch_stops_when_told_and_says_so(
    number: signal.Signals, db: Database, database_url: str, keys
) -> None:
    arguments = ["--from", SPAN[0].isoformat(), "--to", SPAN[1].isoformat()]
    async with analysing(db, "B"):  # the batch finishes A and waits here
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "analytics", *arguments],
            env={**os.environ, "WATTWITNESS_DATABASE_URL": database_url},
            stderr=asyncio.subprocess.PIPE,
        )
        until = time.monotonic() + 30
        while {t.enterprise_id for t in await list_testability(db)} != {"A"}:
            assert time.monotonic() < until
            await asyncio.sleep(0.05)
        process.send_signal(number)
        _, heard = await asyncio.wait_for(process.communicate(), 20)
    told = heard.decode()
    assert process.returncode == 1
    assert len(told.strip().splitlines()) == 1
    assert "stopped; what was finished is stored" in told
    assert {q.circuit_id for q in await list_quality(db, None, None, None)} == {"AP", "AT"}
    assert {d.enterprise_id for d in await take_dirty(db)} == {"B", "C"}
