"""A plan of faults is a pure function of its seed, and has all that it should."""

import pytest

from benchmarks.chaos.__main__ import chosen, forgets
from benchmarks.chaos.plan import (
    FOR_EVER,
    FROZEN_LONG_S,
    SORTS,
    Kind,
    groups,
    is_long,
    make_plan,
    per_sort,
)

SEEDS = range(1, 21)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_gives_the_same_plan(seed: int):
    plan = make_plan(seed, 100)
    assert plan == make_plan(seed, 100)
    assert plan != make_plan(seed + 1, 100)
    assert [fault.number for fault in plan] == list(range(1, 101))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_long_run_has_every_sort_and_the_long_ones(seed: int):
    plan = make_plan(seed, 100)
    assert set(per_sort(plan)) == {sort.name for sort in SORTS}
    assert sorted(fault.lasts_s for fault in plan if is_long(fault)) == [
        FOR_EVER,
        FOR_EVER,
        FROZEN_LONG_S,
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_short_run_has_no_sort_twice_and_nothing_long(seed: int):
    plan = make_plan(seed, 8)
    assert set(per_sort(plan).values()) == {1}
    assert not any(is_long(fault) for fault in plan)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_comes_together_does_not_get_in_each_others_way(seed: int):
    together = groups(make_plan(seed, 100))
    assert sum(len(group) for group in together) == 100
    assert any(len(group) == 2 for group in together)
    for group in together:
        assert len(group) <= 2
        assert len(group) == 1 or not group[0].sort.occupies & group[1].sort.occupies


@pytest.mark.parametrize("seed", SEEDS)
def test_times_stay_in_their_bounds(seed: int):
    for fault in make_plan(seed, 100):
        if not is_long(fault):
            assert fault.sort.shortest_s <= fault.lasts_s <= fault.sort.longest_s
        assert 0 <= fault.dice < 1


def test_those_who_trust_the_broker_are_spared_what_makes_it_forget():
    kinds = {sort.kind for sort in chosen([], trust=True)}
    assert Kind.LOSE_SESSION not in kinds
    assert not any(forgets(sort) for sort in chosen([], trust=True))
    assert list(SORTS) == chosen([], trust=False)


def test_sorts_are_chosen_by_words():
    assert {sort.name for sort in chosen(["kill -9: coll", "replay"], trust=False)} == {
        "kill -9: collector",
        "replay all: gateway",
    }
