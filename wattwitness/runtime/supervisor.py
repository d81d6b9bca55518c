"""Several processes as one: start them by module name, restart what falls, stop all together."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.lifecycle import PARENT_VARIABLE, Lifecycle

_SETTLED_S = 5.0  # one that ends sooner than this after its first start will not do better again
_RESTART_S = (1.0, 2.0, 5.0, 15.0, 30.0)
_STOP_S = 20.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process: `python -m module arguments`."""

    module: str
    arguments: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", self.module, *self.arguments]


class Supervisor:
    """Keeps programs running until its lifecycle is told to stop."""

    def __init__(self, lifecycle: Lifecycle, environment: Mapping[str, str] | None = None) -> None:
        self._lifecycle = lifecycle
        own = {PARENT_VARIABLE: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        self._environment = {**os.environ, **(environment or {}), **own}

    def keep(self, program: Program) -> None:
        """Start a program and start it again whenever it falls.

        The process stops with `SetupError` when the program cannot even start.
        """
        self._lifecycle.spawn(f"keep-{program.module}", self._keep(program))

    async def run(self, program: Program) -> None:
        """Run a program to its end.

        Raises:
            SetupError: it ended with an error; its own line is on stderr already.
        """
        process = await self._start(program)
        code = await self._wait(process)
        if code and not self._lifecycle.stop.is_set():
            raise SetupError(f"{program.module} ended with code {code}", "see its message above")

    async def _start(self, program: Program) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *program.command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C comes to us alone; we pass on one SIGTERM each
        )

    async def _keep(self, program: Program) -> None:
        loop = asyncio.get_running_loop()
        falls = 0
        while not self._lifecycle.stop.is_set():
            began = loop.time()
            code = await self._wait(await self._start(program))
            if self._lifecycle.stop.is_set():
                return
            if falls == 0 and loop.time() - began < _SETTLED_S:
                raise SetupError(
                    f"{program.module} does not start (code {code})", "see its message above"
                )
            pause = _RESTART_S[min(falls, len(_RESTART_S) - 1)]
            falls += 1
            log.warning("restarting", program=program.module, code=code, pause_s=pause)
            await self._lifecycle.sleep(pause)

    async def _wait(self, process: asyncio.subprocess.Process) -> int:
        """Wait for its end; when we are to stop, ask it to, and insist after a while."""
        ended = asyncio.create_task(process.wait())
        stop = asyncio.create_task(self._lifecycle.stop.wait())
        try:
            await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if process.returncode is None:
                await asyncio.shield(_end(process))
        return await ended


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
