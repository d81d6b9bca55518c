"""The judge of the chaos benchmark sees every kind of damage; a blind one would prove nothing."""

import pytest

from benchmarks.chaos.book import Book, Message, Row
from benchmarks.chaos.judge import Aside, Case, Verdict, compare


def book_of(n: int = 4) -> Book:
    """Messages 0 … n - 1 of two readings each; numbers 1 and 2 are told."""
    book = Book("G")
    for k in range(n):
        book.messages.append(Message("G", k, (1000 * k,), 2, 0.0))
        book.number("e0", k + 1, k)
    book.tell("e0", 2)
    return book


def rows_of(book: Book, *which: int) -> list[Row]:
    return [row for n in which for row in book.messages[n].rows()]


def verdict(
    rows: list[Row], book: Book | None = None, aside: Aside | None = None, **case
) -> Verdict:
    return compare(Case([book or book_of()], **case), rows, aside or Aside())[0]


ALL = rows_of(book_of(), 0, 1, 2, 3)


def test_everything_stored_is_clean():
    found = verdict(ALL)
    assert found.is_clean
    assert (found.published, found.confirmed, found.kept, found.stored) == (8, 4, 0, 8)


def late(row: Row) -> Row:
    return (row[0], row[1] + 1000, row[2])


def other(row: Row) -> Row:
    return (*row[:2], row[2] + 0.25)


@pytest.mark.parametrize(
    ("rows", "damage"),
    [
        (ALL[:-1], {"lost": 1, "confirmed_but_absent": 0}),
        (ALL[1:], {"lost": 1, "confirmed_but_absent": 1}),
        ([*ALL, ALL[0]], {"duplicated": 1, "wrong": 0}),
        ([*ALL, late(ALL[0])], {"duplicated": 1, "wrong": 1}),
        ([*ALL[1:], other(ALL[0])], {"duplicated": 0, "wrong": 1, "lost": 1}),
    ],
)
def test_each_damage_is_told(rows: list[Row], damage: dict[str, int]):
    found = verdict(rows)
    assert not found.is_clean
    assert {name: getattr(found, name) for name in damage} == damage


@pytest.mark.parametrize("aside", [Aside(revisions=1), Aside(rejected=1), Aside(parked=1)])
def test_a_good_reading_has_no_business_elsewhere(aside: Aside):
    assert not verdict(ALL, aside=aside).is_clean


def test_what_is_in_an_outbox_is_not_lost_but_not_done_either():
    found = verdict(rows_of(book_of(), 0, 1, 2), kept={"G": {3}})
    assert (found.lost, found.kept, found.damage) == (0, 2, 0)
    assert not found.is_clean


def test_a_false_proof_is_told_also_of_what_is_in_an_outbox():
    assert verdict(rows_of(book_of(), 1, 2, 3), kept={"G": {0}}).confirmed_but_absent == 2


def test_a_false_proof_that_a_replay_healed_is_told():
    found, hurt = compare(Case([book_of()], absent_before={"G": {1}}), ALL, Aside())
    assert (found.lost, found.confirmed_but_absent) == (0, 2)
    assert [message.n for message in hurt] == [1]


def test_a_proof_of_what_was_never_sent_is_wrong():
    assert verdict(ALL, proofs_of_nothing=1).wrong == 1


def test_those_who_trust_the_broker_are_owed_what_it_took():
    book = book_of()
    book.taken.update({0, 1, 3})
    found = verdict(rows_of(book, 0, 1), book, trust=True)
    assert (found.lost, found.kept) == (2, 0)


def test_the_damaged_messages_are_named():
    _, hurt = compare(Case([book_of()]), ALL[:-1], Aside())
    assert [message.n for message in hurt] == [3]


def test_a_proof_covers_all_numbers_below_it_once():
    book = book_of()
    assert book.tell("e0", 4) == [2, 3]
    assert book.tell("e0", 3) == []
    assert book.tell("unknown", 9) == []
    book.number("e1", 1, 3)  # sent again after a restart
    assert book.tell("e1", 1) == [3]
    assert book.where(3) == "e0/4, e1/1"


def test_no_two_values_of_a_circuit_are_alike():
    values = {
        (circuit, p_kw)
        for n in range(50)
        for circuit, _, p_kw in Message("G", n, (1000 * n, 1000 * n + 500), 5, 0.0).rows()
    }
    assert len(values) == 50 * 2 * 5
