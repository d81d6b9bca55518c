import asyncio
import socket
from datetime import UTC, datetime

import asyncpg
import numpy as np
import pytest

from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_DAY, to_us
from wattwitness.store import columnstore
from wattwitness.store.database import Database
from wattwitness.store.maintenance import maintain
from wattwitness.store.migrations import load_migrations, pending, upgrade
from wattwitness.store.mode import Mode
from wattwitness.store.overview import database_status
from wattwitness.store.readings import read_block, write_batch
from wattwitness.store.registry import load_registry
from wattwitness.store.rollups import keep_rollups
from wattwitness.store.series import bands


async def test_upgrade_from_nothing_and_again(database_url):
    async with await Database.open(database_url) as db:
        assert len(await pending(db)) == len(load_migrations(db.mode))
        applied = await upgrade(db)
        assert [step.number for step in applied] == sorted(step.number for step in applied)
        assert await upgrade(db) == []
        assert await pending(db) == []


async def test_two_processes_upgrade_at_once(database_url):
    async with await Database.open(database_url) as one, await Database.open(database_url) as two:
        first, second = await asyncio.gather(upgrade(one), upgrade(two))
        assert len(first) + len(second) == len(load_migrations(one.mode))


async def test_a_newer_database_is_refused(db):
    async with db.connection() as connection:
        await connection.execute("INSERT INTO migrations (number, name) VALUES (9999, 'future')")
    with pytest.raises(StoreUnavailableError, match="newer than this program"):
        await upgrade(db)


def test_both_kinds_of_database_get_the_same_steps():
    plain, timescale = load_migrations(Mode.PLAIN), load_migrations(Mode.TIMESCALE_FULL)
    assert [(s.number, s.name) for s in plain] == [(s.number, s.name) for s in timescale]
    assert len({step.number for step in plain}) == len(plain)


async def test_an_empty_database_is_told_to_upgrade(database_url):
    async with await Database.open(database_url) as db:
        with pytest.raises(StoreUnavailableError, match="wattwitness db upgrade"):
            await load_registry(db)


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("postgresql://nobody@127.0.0.1:1/x", "cannot be reached"),
        ("nonsense", "not a PostgreSQL address"),
        ("postgresql://user:secret@127.0.0.1:1/x", "cannot be reached"),
    ],
)
async def test_an_absent_database_is_one_line_with_a_remedy(dsn, words):
    with pytest.raises(StoreUnavailableError) as caught:
        await Database.open(dsn, timeout_s=2)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


async def test_an_unknown_database_is_told(postgres_url):
    with pytest.raises(StoreUnavailableError, match="does not exist"):
        await Database.open(postgres_url.replace("/postgres?", "/no_such?"))


async def test_a_role_without_rights_is_one_line(postgres_url, database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP ROLE IF EXISTS weak; CREATE ROLE weak LOGIN")
    await connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
    await connection.close()
    weak = database_url.replace("postgres:@", "weak@")
    async with await Database.open(weak) as db:
        assert not (await database_status(db)).writable
        with pytest.raises(StoreUnavailableError, match=r"does not let us.*GRANT") as caught:
            await upgrade(db)
    assert "\n" not in str(caught.value)


async def test_a_read_only_database_is_told(database_url):
    connection = await asyncpg.connect(database_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await connection.close()
    async with await Database.open(database_url) as db:
        assert not (await database_status(db)).writable
        with pytest.raises(StoreUnavailableError, match="read-only"):
            await upgrade(db)


async def test_our_commits_are_synchronous_whatever_the_default(database_url):
    connection = await asyncpg.connect(database_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await connection.close()
    async with await Database.open(database_url) as db:
        for _ in range(2):  # given back and taken again
            async with db.connection() as ours:
                assert await ours.fetchval("SHOW synchronous_commit") == "on"


async def test_a_server_that_may_lose_commits_is_told(database_url):
    connection = await asyncpg.connect(database_url)
    async with await Database.open(database_url) as db:
        assert (await database_status(db)).durable
        await connection.execute("ALTER SYSTEM SET full_page_writes = off")
        try:
            await connection.execute("SELECT pg_reload_conf()")
            for _ in range(200):
                if not (await database_status(db)).durable:
                    break
                await asyncio.sleep(0.05)
            assert not (await database_status(db)).durable
        finally:
            await connection.execute("ALTER SYSTEM RESET full_page_writes")
            await connection.execute("SELECT pg_reload_conf()")
            await connection.close()


_BEFORE_FORMS = """
INSERT INTO enterprises (enterprise_id, name, grade, positive_list) VALUES ('E1', 'x', 'A', false);
INSERT INTO gateways (gateway_id, enterprise_key, protocol, interval_s)
SELECT 'G1', enterprise_key, 'mqtt', 60 FROM enterprises;
INSERT INTO circuits (circuit_id, gateway_key, channel, role, register_resolution_kwh, nominal_v)
SELECT 'C1', gateway_key, 'P1', 'main', 0.01, 220 FROM gateways;
INSERT INTO readings (circuit_key, ts, p, e, u_a, i_a, pf, resent, received_at)
SELECT circuit_key, '2026-01-01Z'::timestamptz + n * INTERVAL '1 minute', n * 10 + 7, n, 2291, 12,
       9300, n % 7 = 0, '2026-01-01Z'::timestamptz + n * INTERVAL '61 seconds 7 microseconds'
FROM circuits CROSS JOIN generate_series(0, 1439) AS n;
INSERT INTO data_days SELECT enterprise_key, '2026-01-01' FROM enterprises;
"""
_DAY_PARTITION = """
CREATE TABLE readings_20260101 PARTITION OF readings
FOR VALUES FROM ('2026-01-01+00') TO ('2026-01-02+00')
"""


@pytest.mark.parametrize("kind", ["plain", pytest.param("timescale", marks=pytest.mark.timescale)])
async def test_a_database_with_readings_is_upgraded_without_losing_any(kind, fresh_database):
    """From the form before 0005, compressed where there is a columnstore."""
    dsn = await fresh_database(kind)
    async with await Database.open(dsn) as db:
        steps = [step for step in load_migrations(db.mode) if step.number < 5]
        async with db.connection() as connection:
            for step in steps:
                await connection.execute(step.sql)
            await connection.execute(
                "CREATE TABLE migrations (number int PRIMARY KEY, name text NOT NULL,"
                " applied_at timestamptz NOT NULL DEFAULT now())"
            )
            await connection.executemany(
                "INSERT INTO migrations VALUES ($1, $2)", [(s.number, s.name) for s in steps]
            )
            if kind == "plain":
                await connection.execute(_DAY_PARTITION)
            await connection.execute(_BEFORE_FORMS)
        if db.mode is Mode.TIMESCALE_FULL:
            async with db.connection() as connection:
                await columnstore.enable(connection, columnstore.READINGS)
                await connection.fetch("SELECT compress_chunk(c) FROM show_chunks('readings') c")
        await upgrade(db)
        (key,) = (await load_registry(db)).circuit_keys.values()
        n = np.arange(1440)

        async def check(stored):
            start = to_us(datetime(2026, 1, 1, tzinfo=UTC))
            rows = await read_block(db, [key], start, start + US_PER_DAY)
            assert len(rows) == stored
            np.testing.assert_array_equal(rows["ts"], start + n * 60_000_000)
            np.testing.assert_array_equal(rows["p_kw"], (n * 10 + 7) / 1000)
            np.testing.assert_array_equal(rows["u_a"], 229.1)
            np.testing.assert_array_equal(rows["pf"], 0.93)
            np.testing.assert_array_equal(rows["resent"], n % 7 == 0)
            np.testing.assert_array_equal(rows["received_at"], start + n * 61_000_007)
            return rows

        rows = await check(1440)
        again = await write_batch(db, IngestBatch(rows=rows))
        assert again.duplicates == 1440
        later = rows.copy()
        later["ts"] += 30_000_000
        assert (await write_batch(db, IngestBatch(rows=later))).stored == 1440
        now = datetime(2026, 2, 1, tzinfo=UTC)
        assert await keep_rollups(db, now) > 0
        assert not (await maintain(db, now)).failed
        span = (int(rows["ts"][0]), int(rows["ts"][0]) + US_PER_DAY)
        band = (await bands(db, [key], *span, 3_600_000_000))[key]
        assert band.count.sum() == 2880


async def test_a_unix_socket_takes_more_of_a_batch_at_once_than_by_itself(db):
    """While the event loop does something else, the server goes on with what the socket holds."""
    with socket.socket(socket.AF_UNIX) as plain:
        usual = plain.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    async with db.pool.acquire() as connection:
        ours = connection._con._transport.get_extra_info("socket")
        assert ours.family == socket.AF_UNIX
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) > usual
