"""Facts and condition spells of a local day as one row each: a head that says what, then numbers.

A conclusion reads all days of an enterprise. As rows of their own the hundred facts of a day cost
more to fetch than to judge; as one row a day, those of one kind become one array in one step.

    facts    head: a line of JSON per kind, [kind, subjects, length], a list of lengths where they
             differ; numbers: float32, little-endian
    spells   head: JSON [[kind, subject, count, names], …]; numbers: float64, big-endian, per spell
             from and to [µs since 1970], then the named sums
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.facts import DayFact, FactBook, Shelf, shelved
from wattwitness.domain.instants import to_us
from wattwitness.domain.spells import ConditionSpell, SpellBook, SpellTable

FACT_NUMBER, SPELL_NUMBER = "<f4", ">f8"
_Part = tuple[list[str], NDArray[np.float64]]
"""Spells of one day, kind and subject: the names of their sums, and all their numbers."""


@dataclass(frozen=True, slots=True)
class Pack:
    """What a day's row holds."""

    head: str
    numbers: bytes


def packed_facts(facts: Sequence[DayFact]) -> Pack:
    """Facts of one day."""
    shelves, values = shelved(facts)
    lines = [_text([s.kind, s.subjects, s.length or s.lengths]) for s in shelves]
    return Pack("\n".join(lines), values.astype(FACT_NUMBER, copy=False).tobytes())


def fact_book(days: Iterable[tuple[date, str, bytes]]) -> FactBook:
    """Rows of many days, oldest first → all their facts."""
    shelves = _Shelves()
    return FactBook(
        (
            day,
            list(map(shelves.__getitem__, head.split("\n"))),
            np.frombuffer(numbers, dtype=FACT_NUMBER),
        )
        for day, head, numbers in days
    )


def pack_values(head: str, numbers: bytes) -> dict[str, NDArray[np.float32]]:
    """The row of a day that holds one kind only → subject → values."""
    shelf = _Shelves()[head]
    cuts = np.cumsum(shelf.lengths)[:-1]
    values = np.split(np.frombuffer(numbers, dtype=FACT_NUMBER), cuts)
    return dict(zip(shelf.subjects, values, strict=True))


class _Shelves(dict[str, Shelf]):
    """Line of a head → what it says; a line that was met before is not read again."""

    def __init__(self) -> None:
        super().__init__()
        self._subjects: dict[str, tuple[str, tuple[str, ...]]] = {}

    def __missing__(self, line: str) -> Shelf:
        """Most often the kind and its subjects are those of the day before."""
        told, _, last = line.rpartition("],")
        if told not in self._subjects:
            kind, names = json.loads(told + "]]")
            self._subjects[told] = kind, tuple(names)
        kind, subjects = self._subjects[told]
        lengths = json.loads(last[:-1])
        if isinstance(lengths, int):
            lengths = [lengths] * len(subjects)
        self[line] = found = Shelf(kind, subjects, tuple(lengths))
        return found


def packed_spells(spells: Sequence[ConditionSpell]) -> Pack:
    """Spells of one day."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[ConditionSpell]] = {}
    for spell in spells:
        groups.setdefault((spell.kind, spell.subject, tuple(sorted(spell.sums))), []).append(spell)
    head, numbers = [], []
    for (kind, subject, names), own in sorted(groups.items()):
        own.sort(key=attrgetter("from_"))
        head.append([kind, subject, len(own), names])
        numbers += [
            number
            for s in own
            for number in (to_us(s.from_), to_us(s.to), *(s.sums[name] for name in names))
        ]
    return Pack(_text(head), np.array(numbers, dtype=SPELL_NUMBER).tobytes())


def spell_book(enterprise_id: str, days: Iterable[tuple[str, bytes]]) -> SpellBook:
    """Rows of many days, oldest first → all their spells."""
    packs = list(days)
    numbers = b"".join(own for _, own in packs)
    values = np.frombuffer(numbers, dtype=SPELL_NUMBER).astype(np.float64)
    parts: dict[tuple[str, str], list[_Part]] = {}
    end = 0
    for told in json.loads(f"[{','.join(head for head, _ in packs)}]"):
        for kind, subject, count, names in told:
            begin, end = end, end + count * (len(names) + 2)
            parts.setdefault((kind, subject), []).append((names, values[begin:end]))
    return SpellBook(_Tables(enterprise_id, parts))


class _Tables(Mapping[tuple[str, str], SpellTable]):
    """(kind, subject) → its spells, put together when they are asked for."""

    def __init__(
        self, enterprise_id: str, parts: Mapping[tuple[str, str], Sequence[_Part]]
    ) -> None:
        self._enterprise_id, self._parts = enterprise_id, parts
        self._made: dict[tuple[str, str], SpellTable] = {}

    def __getitem__(self, key: tuple[str, str]) -> SpellTable:
        """The same object whenever it is asked for."""
        found = self._made.get(key)
        if found is None:
            kind, subject = key
            found = _table(self._enterprise_id, kind, subject, self._parts[key])
            self._made[key] = found
        return found

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def _table(enterprise_id: str, kind: str, subject: str, parts: Sequence[_Part]) -> SpellTable:
    names = parts[0][0]
    if all(own == names for own, _ in parts):
        every = np.concatenate([values for _, values in parts]).reshape(-1, len(names) + 2)
    else:
        names = sorted({name for own, _ in parts for name in own})
        # those with the same sums stay together: what began at one instant keeps its order
        ways = list(dict.fromkeys(tuple(own) for own, _ in parts))
        ordered = sorted(parts, key=lambda part: ways.index(tuple(part[0])))
        every = np.concatenate([_wide(own, values, names) for own, values in ordered])
    from_us = every[:, 0]
    if (from_us[1:] < from_us[:-1]).any():
        every = every[np.argsort(from_us, kind="stable")]
    times = every[:, :2].astype(np.int64)
    return SpellTable(enterprise_id, kind, subject, times[:, 0], times[:, 1], names, every[:, 2:])


def _wide(own: Sequence[str], values: NDArray[np.float64], names: list[str]) -> NDArray[np.float64]:
    """Spells with some of the sums → with all of them, NaN where they do not have one."""
    block = values.reshape(-1, len(own) + 2)
    wide = np.full((len(block), len(names) + 2), np.nan)
    wide[:, [0, 1, *(names.index(name) + 2 for name in own)]] = block
    return wide


def _text(head: object) -> str:
    return json.dumps(head, ensure_ascii=False, separators=(",", ":"))
