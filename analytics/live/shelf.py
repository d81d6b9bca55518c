"""A file for the baselines of a city: gigabytes, of which each minute looks at a few blocks.

A baseline answers from the blocks of the clock around the ends of a window. Block after block on a
file without a name, it costs no memory of this process; what is asked for often is in the system's
cache. The file goes when the process ends, however that happens.
"""

import os
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from analytics.baselines.frozen import Accumulated, InMemory

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class _Shelved:
    """Amounts on a file."""

    file: int  # descriptor
    offset: int
    days: int
    circuits: int

    def at(self, block: int) -> NDArray[np.float32]:
        """What had come together when a block began, 0-96 [days, circuits]."""
        size = 4 * self.days * self.circuits
        held = os.pread(self.file, size, self.offset + block * size)
        return np.frombuffer(held, dtype=np.float32).reshape(self.days, self.circuits)


def _nameless_file() -> int:
    file, path = tempfile.mkstemp(prefix="baselines-")
    Path(path).unlink()
    return file


@dataclass(eq=False)
class Shelf:
    """Keeps amounts as long as somebody holds what `put` gave."""

    _file: int = field(default_factory=_nameless_file)
    _end: int = 0
    _free: dict[int, list[int]] = field(default_factory=dict)  # size → offsets

    def __post_init__(self) -> None:
        weakref.finalize(self, os.close, self._file)

    def put(self, amounts: Accumulated) -> Accumulated:
        """The same amounts, on file; in memory as before if the disk has no room."""
        if not isinstance(amounts, InMemory) or not amounts.values.size:
            return amounts
        held, (_, days, circuits) = amounts.values.tobytes(), amounts.values.shape
        free = self._free.get(len(held))
        offset = free.pop() if free else self._end
        try:
            _write(self._file, memoryview(held), offset)
        except OSError as error:
            log.warning("baseline_in_memory", reason=str(error))
            if offset < self._end:
                self._let_go(len(held), offset)
            return amounts
        self._end = max(self._end, offset + len(held))
        found = _Shelved(self._file, offset, days, circuits)
        weakref.finalize(found, self._let_go, len(held), offset).atexit = False
        return found

    def _let_go(self, size: int, offset: int) -> None:
        self._free.setdefault(size, []).append(offset)


def _write(file: int, left: memoryview, offset: int) -> None:
    while left:
        done = os.pwrite(file, left, offset)
        left, offset = left[done:], offset + done
