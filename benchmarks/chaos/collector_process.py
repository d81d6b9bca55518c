"""The collector under fire: a real process, started again whenever it ends."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

from benchmarks.chaos.own_process import OwnProcess
from wattwitness.domain.errors import SetupError

ROOT: Final = Path(__file__).resolve().parents[2]
_RESTART_S: Final = 0.5
_BAD: Final = (b'"level": "error"', b"internal error", b"Traceback")


class CollectorProcess(OwnProcess):
    """`python -m <module>`, its log, and what a service manager does."""

    def __init__(self, module: str, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._module = module
        self._environment = environment
        self._log_path = folder / "collector.log"
        self._log = self._log_path.open("ab")
        self._log_from = 0  # where the running one's lines begin
        self._held_down = False
        self.ended: list[int] = []  # exit codes of those that ended by themselves

    def start(self) -> None:
        """Start the process."""
        self._log_from = self._log_path.stat().st_size
        self._process = psutil.Popen(
            [sys.executable, "-m", self._module],
            env=os.environ | self._environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    async def until_up(self, timeout_s: float = 60.0) -> None:
        """Wait for the first subscription: before it, the broker has nobody to keep messages for.

        Raises:
            SetupError: it did not come up.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self.is_up():
            if time.monotonic() > deadline_s:
                said = self.said().decode(errors="replace").splitlines()
                raise SetupError(
                    f"the collector does not come up: {said[-1] if said else 'no word'}",
                    "run it by hand",
                )
            await asyncio.sleep(0.1)

    def is_up(self) -> bool:
        """Whether it runs and has subscribed."""
        return self.runs and b'"collecting"' in self.said()

    def said(self, since: int | None = None) -> bytes:
        """Its log since a place, or since the running one began."""
        with self._log_path.open("rb") as log:
            log.seek(self._log_from if since is None else since)
            return log.read()

    def log_size(self) -> int:
        """A place in its log."""
        return self._log_path.stat().st_size

    def complaints(self) -> list[str]:
        """Lines of its log that should not be there."""
        lines = self.said(0).splitlines()
        return [ln.decode(errors="replace") for ln in lines if any(bad in ln for bad in _BAD)]

    def stop(self, timeout_s: float = 30.0) -> int | None:
        """SIGTERM; returns the exit code, None when it did not end in time."""
        self._held_down = True
        process = self._process
        if process is None or process.poll() is not None:
            return None
        process.terminate()
        try:
            return int(process.wait(timeout_s))
        except psutil.TimeoutExpired:
            self.kill()
            return None

    async def revive(self) -> None:
        """Start it again whenever it is down, as a service manager would, for ever."""
        while True:
            await asyncio.sleep(_RESTART_S)
            if not self.runs and not self._held_down:
                if self._process is not None:
                    self.ended.append(self._process.returncode)
                self.start()

    def close(self) -> None:
        """End it."""
        self._held_down = True
        super().close()
        self._log.close()
