"""Where kernels run: the fourth cut line of the architecture.

A kernel is a pure function of one picklable block; results come back in the order of the blocks.
In this process, in a pool of processes, later on Dask: nothing else changes.
"""

import multiprocessing
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

    def map(self, kernel: Callable[[Block], Result], blocks: Sequence[Block]) -> list[Result]:
        """Results in the order of the blocks; the first error of a kernel is raised."""
        ...


class InProcess:
    """One block after the other, here."""

    width = 1

    def map(self, kernel: Callable[[Block], Result], blocks: Sequence[Block]) -> list[Result]:
        """Run the kernel over the blocks."""
        return [kernel(block) for block in blocks]


class ProcessPool:
    """A pool of worker processes; a context manager."""

    def __init__(self, workers: int) -> None:
        self.width = workers
        # spawned, not forked: the caller has an event loop and a database connection
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, mp_context=context)

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
