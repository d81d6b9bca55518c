import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway_sim.noise import drift, key_of, normal, uniform
from gateway_sim.spells import clip, from_mask, inside, merge, subtract

SPELL = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda p: (min(p), max(p)))
SPELLS = st.lists(SPELL, max_size=8)
GRID = np.arange(0, 101, dtype=np.int64)


def test_merge_joins_touching_spells_and_bridges_gaps():
    assert merge([(5, 8), (0, 2), (2, 4)]) == [(0, 4), (5, 8)]
    assert merge([(0, 2), (5, 8)], bridge_s=3) == [(0, 8)]
    assert merge([(3, 3), (4, 2)]) == []


def test_subtract_and_clip():
    assert subtract([(0, 10)], [(2, 3), (9, 20)]) == [(0, 2), (3, 9)]
    assert clip([(0, 4), (6, 9)], 2, 7) == [(2, 4), (6, 7)]


def test_mask_of_ten_points():
    at = np.arange(10, dtype=np.int64)
    assert inside([(2, 4), (9, 30)], at).tolist() == [False] * 2 + [True] * 2 + [False] * 5 + [True]


@given(SPELLS, SPELLS)
def test_interval_arithmetic_equals_set_arithmetic(left, right):
    a, b = inside(merge(left), GRID), inside(merge(right), GRID)
    assert np.array_equal(inside(subtract(left, right), GRID), a & ~b)
    assert np.array_equal(inside(merge([*left, *right]), GRID), a | b)
    assert from_mask(a, GRID, 1) == merge(left)


def test_noise_does_not_depend_on_the_company_it_is_asked_in():
    index = np.arange(1_000_000, 1_000_500, dtype=np.int64)
    key = key_of(7, "volts")
    for function in (uniform, normal):
        whole = function(key, index)
        assert np.array_equal(whole[123:130], function(key, index[123:130]))
    whole = drift(key, index, 77)
    assert np.array_equal(whole[123:130], drift(key, index[123:130], 77))


def test_noise_has_the_moments_it_says():
    index = np.arange(100_000, dtype=np.int64)
    assert abs(normal(1, index).mean()) < 0.02
    assert abs(normal(1, index).std() - 1) < 0.02
    assert 0.49 < uniform(2, index).mean() < 0.51
    assert np.abs(np.corrcoef(uniform(1, index), uniform(2, index))[0, 1]) < 0.02
    assert np.abs(drift(3, index, 600)).max() <= 1
