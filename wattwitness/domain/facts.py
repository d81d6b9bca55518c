"""Day facts: arrays that one local day contributes to findings over many days.

Readings are read once. What a method needs from other days (a daily level, the blocks of a day,
how long values stood still) is kept as a fact of its day, so that days can be analysed in any
order, alone, or again, and a conclusion over months never reads a month of readings.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    size: int = field(init=False, compare=False)  # of all of them

    def __post_init__(self) -> None:
        """Add up once what is asked of every day."""
        object.__setattr__(self, "size", sum(self.lengths))

    @property
    def length(self) -> int | None:
        """Of each fact; None where they differ."""
        return self.lengths[0] if len(set(self.lengths)) == 1 else None


_Held = tuple[date, NDArray[np.float32], int]
"""A day, all its values, and where those of a kind begin."""


class _Alike:
    """Days that hold the same of one kind."""

    def __init__(self, shelf: Shelf, held: Sequence[_Held]) -> None:
        self.shelf = shelf
        self.days = [day for day, _, _ in held]
        # of each day, subject after subject
        self.values = [every[begin : begin + shelf.size] for _, every, begin in held]

    def table(self) -> NDArray[np.float32]:
        """The values of all their facts [days, subjects, length]."""
        return np.concatenate(self.values).reshape(len(self.days), len(self.shelf.subjects), -1)


class FactBook:
    """All facts of one enterprise, from which tables are cut when they are asked for.

    Args:
        days: of each, oldest first, what it holds and the values one after the other.
    """

    def __init__(
        self, days: Iterable[tuple[date, Sequence[Shelf], NDArray[np.float32]]] = ()
    ) -> None:
        held: defaultdict[int, list[_Held]] = defaultdict(list)
        known: dict[int, Shelf] = {}  # those that are one object hold the same
        for day, shelves, values in days:
            begin = 0
            for shelf in shelves:
                held[id(shelf)].append((day, values, begin))
                begin += shelf.size
            known.update(zip(map(id, shelves), shelves, strict=True))
        self._kinds: dict[str, list[tuple[Shelf, list[_Held]]]] = {}
        for key, shelf in known.items():
            self._kinds.setdefault(shelf.kind, []).append((shelf, held[key]))
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
        """One fact of one subject over its days; if its length ever changed, since then."""
        found = self._tables.get((kind, subject))
        if found is None:
            tables = (columns.table(subject) for columns in reversed(self._columns(kind)))
            found = next((table for table in tables if table.days), NO_FACTS)
            self._tables[kind, subject] = found
        return found

    def _columns(self, kind: str) -> "list[_Columns]":
        """The facts of a kind, those of one length together."""
        found = self._cut.get(kind)
        if found is None:
            groups: defaultdict[int, list[_Alike]] = defaultdict(list)
            for shelf, held in self._kinds.get(kind, ()):
                if shelf.length is not None:
                    groups[shelf.length].append(_Alike(shelf, held))
            found = self._cut[kind] = [_Columns(own) for own in groups.values()]
        return found

    def by_day(self, kind: str, subject: str) -> Mapping[date, NDArray[np.float32]]:
        """One fact of one subject, day by day, oldest first; its length may differ."""
        known = self._days.get((kind, subject))
        if known is not None:
            return known
        found: dict[date, NDArray[np.float32]] = {}
        for shelf, held in self._kinds.get(kind, ()):
            if subject in shelf.subjects:
                k = shelf.subjects.index(subject)
                first, length = sum(shelf.lengths[:k]), shelf.lengths[k]
                found |= {d: all_[at + first : at + first + length] for d, all_, at in held}
        self._days[kind, subject] = dict(sorted(found.items()))
        return self._days[kind, subject]


class _Columns:
    """The facts of one kind over the days that have any.

    Args:
        groups: of them, all with facts of one length; at least one.
    """

    def __init__(self, groups: Sequence[_Alike]) -> None:
        subjects = dict.fromkeys(s for group in groups for s in group.shelf.subjects)
        self._place = {subject: n for n, subject in enumerate(subjects)}
        self._days = tuple(sorted(day for group in groups for day in group.days))
        self._has: NDArray[np.bool_] | None = None  # [days, subjects]; None = all
        if len(groups) == 1:
            self._values = groups[0].table()
        else:
            self._lay_out(groups)

    def _lay_out(self, groups: Sequence[_Alike]) -> None:
        shape = len(self._days), len(self._place)
        self._has = np.zeros(shape, dtype=np.bool_)
        self._values = np.empty((*shape, groups[0].shelf.length or 0), dtype=np.float32)
        row = {day: n for n, day in enumerate(self._days)}
        for group in groups:
            rows = np.array([row[day] for day in group.days])[:, np.newaxis]
            places = [self._place[subject] for subject in group.shelf.subjects]
            self._has[rows, places] = True
            self._values[rows, places] = group.table()

    def table(self, subject: str) -> FactTable:
        """Of one subject, over the days that have it."""
        k = self._place.get(subject)
        if k is None:
            return NO_FACTS
        if self._has is None or self._has[:, k].all():
            return FactTable(self._days, self._values[:, k])
        rows = np.flatnonzero(self._has[:, k])
        return FactTable(tuple(self._days[n] for n in rows.tolist()), self._values[rows, k])


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
