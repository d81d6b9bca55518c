"""How much processor a piece of work takes, ours and PostgreSQL's."""

import os
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psutil

RUNS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one piece of work [s]."""

    own_s: float  # processor time of this process
    server_s: float  # of PostgreSQL
    wall_s: float

    @property
    def cpu_s(self) -> float:
        """Of both."""
        return self.own_s + self.server_s


def best_s(work: Callable[[], object], runs: int = RUNS) -> float:
    """Least processor time of several runs [s]."""
    found = []
    for _ in range(runs):
        began_s = time.process_time()
        work()
        found.append(time.process_time() - began_s)
    return min(found)


def _server_s(backends: list[psutil.Process]) -> float:
    total = 0.0
    for backend in backends:
        times = backend.cpu_times()
        total += times.user + times.system
    return total


async def cost_of(work: Callable[[], Awaitable[object]], backends: list[psutil.Process]) -> Cost:
    """One run.

    Args:
        work: what is measured.
        backends: PostgreSQL's processes, all of which live through it.
    """
    server_s, own_s, wall_s = _server_s(backends), time.process_time(), time.perf_counter()
    await work()
    return Cost(
        time.process_time() - own_s,
        _server_s(backends) - server_s,
        time.perf_counter() - wall_s,
    )


def one_core() -> bool:
    """Stay on one core from here on, where the system lets a process choose."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return True


def peak_mb() -> float:
    """The most memory that this process ever held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
