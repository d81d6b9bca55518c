"""Payloads that are kept whole: each once, however often it is delivered, and in bounded pieces."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

SLICE_BYTES: Final = 16 * 1024 * 1024  # payload per statement; a larger one goes alone
_Kept = TypeVar("_Kept")


def digest(payload: bytes, *names: object) -> bytes:
    """What a kept payload is recognised by, together with whose it is (32 bytes)."""
    found = hashlib.sha256(repr(names).encode())
    found.update(payload)
    return found.digest()


def in_slices(
    items: Sequence[_Kept], size: Callable[[_Kept], int], most: int = SLICE_BYTES
) -> Iterator[Sequence[_Kept]]:
    """Pieces of `items`, in order, none larger than `most` unless it is a single item."""
    first, total = 0, 0
    for k, item in enumerate(items):
        if k > first and total + size(item) > most:
            yield items[first:k]
            first, total = k, 0
        total += size(item)
    if items:
        yield items[first:]
