"""The judge of the chaos benchmark sees every kind of damage; a blind one would prove nothing."""

import pytest

from benchmarks.chaos.judge import Promises, Row, compare
from benchmarks.chaos.publisher import Plan

PLAN = Plan(messages=6, readings=2, gateways=2)
EVERYTHING = set(range(6))


def rows_of(*messages: int) -> list[Row]:
    return [
        (f"{PLAN.gateway(k)}-C{c}", PLAN.ts_ms(k), PLAN.power_kw(k, c))
        for k in messages
        for c in range(PLAN.readings)
    ]


def test_everything_stored_once_is_clean():
    found = compare(PLAN, Promises(EVERYTHING, {0, 1}), rows_of(*EVERYTHING), revisions=0)
    assert found.is_clean
    assert (found.published, found.due, found.confirmed, found.stored) == (12, 12, 4, 12)


def late(row: Row) -> Row:
    return (row[0], row[1] + 1000, row[2])


def other(row: Row) -> Row:
    return (*row[:2], row[2] + 0.5)


ALL = rows_of(*EVERYTHING)


@pytest.mark.parametrize(
    ("rows", "revisions", "damage"),
    [
        (ALL[:-1], 0, {"lost": 1, "confirmed_but_absent": 0}),
        (ALL[1:], 0, {"lost": 1, "confirmed_but_absent": 1}),
        ([*ALL, ALL[0]], 0, {"duplicated": 1, "wrong": 0}),
        ([*ALL, late(ALL[0])], 0, {"duplicated": 1, "wrong": 1}),
        ([*ALL[1:], other(ALL[0])], 0, {"duplicated": 0, "wrong": 1, "lost": 1}),
        (ALL, 3, {"duplicated": 3}),
    ],
)
def test_each_damage_is_told(rows: list[Row], revisions: int, damage: dict[str, int]):
    found = compare(PLAN, Promises(EVERYTHING, {0}), rows, revisions)
    assert not found.is_clean
    assert {name: getattr(found, name) for name in damage} == damage


def test_what_was_never_promised_is_not_lost():
    assert compare(PLAN, Promises({0}, set()), rows_of(0), revisions=0).is_clean
