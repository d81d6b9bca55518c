"""The analytics on a real PostgreSQL: following live data ends where one batch ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.results import PostgresResults
from analytics.running import QUIET_POLLS, Follower, analyse_range
from analytics.series import MemorySeries, PostgresSeries
from gateway_sim.city import City, build_city
from gateway_sim.scenario import Scenario
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, from_us
from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import Declaration, DeclarationReason, Registry
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.days import take_dirty
from wattwitness.store.findings import (
    list_episodes,
    list_leads,
    list_quality,
    list_states,
    list_testability,
)
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

START = datetime(2026, 9, 7, tzinfo=DEFAULT_ZONE)


@pytest.fixture(scope="module")
def city() -> City:
    shares = {"treatment_off": 1.0, "comms_outage": 1.0, "short_gap": 1.0}
    scenario = Scenario(enterprises=3, days=4, seed=11, verified_days=0.5, shares=shares)
    return build_city(scenario, START)


@pytest.fixture
async def other_db(postgres_url: str) -> AsyncIterator[Database]:
    name = f"other_{os.getpid()}_{time.monotonic_ns()}"
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    head, question, query = postgres_url.partition("?")
    dsn = f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"
    async with await Database.open(dsn, application="tests") as opened:
        await upgrade(opened)
        yield opened


async def register(db: Database, city: City) -> dict[str, int]:
    await save_registry(db, replace(city.registry, circuit_keys={}, revision=0))
    return dict((await load_registry(db)).circuit_keys)


def all_rows(city: City, keys: dict[str, int]) -> Readings:
    return np.concatenate([p.readings(city.start_us, city.end_us, keys) for p in city.plants])


async def write(db: Database, rows: Readings) -> None:
    await write_batch(db, IngestBatch(rows=rows, from_gateways=False))


async def bench(db: Database) -> Bench:
    registry = await load_registry(db)
    return Bench(registry, PostgresSeries(db), PostgresResults(db), InProcess(), db.zone)


async def analyse(db: Database, city: City, *enterprises: str):
    span = (from_us(city.start_us), from_us(city.end_us) + timedelta(days=1))
    return await analyse_range(db, await bench(db), *span, enterprises, lambda _d, _a: None)


async def exports(db: Database, city: City):
    return {
        "episodes": await list_episodes(db),
        "leads": await list_leads(db),
        "states": await list_states(db, None, city.start_us, city.end_us),
        "quality": await list_quality(db, None, None, None),
        "testability": await list_testability(db),
    }


async def test_following_pieces_in_disorder_ends_where_one_batch_ends(
    city: City, db: Database, other_db: Database
) -> None:
    await write(db, all_rows(city, await register(db, city)))
    await analyse(db, city)
    batch = await exports(db, city)
    assert batch["episodes"]
    assert batch["leads"]

    rng = np.random.default_rng(3)
    rows = all_rows(city, await register(other_db, city))
    rows = rows[np.argsort(rows["received_at"], kind="stable")]
    pieces = np.array_split(rows, 12)
    pieces = [pieces[n] for n in (*range(3), *rng.permutation(np.arange(3, 12)))]
    follower = Follower(other_db, await bench(other_db))
    for piece in pieces:
        shuffled = rng.permutation(piece)
        await write(other_db, np.concatenate((shuffled, shuffled[:500])))
        await follower.step(Lifecycle())
    follower.quiet_polls = QUIET_POLLS
    while await follower.step(Lifecycle()):
        follower.quiet_polls = QUIET_POLLS
    live = await exports(other_db, city)
    for noun, found in batch.items():
        assert live[noun] == found, noun


async def test_running_again_changes_nothing_and_leaves_nothing_dirty(
    city: City, db: Database
) -> None:
    await write(db, all_rows(city, await register(db, city)))
    first = await analyse(db, city)
    before = await exports(db, city)
    assert await take_dirty(db) == []
    assert await analyse(db, city) == first
    assert await exports(db, city) == before


async def test_an_accepted_declaration_takes_the_lead_back(city: City, db: Database) -> None:
    await write(db, all_rows(city, await register(db, city)))
    await analyse(db, city)
    enterprise = (await list_leads(db))[0].enterprise_id
    paper = Declaration(
        enterprise_id=enterprise,
        from_=from_us(city.start_us),
        to=from_us(city.end_us),
        reason=DeclarationReason.MAINTENANCE,
    )
    await save_registry(db, Registry(declarations=(paper,)))
    follower = Follower(db, await bench(db))
    assert await follower.step(Lifecycle())
    assert enterprise not in {lead.enterprise_id for lead in await list_leads(db)}
    kept = await list_episodes(db, enterprise_ids=[enterprise])
    assert {e.suppressed_by for e in kept} == {paper.declaration_id}


async def test_a_broken_enterprise_does_not_blind_the_city(city: City, db: Database) -> None:
    await write(db, all_rows(city, await register(db, city)))
    ids = sorted(city.registry.enterprises)

    class Broken(PostgresResults):
        async def load_spells(self, enterprise_id: str):
            if enterprise_id == ids[0]:
                raise ZeroDivisionError
            return await super().load_spells(enterprise_id)

    follower = Follower(db, replace(await bench(db), results=Broken(db)))
    while await follower.step(Lifecycle()):
        pass
    judged = {t.enterprise_id for t in await list_testability(db)}
    assert judged == set(ids[1:])
    assert {d.enterprise_id for d in await take_dirty(db)} == {ids[0]}


async def test_an_unknown_enterprise_is_refused(city: City, db: Database) -> None:
    await register(db, city)
    with pytest.raises(InputRefusedError, match="no enterprise 'X'"):
        await analyse(db, city, "X")


async def test_both_series_stores_keep_the_contract(city: City, db: Database) -> None:
    keys = await register(db, city)
    rows = all_rows(city, keys)
    await write(db, rows)
    memory = MemorySeries()
    memory.add(np.random.default_rng(1).permutation(np.concatenate((rows, rows[:99]))))
    chosen = [*keys.values()][2:5]
    from_, to = city.start_us + 3_600_000_000, city.start_us + 90_000_000_000
    real, held = [await store.block(chosen, from_, to) for store in (PostgresSeries(db), memory)]
    for column in ("circuit", "ts", "resent"):
        assert (real[column] == held[column]).all(), column
    delays_us = held["received_at"] - held["ts"]  # the store keeps whole seconds of them
    assert (real["received_at"] - real["ts"] == delays_us // 10**6 * 10**6).all()
    assert np.allclose(real["p_kw"], held["p_kw"], atol=1e-9, equal_nan=True)
    assert await PostgresSeries(db).extent(chosen) == await memory.extent(chosen)
    assert await PostgresSeries(db).watermark() == await memory.watermark()


def run(*arguments: str, url: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "WATTWITNESS_DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, "-m", "analytics", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--from", "2026-01-01T00:00:00", "--to", "2026-01-02T00:00:00Z"),
        ("--from", "2026-01-02T00:00:00Z", "--to", "2026-01-01T00:00:00Z"),
        ("--follow", "--from", "2026-01-02T00:00:00Z"),
    ],
)
def test_bad_arguments_exit_with_2(arguments: tuple[str, ...], database_url: str) -> None:
    told = run(*arguments, url=database_url)
    assert told.returncode == 2
    assert "wattwitness analyse" in told.stderr


def test_an_unreachable_database_is_one_line_and_1() -> None:
    span = ("--from", "2026-01-01T00:00:00Z", "--to", "2026-01-02T00:00:00Z")
    told = run(*span, url="postgresql://nobody@127.0.0.1:9/none")
    assert told.returncode == 1
    assert len(told.stderr.strip().splitlines()) == 1


def test_follow_stops_on_sigterm(database_url: str) -> None:
    environment = {**os.environ, "WATTWITNESS_DATABASE_URL": database_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "analytics", "--follow"], env=environment, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    assert b"following" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stderr.close()
