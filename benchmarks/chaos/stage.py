"""What the play runs on: a PostgreSQL and a mosquitto of its own, and a real collector process."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from wattwitness.domain.errors import SetupError
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.runtime.embedded_mosquitto import start_mosquitto, stop_mosquitto
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import save_registry

_BROKER_PORT = 28_883


class Stage:
    """Services in `folder`; starts, kills and restarts what a fault asks for."""

    def __init__(self, folder: Path, collector_module: str) -> None:
        self._folder = folder
        self._module = collector_module
        self._collector: subprocess.Popen[bytes] | None = None
        self._log_path = folder / "collector.log"
        self._log = self._log_path.open("ab")
        self._log_from = 0  # where the running collector's lines begin
        self.mqtt_url = start_mosquitto(folder / "mosquitto", _BROKER_PORT)
        self.dsn, self._postgres = start_postgres(folder / "postgres")

    async def prepare(self, registry: Registry) -> None:
        """Create the tables and save the registry."""
        async with await Database.open(self.dsn, application="chaos") as db:
            await upgrade(db)
            await save_registry(db, registry)

    def start_collector(self) -> None:
        """Start the collector process."""
        self._log_from = self._log_path.stat().st_size
        environment = os.environ | {
            "WATTWITNESS_HOME": str(self._folder),
            "WATTWITNESS_DATABASE_URL": self.dsn,
            "WATTWITNESS_MQTT_URL": self.mqtt_url,
        }
        self._collector = subprocess.Popen(
            [sys.executable, "-m", self._module],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    async def until_collecting(self, timeout_s: float = 60.0) -> None:
        """Wait for the first subscription: before it, the broker has nobody to keep messages for.

        Raises:
            SetupError: the collector did not come up.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self.collector_is_up():
            if time.monotonic() > deadline_s:
                raise SetupError("the collector does not come up", "run it by hand")
            await asyncio.sleep(0.1)

    def collector_is_up(self) -> bool:
        """Whether the collector that was started last runs and has subscribed."""
        if self._collector is None or self._collector.poll() is not None:
            return False
        return b'"collecting"' in self._log_path.read_bytes()[self._log_from :]

    def kill_broker(self) -> None:
        """`kill -9`: what it has acknowledged and not yet written is gone."""
        pid = int((self._folder / "mosquitto" / "pid").read_text(encoding="utf-8"))
        os.kill(pid, signal.SIGKILL)

    def restart_broker(self) -> None:
        """Start the broker again, at the same address."""
        port = urlsplit(self.mqtt_url).port
        url = start_mosquitto(self._folder / "mosquitto", port or _BROKER_PORT)
        if url != self.mqtt_url:
            raise SetupError(f"the broker came back at {url}, not at {self.mqtt_url}")

    def kill_collector(self) -> None:
        """`kill -9`."""
        if self._collector is not None:
            self._collector.kill()
            self._collector.wait()

    def stop_collector(self, timeout_s: float = 30.0) -> int | None:
        """SIGTERM; returns the exit code, None when it did not end in time."""
        if self._collector is None:
            return None
        self._collector.terminate()
        try:
            return self._collector.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._collector.kill()
            return None

    def revive_collector(self) -> int | None:
        """Start the collector again if it ended (what a supervisor does); returns its exit code."""
        if self._collector is None or self._collector.poll() is None:
            return None
        code = self._collector.returncode
        self.start_collector()
        return code

    def crash_database(self) -> None:
        """Immediate shutdown: every session is cut, recovery follows at the next start."""
        pid_file = self._folder / "postgres" / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            os.kill(int(pid_file.read_text(encoding="utf-8").split()[0]), signal.SIGQUIT)

    async def restart_database(self) -> None:
        """Start the database again; the address stays."""
        for _ in range(20):
            try:
                _, self._postgres = await asyncio.to_thread(
                    start_postgres, self._folder / "postgres"
                )
            except SetupError:
                await asyncio.sleep(0.5)
            else:
                return
        raise SetupError("the database did not come back")

    def close(self) -> None:
        """Stop all of it."""
        self.kill_collector()
        stop_mosquitto(self._folder / "mosquitto")
        stop_postgres(self._postgres)
        self._log.close()


def small_city(gateways: int, circuits: int) -> Registry:
    """One enterprise, some gateways with some circuits each."""
    names = [f"CG{k:03d}" for k in range(gateways)]
    found = [
        Circuit(
            circuit_id=f"{gateway}-C{c}", gateway_id=gateway, channel=f"C{c}", role=Role.PRODUCTION
        )
        for gateway in names
        for c in range(circuits)
    ]
    return Registry(
        enterprises={"CE": Enterprise(enterprise_id="CE", name="Chaos")},
        gateways={g: Gateway(gateway_id=g, enterprise_id="CE") for g in names},
        circuits={c.circuit_id: c for c in found},
    )
