import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.decimals import rounded

numbers = st.one_of(
    st.floats(-1e7, 1e7),
    st.floats(-1e18, 1e18),
    st.integers(-(10**12), 10**12).map(lambda n: (n + 0.5) / 1e6),  # between two millionths
    st.integers(-(10**9), 10**9).map(lambda n: n / 60.0),
)


@given(st.lists(numbers, max_size=30))
def test_numbers_are_rounded_as_one_by_one_to_the_last_digit(values) -> None:
    found = rounded(np.array(values, dtype=np.float64)).tolist()
    assert list(map(repr, found)) == [repr(round(value, 6)) for value in values]


@pytest.mark.parametrize("value", [0.0, -0.0, -1e-9, 0.0000005, 2.5e-6, 1e300, 1e305, float("inf")])
def test_odd_numbers_are_rounded_as_one_by_one(value) -> None:
    (found,) = rounded(np.array([value])).tolist()
    assert repr(found) == repr(round(value, 6))


def test_what_is_not_known_stays_unknown() -> None:
    assert np.isnan(rounded(np.array([[np.nan, 1.0]]))).tolist() == [[True, False]]
