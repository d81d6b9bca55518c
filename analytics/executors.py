"""Where kernels run: the fourth cut line of the architecture.

A kernel is a pure function of one picklable block; results come back in the order of the blocks.
In this process, in a pool of processes, later on Dask: nothing else changes.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Protocol, Self, TypeVar

Block = TypeVar("Block")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs a kernel over blocks."""

    @property
    def width(self) -> int:
        """How many blocks run at a time."""
        ...

    @property
    def room(self) -> asyncio.Semaphore:
        """Held while readings are in memory: as many blocks as run at a time."""
        ...

    def map(self, kernel: Callable[[Block], Result], blocks: Sequence[Block]) -> list[Result]:
        """Results in the order of the blocks; the first error of a kernel is raised."""
        ...


class InProcess:
    """One block after the other, here."""

    width = 1

    def __init__(self) -> None:
        self.room = asyncio.Semaphore(self.width)

    def map(self, kernel: Callable[[Block], Result], blocks: Sequence[Block]) -> list[Result]:
        """Run the kernel over the blocks."""
        return [kernel(block) for block in blocks]


def _leave_interrupts_to_the_caller() -> None:
    """A terminal interrupts all processes of a command; the caller ends the workers in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class ProcessPool:
    """A pool of worker processes; a context manager."""

    def __init__(self, workers: int) -> None:
        self.width = workers
        self.room = asyncio.Semaphore(workers)
        # spawned, not forked: the caller has an event loop and a database connection
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_leave_interrupts_to_the_caller
        )

    def map(self, kernel: Callable[[Block], Result], blocks: Sequence[Block]) -> list[Result]:
        """Run the kernel over the blocks, several at a time."""
        return list(self._pool.map(kernel, blocks))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
