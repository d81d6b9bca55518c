"""A connection to the database that swallows what it carries must not hold the ingest for long."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.chaos.proxy import Proxy, dial_unix
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store import database
from wattwitness.store.database import Database, limited
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

ROWS = 200_000  # more than all buffers on the way hold


@dataclass
class Far:
    db: Database
    link: Proxy
    rows: Readings


@pytest.fixture
async def far(db: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Far]:
    """The database of `db` at the other end of a link."""
    registry = Registry(
        enterprises={"E": Enterprise(enterprise_id="E", name="E")},
        gateways={"G": Gateway(gateway_id="G", enterprise_id="E")},
        circuits={"C": Circuit(circuit_id="C", gateway_id="G", channel="C", role=Role.PRODUCTION)},
    )
    await save_registry(db, registry)
    (key,) = (await load_registry(db)).circuit_keys.values()
    rows = empty_readings(ROWS)
    rows["circuit"] = key
    rows["ts"] = 1_767_225_600_000_000 + np.arange(ROWS) * 1_000_000
    rows["received_at"] = rows["ts"]
    rows["p_kw"] = 1.0
    head, _, folder = db.dsn.partition("?host=")
    link = Proxy(dial_unix(f"{folder}/.s.PGSQL.5432"))
    port = await link.start()
    name = head.rpartition("/")[2]
    dsn = f"postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=disable"
    monkeypatch.setitem(database._NEVER_IDLE_S, "collector", 2)
    async with await Database.open(dsn, application="collector") as far:
        await write_batch(far, IngestBatch(rows=rows[:1]))
        yield Far(far, link, rows[1:])
    await link.close()


async def until_copying(link: Proxy) -> None:
    link.slow_down(0.0, 2_000_000.0)
    before = link.slowed
    async with asyncio.timeout(20):
        while link.slowed < before + 200_000:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def ended(task: asyncio.Task[IngestOutcome]) -> bool:
    """By itself: cancelling it would end it in any case."""
    done, _ = await asyncio.wait([task], timeout=20)
    if not done:
        task.cancel()
    return bool(done)


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_write_on_a_connection_that_ends_is_over(far: Far, *, deaf: bool):
    """Also when more is queued than the connection takes: the driver waits for room by itself."""
    writing = asyncio.create_task(write_batch(far.db, IngestBatch(rows=far.rows)))
    await until_copying(far.link)
    far.link.half_open(deaf=deaf)
    await asyncio.sleep(0.5)
    far.link.cut()
    far.link.slow_down(0.0, 0.0)
    assert await ended(writing)
    with pytest.raises(StoreUnavailableError):
        await writing
    outcome = await write_batch(far.db, IngestBatch(rows=far.rows))
    assert outcome.stored == ROWS - 1


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_limited_write_gives_up_a_connection_that_answers_nothing(far: Far, *, deaf: bool):
    """The server's side of it does not know; its locks must not be in the way of the next."""
    with limited(3.0):
        writing = asyncio.create_task(write_batch(far.db, IngestBatch(rows=far.rows)))
    await until_copying(far.link)
    far.link.half_open(deaf=deaf)
    far.link.slow_down(0.0, 0.0)
    assert await ended(writing)
    with pytest.raises(StoreUnavailableError, match="within 3 s"):
        await writing
    with limited(60.0):
        outcome = await write_batch(far.db, IngestBatch(rows=far.rows))
    assert outcome.stored == ROWS - 1


INSERT = "INSERT INTO gateway_epochs (gateway_id, epoch, seq) VALUES ('G', 'e', 1)"


async def insert_and_be_lost(far: Far) -> None:
    with limited(3.0):
        async with far.db.transaction() as connection:
            await connection.execute(INSERT)
            far.link.half_open()  # for ever: neither side is told
            await connection.execute(INSERT)


async def test_a_transaction_that_nobody_hears_does_not_keep_its_locks(far: Far, db: Database):
    with pytest.raises(StoreUnavailableError, match="within 3 s"):
        await insert_and_be_lost(far)
    async with asyncio.timeout(10), db.transaction() as connection:
        await connection.execute(INSERT)


async def test_the_other_connections_of_the_pool_are_given_up_as_well(far: Far):
    async with far.db.connection() as one, far.db.connection() as other, far.db.connection():
        await other.execute("SELECT 1")  # three connections now
        await one.execute("SELECT 1")
    far.link.half_open()
    with pytest.raises(StoreUnavailableError, match="within 1 s"), limited(1.0):
        await write_batch(far.db, IngestBatch(rows=far.rows[:10]))
    with limited(5.0):
        outcome = await write_batch(far.db, IngestBatch(rows=far.rows[:10]))
    assert outcome.stored == 10
