"""From plain to TimescaleDB in the same database; on a server that has it."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np
import pytest

from wattwitness.domain.errors import SetupError, StoreBusyError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store import moving
from wattwitness.store.database import Database
from wattwitness.store.maintenance import maintain
from wattwitness.store.migrations import pending, upgrade
from wattwitness.store.mode import Mode
from wattwitness.store.moving import move_to_timescale
from wattwitness.store.readings import read_block, write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.rollups import keep_rollups
from wattwitness.store.series import bands

NOW = datetime.now(UTC)
TIMESCALE = "WATTWITNESS_TEST_TIMESCALE_URL"
pytestmark = pytest.mark.timescale


@pytest.fixture
async def plain_url():
    """A plain database, by an earlier decision, on a server with TimescaleDB."""
    server = os.environ.get(TIMESCALE, "")
    if not server:
        pytest.skip(f"NOT VERIFIED HERE: set {TIMESCALE} to a server with TimescaleDB")
    name = f"move_{os.getpid()}"
    head, question, query = server.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"DROP DATABASE IF EXISTS {name}")
    await connection.execute(f"CREATE DATABASE {name}")
    inside = await asyncpg.connect(url)
    await inside.execute("CREATE TABLE readings ()")  # a database without the extension is plain
    await inside.close()
    async with await Database.open(url, application="tests") as db:
        assert db.mode is Mode.PLAIN
        async with db.connection() as own:
            await own.execute("DROP TABLE readings")
        await upgrade(db)
    yield url
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def fill(db):
    registry = Registry(
        enterprises={"E1": Enterprise(enterprise_id="E1", name="x")},
        gateways={"G1": Gateway(gateway_id="G1", enterprise_id="E1")},
        circuits={"C1": Circuit(circuit_id="C1", gateway_id="G1", channel="P", role=Role.MAIN)},
    )
    await save_registry(db, registry)
    (key,) = (await load_registry(db)).circuit_keys.values()
    rows = empty_readings(6000)
    rows["circuit"] = key
    at = to_us(NOW - timedelta(days=5)) + np.arange(len(rows)) * US_PER_MINUTE
    at[:1000] -= to_us(NOW) - to_us(NOW - timedelta(days=400))  # a month of long ago
    rows["ts"] = at
    rows["p_kw"] = np.round(np.random.default_rng(4).uniform(0, 90, len(rows)), 1)
    rows["u_a"] = 229.1
    rows["received_at"] = rows["ts"] + 3_000_000
    await write_batch(db, IngestBatch(rows=rows))
    await keep_rollups(db, NOW, limit=50)
    return rows


async def check(url, rows):
    async with await Database.open(url, application="tests") as db:
        assert db.mode is Mode.TIMESCALE_FULL
        assert await pending(db) == []
        keys = np.unique(rows["circuit"]).tolist()
        back = await read_block(db, keys, 0, to_us(NOW) * 2)
        for name in rows.dtype.names:
            np.testing.assert_array_equal(back[name], rows[name])
        assert (await write_batch(db, IngestBatch(rows=rows))).duplicates == len(rows)
        more = rows[-3:].copy()
        more["ts"] += US_PER_HOUR * 24
        assert (await write_batch(db, IngestBatch(rows=more))).stored == 3
        assert not (await maintain(db, NOW + timedelta(days=90))).failed
        span = (int(rows["ts"][-6000]) // US_PER_HOUR * US_PER_HOUR, int(rows["ts"][-1]))
        asked = await bands(db, keys, *span, US_PER_HOUR)
        alone = await bands(db, keys, *span, US_PER_HOUR, raw_only=True)
        np.testing.assert_array_equal(asked[keys[0]].mean, alone[keys[0]].mean)
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT to_regclass('readings_plain')") is None
            seen = await connection.fetchval("SELECT count(*) FROM readings_measured")
        assert seen == len(rows) + 3
        assert (await move_to_timescale(db)).pieces == 0, "nothing to do"


async def test_a_move_keeps_every_reading(plain_url):
    async with await Database.open(plain_url, application="move") as db:
        rows = await fill(db)
        seen = []
        report = await move_to_timescale(db, lambda done, of: seen.append((done, of)))
    assert report.readings == len(rows)
    months_of_old = np.unique(rows["ts"][:1000].astype("M8[us]").astype("M8[M]"))
    days = np.unique(rows["ts"][1000:].astype("M8[us]").astype("M8[D]"))
    assert report.copied == len(months_of_old) + len(days)
    assert seen[-1] == (report.pieces, report.pieces)
    await check(plain_url, rows)


async def test_a_stopped_move_is_taken_up(plain_url, monkeypatch):
    async with await Database.open(plain_url, application="move") as db:
        rows = await fill(db)
        real, copies = moving._copy, 0

        async def killed(*args, **kwargs):
            nonlocal copies
            copies += 1
            if copies == 3:
                raise RuntimeError("killed")
            await real(*args, **kwargs)

        monkeypatch.setattr(moving, "_copy", killed)
        with pytest.raises(RuntimeError):
            await move_to_timescale(db)
        monkeypatch.undo()
    async with await Database.open(plain_url, application="move") as db:
        assert db.mode is Mode.PLAIN, "works on as before"
        more = rows[-2:].copy()
        more["ts"] += 2 * US_PER_MINUTE
        more["ts"][0] -= 5 * US_PER_HOUR * 24 + 30_000_000  # into a day that was copied
        assert (await write_batch(db, IngestBatch(rows=more))).stored == 2
        rows = np.sort(np.concatenate((rows, more)), order=("circuit", "ts"))
        report = await move_to_timescale(db)
        assert report.copied < report.pieces
    await check(plain_url, rows)


async def test_writers_are_turned_away_and_lose_nothing(plain_url, monkeypatch):
    async with (
        await Database.open(plain_url, application="move") as db,
        await Database.open(plain_url, application="move") as writer,
    ):
        rows = await fill(db)
        real = moving._swap

        more = rows[:1].copy()
        more["ts"] += 7
        batch = IngestBatch(rows=more)

        async def slow(keeper):
            with pytest.raises(StoreBusyError, match="being moved"):
                await write_batch(writer, batch)
            await real(keeper)
            waits.append(asyncio.create_task(write_batch(writer, batch)))
            await asyncio.sleep(0.3)  # it waits for the lock of the swap
            assert not waits[0].done()

        waits = []
        monkeypatch.setattr(moving, "_swap", slow)
        await move_to_timescale(db)
        outcomes = await asyncio.gather(*waits, return_exceptions=True)
        again = await write_batch(writer, batch)
        stored = [o.stored for o in outcomes if not isinstance(o, Exception)]
        assert sum(stored) + again.stored == 1
    async with await Database.open(plain_url, application="tests") as db:
        keys = np.unique(rows["circuit"]).tolist()
        assert len(await read_block(db, keys, 0, to_us(NOW) * 2)) == len(rows) + 1


async def test_a_running_collector_is_in_the_way(plain_url):
    async with (
        await Database.open(plain_url, application="move") as db,
        await Database.open(plain_url, application="collector"),
    ):
        with pytest.raises(SetupError, match=r"wattwitness-collector still runs"):
            await move_to_timescale(db)


async def test_without_the_extension_it_says_so(db):
    with pytest.raises(SetupError, match="no TimescaleDB"):
        await move_to_timescale(db)
