"""What is measured: a PostgreSQL, a mosquitto and a collector process, and what each has cost."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from wattwitness.domain.errors import SetupError
from wattwitness.domain.registry import Registry
from wattwitness.runtime.embedded_mosquitto import start_mosquitto, stop_mosquitto
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import save_registry

_BROKER_PORT = 29_883


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time since the beginning [s]."""

    collector: float = 0.0
    postgres: float = 0.0
    broker: float = 0.0

    @property
    def total(self) -> float:
        """Of all three."""
        return self.collector + self.postgres + self.broker

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(
            self.collector - other.collector,
            self.postgres - other.postgres,
            self.broker - other.broker,
        )


class Stage:
    """Services in `folder`; the collector comes and goes."""

    def __init__(self, folder: Path, dsn: str | None = None) -> None:
        self._folder = folder
        self._log_path = folder / "collector.log"
        self._log = self._log_path.open("ab")
        self._log_from = 0
        self._collector: subprocess.Popen[bytes] | None = None
        self.mqtt_url = start_mosquitto(folder / "mosquitto", _BROKER_PORT)
        self._postgres = None
        if dsn is None:
            dsn, self._postgres = start_postgres(folder / "postgres")
        self.dsn = dsn
        pid_file = folder / "postgres" / "postmaster.pid"
        self._postmaster = int(pid_file.read_text().split()[0]) if pid_file.exists() else None
        self._broker = psutil.Process(int((folder / "mosquitto" / "pid").read_text()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._collector is not None:
            self._collector.kill()
            self._collector.wait()
        stop_mosquitto(self._folder / "mosquitto")
        if self._postgres is not None:
            stop_postgres(self._postgres)
        self._log.close()

    async def prepare(self, *registries: Registry) -> None:
        """Create the tables and save the registries."""
        async with await Database.open(self.dsn, application="ingest-benchmark") as db:
            await upgrade(db)
            for registry in registries:
                await save_registry(db, registry)

    def start_collector(self, wait_for: bytes = b'"collecting"') -> float:
        """Start the collector; returns the moment at which its log said `wait_for`.

        Raises:
            SetupError: it does not come up.
        """
        self._log_from = self._log_path.stat().st_size
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("WATTWITNESS_")
        } | {
            "WATTWITNESS_HOME": str(self._folder),
            "WATTWITNESS_DATABASE_URL": self.dsn,
            "WATTWITNESS_MQTT_URL": self.mqtt_url,
        }
        environment |= {k: v for k, v in os.environ.items() if k.startswith("WATTWITNESS_BATCH")}
        command = [sys.executable, "-m", "collector"]
        self._collector = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        deadline_s = time.monotonic() + 120.0
        while wait_for not in self._said():
            if self._collector.poll() is not None or time.monotonic() > deadline_s:
                raise SetupError("the collector does not come up", self._said().decode()[-500:])
            time.sleep(0.002)
        return time.perf_counter()

    def check_collector(self) -> None:
        """Raise when it ended by itself.

        Raises:
            SetupError: it did.
        """
        if self._collector is not None and self._collector.poll() is not None:
            raise SetupError("the collector ended", self._said().decode()[-2000:])

    def stop_collector(self) -> None:
        """SIGTERM, and wait."""
        if self._collector is not None:
            self._collector.terminate()
            self._collector.wait(60.0)
            self._collector = None

    def cost(self) -> Cost:
        """CPU times now."""
        collector = 0.0
        if self._collector is not None:
            collector = _cpu_s(psutil.Process(self._collector.pid))
        postgres = 0.0
        if self._postmaster is not None:
            parent = psutil.Process(self._postmaster)
            ended = parent.cpu_times()
            postgres = _cpu_s(parent) + ended.children_user + ended.children_system
            for child in parent.children():
                try:
                    postgres += _cpu_s(child)
                except psutil.NoSuchProcess:
                    continue
        return Cost(collector, postgres, _cpu_s(self._broker))

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory of collector and broker [MB]."""
        found = 0.0
        if self._collector is not None:
            found = float(psutil.Process(self._collector.pid).memory_info().rss) / 1e6
        return found, float(self._broker.memory_info().rss) / 1e6

    def _said(self) -> bytes:
        with self._log_path.open("rb") as log:
            log.seek(self._log_from)
            return log.read()


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
