import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.quantiles import (
    SHORT,
    is_at_least,
    linear_quantiles,
    lower_quantile,
    median,
    quantile,
)

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
shares = st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0])


@given(rows=st.lists(values, max_size=5), share=shares)
def test_quantiles_are_those_of_numpy_to_the_last_digit(rows, share) -> None:
    own = [np.array(row) for row in rows]
    assert linear_quantiles(own, share).tolist() == [np.quantile(row, share) for row in own]
    for row in own:
        assert lower_quantile(row, share) == np.quantile(row, share, method="lower")


def test_rows_of_one_length_are_taken_together_and_told_apart() -> None:
    rows = [np.array([3.0, 1.0, 2.0]), np.array([5.0]), np.array([9.0, 7.0, 8.5])]
    assert linear_quantiles(rows, 0.75).tolist() == [2.5, 5.0, 8.75]


@given(values=values, share=shares)
def test_one_median_and_one_quantile_are_those_of_numpy_to_the_last_digit(values, share) -> None:
    own = np.array(values)
    assert median(own) == np.median(own)
    assert quantile(own, share) == np.quantile(own, share)


@given(values=values, share=shares, least=st.floats(-1e6, 1e6))
def test_a_quantile_that_is_at_least_so_large_is(values, share, least) -> None:
    own = np.array(values)
    if is_at_least(own, share, least):
        assert np.quantile(own, share) >= least - 1e-9
    elif share in {0.0, 1.0}:
        assert np.quantile(own, share) < least


def test_many_numbers_are_parted_as_few_are_sorted() -> None:
    rng = np.random.default_rng(7)
    for n in (SHORT, SHORT + 1, 3 * SHORT, 3 * SHORT + 1):
        own = rng.normal(size=n)
        assert median(own) == np.median(own)
        for share in (0.0, 0.01, 0.37, 0.99, 1.0):
            assert quantile(own, share) == np.quantile(own, share)
