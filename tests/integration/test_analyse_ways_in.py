"""Whatever way the readings came in, and in whatever order: the same findings, on PostgreSQL."""

import asyncio
import csv
import itertools
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.results import PostgresResults
from analytics.running import QUIET_POLLS, Follower, analyse_range
from analytics.series import PostgresSeries
from collector.bounds import Calendar
from collector.core import Core, Policy
from collector.decode import Places
from collector.memory_source import MemorySource
from wattwitness.domain.instants import US_PER_DAY, US_PER_MINUTE, from_us, to_us
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Pairing, Registry, Role
from wattwitness.files.readings_bounds import Calendar as FileCalendar
from wattwitness.files.readings_import import import_readings
from wattwitness.files.records import (
    episode_record,
    lead_record,
    quality_record,
    state_record,
)
from wattwitness.files.records import testability_record as limits_record
from wattwitness.runtime.lifecycle import Lifecycle
from wattwitness.store.database import Database
from wattwitness.store.days import take_dirty
from wattwitness.store.findings import (
    list_episodes,
    list_leads,
    list_quality,
    list_states,
    list_testability,
    load_thresholds,
)
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.wire.payload import WireReading, encode_message
from wattwitness.wire.topics import readings_topic

DAYS = 46
START = datetime(2026, 3, 1, 16, tzinfo=UTC)  # midnight in Shanghai
START_US, END_US = to_us(START), to_us(START) + DAYS * US_PER_DAY
KEEP_FROM_US = to_us(datetime(2010, 1, 1, tzinfo=UTC))
PLANTS = {"E": (80.0, 5.5, 4), "F": (55.0, 4.0, 9)}  # kW of press and fan; a day of guilt
_databases = itertools.count()


@dataclass(frozen=True)
class Sent:
    """A message of a gateway: (channel, ts [µs], kW or None, resent), and when it was received."""

    gateway_id: str
    seq: int
    readings: tuple[tuple[str, int, float | None, bool], ...]
    received_us: int

    @property
    def payload(self) -> bytes:
        items = [WireReading(ch=ch, ts=ts // 1000, p=kw, rs=rs) for ch, ts, kw, rs in self.readings]
        return encode_message(items, epoch="1", seq=self.seq)


def registry() -> Registry:
    return Registry(
        enterprises={e: Enterprise(enterprise_id=e, name=e, district="D") for e in PLANTS},
        gateways={e: Gateway(gateway_id=e, enterprise_id=e, interval_s=900) for e in PLANTS},
        circuits={
            e + name: Circuit(
                circuit_id=e + name, gateway_id=e, channel=name, role=role, resolution_kw=0.01
            )
            for e in PLANTS
            for name, role in (("P", Role.PRODUCTION), ("T", Role.TREATMENT))
        },
        pairings={
            e: Pairing(pairing_id=e, production=(e + "P",), treatment=(e + "T",)) for e in PLANTS
        },
    )


def messages() -> list[Sent]:
    """Each gateway sends every four hours; a tenth comes days late, as back-fill."""
    rng = np.random.default_rng(20)
    found = []
    for gateway, (press, fan, guilty) in PLANTS.items():
        for seq, first in enumerate(range(0, DAYS * 96, 16), 1):
            late = bool(rng.random() < 0.1)
            readings = []
            for slot in range(first, first + 16):
                day, hour = slot // 96, slot % 96 / 4
                if day % 23 == 13:  # a day without a word
                    continue
                runs = 8 <= hour < 18
                level = press * (
                    0.5 if 15 <= day < 20 else 1.0
                )  # levels move, thresholds with them
                off = day % 20 == guilty and 9 <= hour < 12
                noise = 1 + 0.03 * rng.standard_normal(2)
                ts = START_US + slot * 15 * US_PER_MINUTE
                for name, kw in (("P", runs * level), ("T", (runs and not off) * fan)):
                    readings.append((name, ts, round(float(kw * noise[int(name == "T")]), 2), late))
            if readings:
                wait_us = int(rng.integers(1, 5 if not late else 8000)) * US_PER_MINUTE
                received = readings[-1][1] + wait_us
                found.append(Sent(gateway, seq, tuple(readings), received))
    return found


@asynccontextmanager
async def fresh(server: str) -> AsyncIterator[Database]:
    name = f"ways_{os.getpid()}_{next(_databases)}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    head, question, query = server.partition("?")
    dsn = f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"
    async with await Database.open(dsn, application="tests") as opened:
        await upgrade(opened)
        await save_registry(opened, registry())
        yield opened
    await connection.execute(f"DROP DATABASE {name}")
    await connection.close()


async def bench(db: Database) -> Bench:
    stored = await load_registry(db)
    return Bench(stored, PostgresSeries(db), PostgresResults(db), InProcess(), db.zone)


async def exports(db: Database) -> dict[str, Any]:
    circuits = sorted(registry().circuits)
    levels = await load_thresholds(db, circuits, START.date(), START.date() + timedelta(DAYS))
    return {
        "thresholds": {key: repr(levels[key]) for key in sorted(levels)},
        "episodes": [episode_record(e) for e in await list_episodes(db)],
        "leads": [lead_record(e) for e in await list_leads(db)],
        "states": [state_record(s) for s in await list_states(db, None, START_US, END_US)],
        "quality": [quality_record(q) for q in await list_quality(db, None, None, None)],
        "testability": [limits_record(t) for t in await list_testability(db)],
    }


def write_csv(path: Path, sent: list[Sent]) -> None:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("circuit_id", "ts", "p_kw", "e_kwh", "resent", "received_at"))
        for message in sent:
            received = from_us(message.received_us).isoformat()
            for ch, ts, kw, rs in message.readings:
                circuit = message.gateway_id + ch
                out.writerow((circuit, from_us(ts).isoformat(), kw, "", int(rs), received))


async def from_files(server: str, path: Path) -> dict[str, Any]:
    async with fresh(server) as db:
        calendar = FileCalendar(
            keep_from_us=KEEP_FROM_US, tolerance_us=US_PER_DAY, now_us=END_US + 30 * US_PER_DAY
        )
        stored = await load_registry(db)
        report = await import_readings(db, path, stored, calendar, reject_folders=[path.parent])
        assert (report.error, report.rejected, report.revised) == ("", 0, 0)
        span = (START, START + timedelta(days=DAYS + 1))
        await analyse_range(db, await bench(db), *span, [], lambda _done, _all: None)
        assert await take_dirty(db) == []
        return await exports(db)


@pytest.fixture(scope="module")
def batch(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The exports of one batch over files."""
    path = tmp_path_factory.mktemp("ways") / "readings.csv"
    write_csv(path, messages())
    return asyncio.run(from_files(postgres_url, path))


class WayIn:
    """Gateways, a broker that delivers again, the collector's core, the store."""

    def __init__(self, db: Database, registry: Registry, chance: random.Random) -> None:
        policy = Policy(calendar=Calendar(KEEP_FROM_US, US_PER_DAY), batch_readings=600)
        self.core = Core(policy, Places.of(registry), {}, chance)
        self.source = MemorySource()
        self.db = db
        self.chance = chance

    async def take(self, sent: Sent) -> None:
        self.source.put(readings_topic(sent.gateway_id), sent.payload)
        self.core.receive(self.source.deliver(sent.received_us), 0.0)
        if self.chance.random() < 0.1:  # the connection breaks: all in flight is delivered again
            self.source.reconnect()
            self.core.receive(self.source.deliver(sent.received_us), 0.0)
        await self.write()

    async def write(self, *, final: bool = False) -> None:
        while (batch := self.core.next_batch(0.0, final=final)) is not None:
            if self.chance.random() < 0.1:  # committed, but the answer is lost
                await write_batch(self.db, batch.ingest)
            outcome = await write_batch(self.db, batch.ingest)
            assert (outcome.rejected, outcome.revisions) == (0, 0)
            self.source.commit(self.core.committed(batch, 0.0, 0).tokens)


async def live(server: str, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    sent = messages()
    rarely = chance.choice((0.02, 0.1))
    if chance.random() < 0.5:
        sent.sort(key=lambda m: m.received_us)
    else:
        chance.shuffle(sent)
    sent += chance.sample(sent, len(sent) // 10)  # sent again by the gateway
    async with fresh(server) as db:
        way_in = WayIn(db, await load_registry(db), chance)
        follower = Follower(db, await bench(db))
        for message in sent:
            await way_in.take(message)
            if chance.random() < rarely:
                await follower.step(Lifecycle())
        await way_in.write(final=True)
        assert way_in.source.unsettled == 0
        follower.quiet_polls = QUIET_POLLS
        while await follower.step(Lifecycle()):
            follower.quiet_polls = QUIET_POLLS
        assert await take_dirty(db) == []
        return await exports(db)


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking a seed says nothing
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_messages_in_any_order_end_where_files_end(batch, postgres_url: str, seed: int) -> None:
    assert {e["enterprise_id"] for e in batch["episodes"]} == set(PLANTS)
    about = [(e["enterprise_id"], e["kinds"]) for e in batch["leads"]]
    assert len(batch["leads"]) == len(PLANTS), about
    found = asyncio.run(live(postgres_url, seed))
    for noun, records in batch.items():
        assert found[noun] == records, noun
