"""The database under fire: the embedded PostgreSQL on a small disk, ours to kill and freeze."""

import asyncio
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import asyncpg
import psutil

from benchmarks.chaos.disk import Disk
from wattwitness.domain.errors import SetupError
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres

_START_S: Final = 60.0
_SMALL: Final = """
# --- a small disk ---
shared_buffers = 64MB
min_wal_size = 32MB
max_wal_size = 64MB
checkpoint_timeout = 30s
"""
_COLLECTORS_BACKENDS: Final = """
SELECT pid FROM pg_stat_activity WHERE application_name = 'wattwitness-collector'
ORDER BY state = 'active' DESC, state_change DESC
"""
_TROUBLE: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class PostgresUnderFire:
    """One server; its socket file stays where it is."""

    def __init__(self, folder: Path) -> None:
        self.disk = Disk(folder)
        self._data = folder / "postgres"
        self.dsn, server = start_postgres(self._data)  # makes the cluster
        stop_postgres(server)
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_SMALL)
        socket_folder = self.dsn.rpartition("host=")[2]
        self.socket = f"{socket_folder}/.s.PGSQL.5432"
        self._user: str | None = server.system_user
        self._command = [
            str(server.bin_path / "postgres"),
            *("-D", str(self._data), "-h", "", "-k", socket_folder),
        ]
        self._process: psutil.Popen | None = None

    @property
    def runs(self) -> bool:
        """Whether its first process is there."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start (again and again, if need be) until it answers.

        Raises:
            SetupError: it does not.
        """
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            if not self.runs:
                self.launch()
            if await self._answers():
                return
            await asyncio.sleep(0.05)
        raise SetupError("the database does not come back", f"see {self._data / 'log'}")

    def launch(self) -> None:
        """Start its first process, and do not wait."""
        with (self._data / "log").open("ab") as log:
            self._process = psutil.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self._user
            )

    def kill(self) -> bool:
        """`kill -9` of all its processes at once; returns whether it ran."""
        if not self.runs:
            return False
        family = self._family()
        for process in family:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(family, timeout=10)
        return True

    async def kill_backend(self) -> bool:
        """`kill -9` of a backend of the collector: the others are thrown out, recovery follows."""
        pids = [row["pid"] for row in await self.ask(_COLLECTORS_BACKENDS)]
        for pid in pids[:1]:
            with suppress(psutil.Error):
                psutil.Process(pid).kill()
                return True
        return False

    def freeze(self, *, on: bool) -> bool:
        """Stop or go on, all its processes; returns whether it runs."""
        if not self.runs:
            return False
        for process in self._family():
            with suppress(psutil.Error):
                if on:
                    process.suspend()
                else:
                    process.resume()
        return True

    async def fill_log(self) -> None:
        """Write into the write-ahead log until there is no room for it (a PANIC, as a rule)."""
        for _ in range(300):
            try:
                await self._ask(
                    "SELECT pg_logical_emit_message(true, 'chaos', repeat('x', 1000000))"
                )
            except _TROUBLE:
                return

    async def ask(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Ask directly, past every proxy; one that is recovering is asked again."""
        deadline_s = time.monotonic() + _START_S
        while True:
            try:
                return await self._ask(query, *arguments)
            except _TROUBLE:
                if time.monotonic() > deadline_s:
                    raise
            await asyncio.sleep(0.1)

    async def _ask(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.dsn, timeout=5, command_timeout=60)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return found
        finally:
            with suppress(*_TROUBLE):
                await connection.close(timeout=5)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(2):
                await self._ask("SELECT 1")
        except _TROUBLE:
            return False
        return True

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None  # noqa: S101 - asked only while it runs
        with suppress(psutil.Error):
            return [self._process, *self._process.children(recursive=True)]
        return [self._process]

    def close(self) -> None:
        """End it, and give the disk back."""
        self.freeze(on=False)
        self.kill()
        self.disk.close()
