import asyncio

import asyncpg
import pytest

from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.store.database import Database
from wattwitness.store.migrations import load_migrations, pending, upgrade
from wattwitness.store.mode import Mode
from wattwitness.store.overview import database_status
from wattwitness.store.registry import load_registry


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
