"""A collector's process, and the supervisor that starts it again when it ends."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_RESTART_S = 1.0
_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Launch:
    """How a collector is started."""

    arguments: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervised:
    """Runs a collector; `watch` is what systemd's `Restart=always` would do."""

    def __init__(self, launch: Launch, log: Path) -> None:
        self._launch, self._log = launch, log
        self._process: subprocess.Popen[bytes] | None = None
        self.restarts = 0  # of a collector that ended by itself
        self._killed = False

    def start(self) -> None:
        """Start it."""
        self._killed = False
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._launch.arguments,
                env=os.environ | self._launch.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._log.parent,
            )

    async def watch(self) -> None:
        """Start it again, a second later, each time it ends."""
        while True:
            await asyncio.sleep(0.1)
            if self._process is not None and self._process.poll() is not None:
                self.restarts += not self._killed
                await asyncio.sleep(_RESTART_S)
                self.start()

    def kill(self) -> None:
        """`kill -9`."""
        self._killed = True
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for one that does not listen."""
        self._signal(signal.SIGTERM)
        process, self._process = self._process, None
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, _STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def is_connected(self, port: int) -> bool:
        """Whether the process has a connection to `port`."""
        with suppress(psutil.Error):
            found = psutil.Process(self._pid).net_connections(kind="tcp")
            return any(
                c.status == psutil.CONN_ESTABLISHED and c.raddr and c.raddr.port == port
                for c in found
            )
        return False

    def cpu_s(self) -> float:
        """CPU seconds that the running process has used."""
        with suppress(psutil.Error):
            times = psutil.Process(self._pid).cpu_times()
            return times.user + times.system
        return 0.0

    def last_words(self) -> str:
        """The last line of its log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1][:200] if said else "it says nothing"

    @property
    def _pid(self) -> int:
        if self._process is None:
            raise psutil.NoSuchProcess(0)
        return self._process.pid

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
