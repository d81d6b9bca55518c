"""What is measured: PostgreSQL, the watcher and the pages as processes, and what they cost."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.embedded_postgres import start_postgres, stop_postgres

_UP_S = 60.0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time since the beginning [s], and resident memory now [MB]."""

    cpu_s: float
    memory_mb: float


class Stage:
    """A PostgreSQL and processes, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.dsn, self._postgres = start_postgres(folder / "postgres")
        self._postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        stop_postgres(self._postgres)

    def start(self, name: str, module: str, *arguments: str) -> None:
        """Start a process of the program; its log is `name`.log."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WATTWITNESS_")} | {
            "WATTWITNESS_HOME": str(self._folder),
            "WATTWITNESS_DATABASE_URL": self.dsn,
            "WATTWITNESS_HTTP": f"127.0.0.1:{self.port}",
        }
        with (self._folder / f"{name}.log").open("ab") as out:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    @property
    def names(self) -> list[str]:
        """Of the processes, in the order of their start."""
        return list(self._processes)

    def log(self, name: str) -> str:
        """What a process said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def check(self) -> None:
        """Raise when a process ended.

        Raises:
            SetupError: it did.
        """
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise SetupError(f"{name} ended", self.log(name)[-2000:])

    def wait_for_pages(self) -> None:
        """Until the pages answer.

        Raises:
            SetupError: they do not.
        """
        deadline_s = time.monotonic() + _UP_S
        while time.monotonic() < deadline_s:
            self.check()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise SetupError("the pages do not come up", self.log("dashboards")[-2000:])

    def cost(self, name: str) -> Cost:
        """Of a process, or of `postgres` with all its own."""
        if name != "postgres":
            own = psutil.Process(self._processes[name].pid)
            times = own.cpu_times()
            return Cost(times.user + times.system, own.memory_info().rss / 1e6)
        parent = psutil.Process(self._postmaster)
        times = parent.cpu_times()
        cpu = times.user + times.system + times.children_user + times.children_system
        for child in parent.children():
            try:
                times = child.cpu_times()
                cpu += times.user + times.system
            except psutil.NoSuchProcess:
                continue
        return Cost(cpu, 0.0)
