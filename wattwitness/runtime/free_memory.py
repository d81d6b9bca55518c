"""Giving freed memory back to the system.

glibc keeps what was freed, up to 64 MB and more in each of its arenas, so that a process that once
had a large batch in hand looks as if it grew (malloc_trim(3), mallopt(3): M_TRIM_THRESHOLD).
"""

import ctypes
from functools import cache
from typing import Any


@cache
def _trim() -> Any:
    """What gives memory back; None where the C library has no such thing (musl, macOS)."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Give back what is free; a matter of milliseconds."""
    if (trim := _trim()) is not None:
        trim(0)
