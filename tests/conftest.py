"""Real parts for the tests: one PostgreSQL and one mosquitto a session, a fresh database a test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from wattwitness.runtime.embedded_mosquitto import start_mosquitto, stop_mosquitto
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade

_numbers = itertools.count()
TIMESCALE = "WATTWITNESS_TEST_TIMESCALE_URL"


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short name, for sockets and homes."""
    folder = Path(tempfile.mkdtemp(prefix="ww-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(short_folder: Path) -> Iterator[str]:
    """DSN of a real PostgreSQL that lives for the session."""
    dsn, server = start_postgres(short_folder / "pg")
    yield dsn
    stop_postgres(server)


@pytest.fixture(scope="session")
def broker_url(short_folder: Path) -> Iterator[str]:
    """URL of a real mosquitto that lives for the session."""
    folder = short_folder / "mosquitto"
    yield start_mosquitto(folder, 28883)
    stop_mosquitto(folder)


async def _fresh_database(server: str) -> str:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    head, question, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"


@pytest.fixture
async def database_url(postgres_url: str) -> str:
    """DSN of a fresh, empty database."""
    return await _fresh_database(postgres_url)


@pytest.fixture
async def fresh_database(postgres_url: str) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Make an empty database of a kind, "plain" or "timescale"; gives its DSN."""
    made: list[tuple[str, str]] = []

    async def make(kind: str) -> str:
        server = postgres_url if kind == "plain" else os.environ.get(TIMESCALE, "")
        if not server:
            pytest.skip(f"NOT VERIFIED HERE: set {TIMESCALE} to a server with TimescaleDB")
        made.append((server, await _fresh_database(server)))
        return made[-1][1]

    yield make
    for server, dsn in made:
        connection = await asyncpg.connect(server)
        await connection.execute(f"DROP DATABASE {dsn.partition('?')[0].rsplit('/', 1)[1]}")
        await connection.close()


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A fresh database with our tables, on plain PostgreSQL."""
    async with await Database.open(database_url, application="tests") as opened:
        await upgrade(opened)
        yield opened


@pytest.fixture(params=["plain", pytest.param("timescale", marks=pytest.mark.timescale)])
async def any_db(request, postgres_url: str) -> AsyncIterator[Database]:
    """A fresh database in each mode; TimescaleDB where a server with it is named."""
    server = postgres_url
    if request.param == "timescale":
        server = os.environ.get(TIMESCALE, "")
        if not server:
            pytest.skip(f"NOT VERIFIED HERE: set {TIMESCALE} to a server with TimescaleDB")
    dsn = await _fresh_database(server)
    async with await Database.open(dsn, application="tests") as opened:
        await upgrade(opened)
        assert opened.mode.hypertable == (request.param == "timescale")
        yield opened
    connection = await asyncpg.connect(server)
    await connection.execute(f"DROP DATABASE {dsn.partition('?')[0].rsplit('/', 1)[1]}")
    await connection.close()


@pytest.fixture
def home(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, in the environment of this test and of what it starts."""
    folder = short_folder / f"home{next(_numbers)}"
    for name in list(os.environ):
        if name.startswith("WATTWITNESS_") and name != TIMESCALE:
            monkeypatch.delenv(name)
    monkeypatch.setenv("WATTWITNESS_HOME", str(folder))
    return folder
