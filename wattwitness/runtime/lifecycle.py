"""Lifecycle of a process: stop is an event, side tasks are named and watched.

A process ends for one of four reasons: it is done, it was told to stop (SIGTERM, SIGINT), its
supervisor died, or one of its tasks failed. All four take the same way out: set `stop`, let the
tasks finish what they hold, return an exit code.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from wattwitness.domain.errors import WattWitnessError

PARENT_VARIABLE = "WATTWITNESS_PARENT_PID"
_PARENT_POLL_S = 1.0
log = structlog.get_logger()
T = TypeVar("T")


class Lifecycle:
    """Handed to a process's main coroutine."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failure: BaseException | None = None

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a watched side task; if it fails, the process stops with its error."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._watch)
        return task

    def _watch(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or task.exception() is None:
            return
        self._failure = self._failure or task.exception()
        if not isinstance(self._failure, WattWitnessError):
            log.error("task_failed", task=task.get_name(), exc_info=task.exception())
        self.stop.set()

    async def sleep(self, seconds: float) -> bool:
        """Sleep, or wake at once when told to stop; returns whether to stop."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def finish(self) -> None:
        """Wait until the side tasks have let go by themselves, which they do once `stop` is set."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Cancel what still runs and raise what failed first."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    async def watch_parent(self) -> None:
        """Stop when the supervisor that started this process is gone."""
        parent = int(os.environ.get(PARENT_VARIABLE, "0"))
        while parent and not await self.sleep(_PARENT_POLL_S):
            if os.getppid() != parent:
                log.warning("supervisor_gone", pid=parent)
                self.stop.set()


def run_command(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end; told to stop, it lets go of what it holds.

    Raises:
        WattWitnessError: what the work raised, or that it was stopped.
    """
    try:
        return asyncio.run(_cancelled_by_signals(work))
    except asyncio.CancelledError:
        raise WattWitnessError("stopped", "what was finished is kept; repeat the command") from None


async def _cancelled_by_signals(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    return await task


async def _supervised(main: Callable[[Lifecycle], Awaitable[None]]) -> None:
    lifecycle = Lifecycle()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lifecycle.stop.set)
    if os.environ.get(PARENT_VARIABLE):
        lifecycle.spawn("watch-parent", lifecycle.watch_parent())
    try:
        await main(lifecycle)
    finally:
        await lifecycle.close()


def run(main: Callable[[Lifecycle], Awaitable[None]]) -> int:
    """Run a process to its end; returns its exit code.

    A `WattWitnessError` becomes one line on stderr and 1. Anything else that reaches this outermost
    point is a defect: it is logged with its traceback, told in one line, and gives 1 as well.
    """
    try:
        asyncio.run(_supervised(main))
    except WattWitnessError as error:
        print(f"wattwitness: {error}", file=sys.stderr)  # noqa: T201 - the contract's one line
        return 1
    except KeyboardInterrupt:
        return 1
    except Exception as error:
        log.exception("defect")
        print(f"wattwitness: internal error: {error!r}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
