"""Facts and spells of a day survive being packed, whatever a day holds."""

from datetime import date, timedelta

import numpy as np
import pytest

from wattwitness.domain.facts import DayFact, FactBook
from wattwitness.domain.instants import from_us
from wattwitness.domain.spells import ConditionSpell, SpellBook
from wattwitness.store.day_packs import fact_book, packed_facts, packed_spells, spell_book

DAY = date(2026, 1, 5)
T0_US = 1_767_600_000_000_000


def fact(day: int, kind: str, subject: str, *values: float) -> DayFact:
    return DayFact(
        enterprise_id="E",
        day=DAY + timedelta(days=day),
        kind=kind,
        subject=subject,
        values=np.array(values, dtype=np.float32),
    )


FACTS = [
    fact(0, "level", "T1", 1.5, np.nan),
    fact(0, "level", "T2", 2.5, 3.5),
    fact(0, "energy", "", 7.0),
    fact(1, "level", "T2", 4.5, 5.5),  # T1 has none on this day
    fact(1, "spells", "T1", 1.0, 2.0, 3.0),  # of another length each day
    fact(1, "spells", "T2", 9.0),
    fact(2, "level", "T1", 6.5, 7.5),
    fact(2, "level", "T2", 8.5, 9.5),
    fact(2, "spells", "T1", 4.0),
    fact(2, "spells", "T2", 5.0),
]


def stored() -> FactBook:
    days = sorted({f.day for f in FACTS})
    packs = [(day, packed_facts([f for f in FACTS if f.day == day])) for day in days]
    return fact_book((day, pack.head, pack.numbers) for day, pack in packs)


@pytest.mark.parametrize("book", [stored(), FactBook.of(FACTS[::-1])], ids=["stored", "of facts"])
def test_every_fact_comes_back(book: FactBook) -> None:
    for own in FACTS:
        np.testing.assert_array_equal(book.by_day(own.kind, own.subject)[own.day], own.values)
    table = book.table("level", "T1")
    assert list(table.days) == [DAY, DAY + timedelta(days=2)]
    np.testing.assert_array_equal(table.values, [[1.5, np.nan], [6.5, 7.5]])
    assert list(book.table("level", "T2").days) == [DAY + timedelta(days=n) for n in range(3)]
    assert list(book.by_day("spells", "T1")) == [DAY + timedelta(days=n) for n in (1, 2)]
    assert not book.table("level", "nobody").days
    assert not book.by_day("nothing", "T1")


def test_days_and_blocks_of_a_table_are_numbered() -> None:
    table = stored().table("level", "T1")
    assert table.ordinals.tolist() == [DAY.toordinal(), DAY.toordinal() + 2]
    assert table.blocks[[0, 95, 96]].tolist() == [
        96 * DAY.toordinal(),
        96 * DAY.toordinal() + 95,
        96 * (DAY.toordinal() + 2),
    ]


def spell(minute: int, kind: str = "off", subject: str = "P", **sums: float) -> ConditionSpell:
    begin = T0_US + minute * 60_000_000
    return ConditionSpell(
        enterprise_id="E",
        kind=kind,
        subject=subject,
        from_=from_us(begin),
        to=from_us(begin + 60_000_000 * 5 + 1),
        sums=sums,
    )


SPELLS = [
    spell(0, known_min=5.0, power_kwh=0.1),
    spell(30, known_min=1.25),  # without what is not known
    spell(60, kind="gap", subject="回路1"),  # without any sums
    spell(2000, known_min=2.0, main_kwh=3.0),
]


def test_spells_come_back_by_kind_subject_and_time() -> None:
    packs = [packed_spells(SPELLS[1::-1]), packed_spells(SPELLS[2:])]
    found = spell_book("E", [(pack.head, pack.numbers) for pack in packs])
    assert list(found) == [SPELLS[2], SPELLS[0], SPELLS[1], SPELLS[3]]
    assert list(found) == list(SpellBook.of(SPELLS))
    table = found.tables["off", "P"]
    assert table.sum("known_min").tolist() == [5.0, 1.25, 2.0]
    assert table.sum("power_kwh", missing=-1.0).tolist() == [0.1, -1.0, -1.0]
    assert table.spell(1) is table.spell(1)


def test_nothing_is_packed_as_nothing() -> None:
    assert len(spell_book("E", [])) == 0
    assert not fact_book([]).table("level", "T1").days


def test_heads_that_the_upgrade_wrote_are_read() -> None:
    numbers = np.array([1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5], dtype="<f4").tobytes()
    head = '["k", ["a", "b"], [2, 2]]\n["k2", [""], [3]]'  # with blanks, and all lengths
    book = fact_book([(DAY, head, numbers)])
    assert book.table("k", "b").values.tolist() == [[3.5, 4.5]]
    assert book.table("k2", "").values.tolist() == [[5.5, 6.5, 7.5]]


def test_subjects_of_one_kind_may_have_lengths_of_their_own() -> None:
    facts = [
        fact(0, "k", "a", 1.0, 2.0),
        fact(1, "k", "b", 3.0, 4.0, 5.0),
        fact(2, "k", "a", 6.0, 7.0),
    ]
    book = FactBook.of(facts)
    assert book.table("k", "a").values.tolist() == [[1.0, 2.0], [6.0, 7.0]]
    assert book.table("k", "b").values.tolist() == [[3.0, 4.0, 5.0]]
