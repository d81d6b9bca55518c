"""Baselines on a file say what they said in memory, and their room is used again."""

import errno
import os

import numpy as np
import pytest

from analytics.baselines.frozen import InMemory, accumulated
from analytics.live.shelf import Shelf


def amounts(seed: int, days: int = 3, circuits: int = 2) -> InMemory:
    return accumulated(np.random.default_rng(seed).uniform(0.0, 9.0, (days, circuits, 96)))


def test_what_is_on_the_shelf_is_what_was_put_there() -> None:
    shelf = Shelf()
    put = [amounts(n, days=n) for n in range(1, 5)]
    kept = [shelf.put(own) for own in put]
    for own, found in zip(put, kept, strict=True):
        assert not isinstance(found, InMemory)
        for block in (0, 1, 50, 96):
            np.testing.assert_array_equal(found.at(block), own.at(block))


def test_what_nobody_holds_makes_room() -> None:
    shelf = Shelf()
    first, second = shelf.put(amounts(1)), shelf.put(amounts(2))
    size = os.fstat(shelf._file).st_size
    del first
    third = shelf.put(amounts(3))
    assert os.fstat(shelf._file).st_size == size
    np.testing.assert_array_equal(second.at(96), amounts(2).at(96))
    np.testing.assert_array_equal(third.at(96), amounts(3).at(96))


def test_without_room_on_the_disk_it_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    shelf, own = Shelf(), amounts(1)
    monkeypatch.setattr(os, "pwrite", full)
    assert shelf.put(own) is own


def test_a_plant_without_days_needs_no_shelf() -> None:
    own = accumulated(np.zeros((0, 2, 96)))
    assert Shelf().put(own) is own
