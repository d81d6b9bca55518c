"""Facts and condition spells of a local day as one row each: a head that says what, then numbers.

A conclusion reads all days of an enterprise. As rows of their own the hundred facts of a day cost
more to fetch than to judge; as one row a day, those of one kind become one array in one step.

    facts    head: a line of JSON per kind, [kind, subjects, length], a list of lengths where they
             differ; numbers: float32, little-endian
    spells   head: JSON [[kind, subject, count, names], …]; numbers: float64, big-endian, per spell
             from and to [µs since 1970], then the named sums
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.facts import DayFact, FactBook, Shelf, shelved
from wattwitness.domain.instants import to_us
from wattwitness.domain.spells import ConditionSpell, SpellBook, SpellTable

FACT_NUMBER, SPELL_NUMBER = "<f4", ">f8"


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
    shelves: dict[str, Shelf] = {}
    found = []
    for day, head, numbers in days:
        own = []
        for line in head.split("\n"):
            shelf = shelves.get(line)
            if shelf is None:
                shelf = shelves[line] = _shelf(*json.loads(line))
            own.append(shelf)
        found.append((day, own, np.frombuffer(numbers, dtype=FACT_NUMBER)))
    return FactBook(found)


def pack_values(head: str, numbers: bytes) -> dict[str, NDArray[np.float32]]:
    """The row of a day that holds one kind only → subject → values."""
    shelf = _shelf(*json.loads(head))
    cuts = np.cumsum(shelf.lengths)[:-1]
    values = np.split(np.frombuffer(numbers, dtype=FACT_NUMBER), cuts)
    return dict(zip(shelf.subjects, values, strict=True))


def _shelf(kind: str, subjects: list[str], lengths: int | list[int]) -> Shelf:
    if isinstance(lengths, int):
        lengths = [lengths] * len(subjects)
    return Shelf(kind, tuple(subjects), tuple(lengths))


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
    parts: dict[tuple[str, str], dict[tuple[str, ...], list[NDArray[np.float64]]]] = {}
    for head, numbers in days:
        values, end = np.frombuffer(numbers, dtype=SPELL_NUMBER), 0
        for kind, subject, count, names in json.loads(head):
            begin, end = end, end + count * (len(names) + 2)
            own = values[begin:end].reshape(count, len(names) + 2)
            parts.setdefault((kind, subject), {}).setdefault(tuple(names), []).append(own)
    return SpellBook({key: _table(enterprise_id, *key, own) for key, own in parts.items()})


def _table(
    enterprise_id: str,
    kind: str,
    subject: str,
    parts: dict[tuple[str, ...], list[NDArray[np.float64]]],
) -> SpellTable:
    names = sorted({name for own in parts for name in own})
    blocks = []
    for own, arrays in parts.items():
        block = np.concatenate(arrays)
        wide = np.full((len(block), len(names) + 2), np.nan)
        wide[:, [0, 1, *(names.index(name) + 2 for name in own)]] = block
        blocks.append(wide)
    every = np.concatenate(blocks)
    every = every[np.argsort(every[:, 0], kind="stable")]
    times = every[:, :2].astype(np.int64)
    return SpellTable(enterprise_id, kind, subject, times[:, 0], times[:, 1], names, every[:, 2:])


def _text(head: object) -> str:
    return json.dumps(head, ensure_ascii=False, separators=(",", ":"))
