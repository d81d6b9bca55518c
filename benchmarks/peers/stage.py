"""What the plays run on: one PostgreSQL, a fresh database and a fresh broker for each play."""

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.embedded_mosquitto import (
    find_mosquitto,
    start_mosquitto,
    stop_mosquitto,
)
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres

_BROKER_PORT = 29_883
_ATTEMPTS = 40


class Stage:
    """Services in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._brokers: list[Path] = []
        self._dsn, self._postgres = start_postgres(folder / "postgres")

    async def new_database(self, name: str) -> str:
        """Create an empty database; returns its DSN."""
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return urlunsplit(urlsplit(self._dsn)._replace(path=f"/{name}"))

    async def drop_database(self, name: str) -> None:
        """Drop it, whoever is still connected, and write out what waits, for the next play."""
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    async def postgres_version(self) -> str:
        """As the server says it."""
        connection = await asyncpg.connect(self._dsn)
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()

    def new_broker(self, name: str) -> str:
        """Start a broker without sessions, set as the project recommends; returns its URL."""
        folder = self._folder / name
        self._brokers.append(folder)
        return start_mosquitto(folder, _BROKER_PORT)

    def stop_brokers(self) -> None:
        """Stop all brokers."""
        while self._brokers:
            stop_mosquitto(self._brokers.pop())

    def crash_database(self) -> None:
        """Immediate shutdown: every session is cut, recovery follows at the next start."""
        pid_file = self._folder / "postgres" / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            os.kill(int(pid_file.read_text(encoding="utf-8").split()[0]), signal.SIGQUIT)

    async def restart_database(self) -> None:
        """Start the database again; the address stays.

        Raises:
            SetupError: it does not come back.
        """
        for _ in range(_ATTEMPTS):
            try:
                _, self._postgres = await asyncio.to_thread(
                    start_postgres, self._folder / "postgres"
                )
            except SetupError:
                await asyncio.sleep(0.25)
            else:
                return
        raise SetupError("the database did not come back")

    def close(self) -> None:
        """Stop all of it."""
        self.stop_brokers()
        stop_postgres(self._postgres)


def mosquitto_version() -> str:
    """As the program says it."""
    program = find_mosquitto() or "mosquitto"
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    return said.splitlines()[0].replace(" version", "")
