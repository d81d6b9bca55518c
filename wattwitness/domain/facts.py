"""Day facts: arrays that one local day contributes to findings over many days.

Readings are read once. What a method needs from other days (a daily level, the blocks of a day,
how long values stood still) is kept as a fact of its day, so that days can be analysed in any
order, alone, or again, and a conclusion over months never reads a month of readings.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

BLOCK_MIN = 15
"""Minutes in a block; a local day has 96."""
BLOCKS = 96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayFact:
    """One array of one local day; its kind says what it holds, how long it is, in which unit."""

    enterprise_id: str
    day: date
    kind: str  # documented where it is made
    subject: str  # a circuit id, a pairing id, or "" for the enterprise
    values: NDArray[np.float32]  # one-dimensional; NaN = not known


@dataclass(frozen=True)
class FactTable:
    """One fact over the days that have it, oldest first."""

    days: Sequence[date]
    values: NDArray[np.float32]  # [days, length]

    @property
    def ordinals(self) -> NDArray[np.int64]:
        """Number of each day [days]."""
        return _ordinals(tuple(self.days))

    @property
    def blocks(self) -> NDArray[np.int64]:
        """Number of each block of the days: of the day × 96 + of the block [days × 96]."""
        return _blocks(tuple(self.days))


@lru_cache(maxsize=64)  # the tables of an enterprise share their days
def _ordinals(days: tuple[date, ...]) -> NDArray[np.int64]:
    found = np.array([day.toordinal() for day in days], dtype=np.int64)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=64)
def _blocks(days: tuple[date, ...]) -> NDArray[np.int64]:
    found = (_ordinals(days)[:, np.newaxis] * BLOCKS + np.arange(BLOCKS)).ravel()
    found.flags.writeable = False
    return found


NO_FACTS = FactTable((), np.empty((0, 0), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a day holds of one kind: subject after subject."""

    kind: str
    subjects: tuple[str, ...]
    lengths: tuple[int, ...]

    @property
    def length(self) -> int | None:
        """Of each fact; None where they differ."""
        return self.lengths[0] if len(set(self.lengths)) == 1 else None


@dataclass
class _Alike:
    """Days that hold the same of one kind."""

    shelf: Shelf
    days: list[date]
    values: list[NDArray[np.float32]]  # of each day, subject after subject

    def columns(self) -> tuple[tuple[date, ...], NDArray[np.float32]]:
        """The days, and the values of all their facts [days, subjects, length]."""
        shape = len(self.days), len(self.shelf.subjects), -1
        return tuple(self.days), np.concatenate(self.values).reshape(shape)


class FactBook:
    """All facts of one enterprise, from which tables are cut when they are asked for.

    Args:
        days: of each, oldest first, what it holds and the values one after the other.
    """

    def __init__(
        self, days: Iterable[tuple[date, Sequence[Shelf], NDArray[np.float32]]] = ()
    ) -> None:
        groups: dict[int, _Alike] = {}  # shelves that are one object hold the same
        self._kinds: dict[str, list[_Alike]] = {}
        for day, shelves, values in days:
            end = 0
            for shelf in shelves:
                begin, end = end, end + sum(shelf.lengths)
                group = groups.get(id(shelf))
                if group is None:
                    group = groups[id(shelf)] = _Alike(shelf, [], [])
                    self._kinds.setdefault(shelf.kind, []).append(group)
                group.days.append(day)
                group.values.append(values[begin:end])
        self._cut: dict[str, list[_Columns]] = {}
        self._tables: dict[tuple[str, str], FactTable] = {}
        self._days: dict[tuple[str, str], Mapping[date, NDArray[np.float32]]] = {}

    @classmethod
    def of(cls, facts: Iterable[DayFact]) -> "FactBook":
        """From single facts, in any order."""
        shelves: dict[Shelf, Shelf] = {}
        days = []
        for day, own in groupby(sorted(facts, key=lambda f: (f.day, f.kind, f.subject)), _day):
            found, values = shelved(list(own))
            days.append((day, [shelves.setdefault(shelf, shelf) for shelf in found], values))
        return cls(days)

    def table(self, kind: str, subject: str) -> FactTable:
        """One fact of one subject over all its days; of one length on all of them."""
        found = self._tables.get((kind, subject))
        if found is None:
            own = [c.table(subject) for c in self._columns(kind) if subject in c.place]
            found = self._tables[kind, subject] = _joined(own)
        return found

    def _columns(self, kind: str) -> "list[_Columns]":
        found = self._cut.get(kind)
        if found is None:
            groups = self._kinds.get(kind, ())
            found = self._cut[kind] = [_Columns(g) for g in groups if g.shelf.length is not None]
        return found

    def by_day(self, kind: str, subject: str) -> Mapping[date, NDArray[np.float32]]:
        """One fact of one subject, day by day, oldest first; its length may differ."""
        known = self._days.get((kind, subject))
        if known is not None:
            return known
        found: dict[date, NDArray[np.float32]] = {}
        for group in self._kinds.get(kind, ()):
            if subject in group.shelf.subjects:
                k = group.shelf.subjects.index(subject)
                first = sum(group.shelf.lengths[:k])
                place = slice(first, first + group.shelf.lengths[k])
                found |= {
                    d: values[place] for d, values in zip(group.days, group.values, strict=True)
                }
        self._days[kind, subject] = dict(sorted(found.items()))
        return self._days[kind, subject]


class _Columns:
    """The facts of one kind on days that hold the same of it."""

    def __init__(self, group: _Alike) -> None:
        self.place = {subject: n for n, subject in enumerate(group.shelf.subjects)}
        self._days, self._values = group.columns()

    def table(self, subject: str) -> FactTable:
        """Of one subject."""
        return FactTable(self._days, self._values[:, self.place[subject]])


def _joined(parts: Sequence[FactTable]) -> FactTable:
    if not parts:
        return NO_FACTS
    if len(parts) == 1:
        return parts[0]
    days = [day for part in parts for day in part.days]
    values = np.concatenate([part.values for part in parts])
    order = sorted(range(len(days)), key=days.__getitem__)
    return FactTable(tuple(days[n] for n in order), values[order])


def _day(fact: DayFact) -> date:
    return fact.day


def _kind(fact: DayFact) -> str:
    return fact.kind


def shelved(facts: Sequence[DayFact]) -> tuple[list[Shelf], NDArray[np.float32]]:
    """Facts of one day, in any order → what it holds, and the values one after the other."""
    ordered = sorted(facts, key=lambda f: (f.kind, f.subject))
    shelves = []
    for kind, group in groupby(ordered, _kind):
        own = list(group)
        lengths = tuple(len(f.values) for f in own)
        shelves.append(Shelf(kind, tuple(f.subject for f in own), lengths))
    nothing = np.empty(0, dtype=np.float32)
    return shelves, np.concatenate([nothing, *(f.values for f in ordered)])
