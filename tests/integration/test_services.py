"""Embedded PostgreSQL and mosquitto: shared by the processes of a home, gone with the last."""

import asyncio
import os
import signal
import socket
import sys

import asyncpg
import pytest

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import load_settings


def port_of(url):
    return int(url.rpartition(":")[2])


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_shared_and_stopped_with_the_last_user(home):
    settings = load_settings()
    async with services(settings, database=True, broker=True) as first:
        async with services(settings, database=True, broker=True) as second:
            assert second == first
        connection = await asyncpg.connect(first.dsn)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        assert listens(port_of(first.mqtt_url))
    assert not listens(port_of(first.mqtt_url))
    with pytest.raises((ConnectionError, FileNotFoundError)):
        await asyncpg.connect(first.dsn, timeout=2)


async def test_data_survive_a_stop_and_a_kill(home):
    settings = load_settings()
    async with services(settings, database=True) as found:
        connection = await asyncpg.connect(found.dsn)
        await connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)")
        await connection.close()
        pid = int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(1.5)
    async with services(settings, database=True) as found:
        connection = await asyncpg.connect(found.dsn)
        assert await connection.fetchval("SELECT n FROM kept") == 42
        await connection.close()


async def test_a_broker_that_was_killed_is_started_again(home):
    settings = load_settings()
    async with services(settings, broker=True) as found:
        os.kill(int((home / "mosquitto" / "pid").read_text()), signal.SIGKILL)
        await asyncio.sleep(0.5)
        async with services(settings, broker=True) as again:
            assert listens(port_of(again.mqtt_url))
    assert not listens(port_of(found.mqtt_url))


async def test_a_port_in_use_is_stepped_over(home, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("WATTWITNESS_BROKER_PORT", str(port))
        async with services(load_settings(), broker=True) as found:
            assert port_of(found.mqtt_url) != port


async def test_given_urls_are_used_as_they_are(home, monkeypatch):
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", "postgresql://elsewhere/x")
    monkeypatch.setenv("WATTWITNESS_MQTT_URL", "mqtt://elsewhere:1883")
    async with services(load_settings(), database=True, broker=True) as found:
        assert found.dsn == "postgresql://elsewhere/x"
        assert found.mqtt_url == "mqtt://elsewhere:1883"
    assert not home.exists()


async def test_a_home_that_cannot_be_written_is_one_line(home, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WATTWITNESS_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SetupError, match="WATTWITNESS_HOME"):
        async with services(load_settings(), broker=True):
            pass


async def test_a_missing_mosquitto_is_told_with_its_remedy(home, monkeypatch):
    monkeypatch.setattr("wattwitness.runtime.embedded_mosquitto.find_mosquitto", lambda: None)
    with pytest.raises(SetupError, match="apt-get install mosquitto"):
        async with services(load_settings(), broker=True):
            pass


async def test_homes_that_start_together_have_brokers_of_their_own(short_folder, tmp_path):
    code = (
        "import asyncio, sys; from wattwitness.runtime.settings import load_settings;"
        "from wattwitness.runtime.services import services\n"
        "async def main():\n"
        "    async with services(load_settings(), broker=True) as found:\n"
        "        print(found.mqtt_url, flush=True)\n"
        "        await asyncio.to_thread(sys.stdin.read)\n"
        "asyncio.run(main())"
    )
    started = []
    for n in range(4):
        home = {**os.environ, "WATTWITNESS_HOME": str(short_folder / f"together{n}")}
        started.append(
            await asyncio.create_subprocess_exec(
                sys.executable, "-c", code, env=home,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )
        )  # fmt: skip
    urls = [(await process.stdout.readline()).decode().strip() for process in started]
    for process in started:
        process.stdin.close()
        await process.wait()
    assert len(set(urls)) == 4, urls


async def test_stopped_while_the_database_starts_it_is_let_go_again(home):
    async def use():
        async with services(load_settings(), database=True):
            await asyncio.sleep(60)

    task = asyncio.create_task(use())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (home / "postgres" / "postmaster.pid").exists()
