"""Bands: null exactly where a bucket is empty, and never finer than the meter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.charts import bucket_s, series_json
from wattwitness.domain.instants import US_PER_DAY, US_PER_HOUR, US_PER_SECOND
from wattwitness.store.series import Band

MINUTE = 60


@given(
    st.lists(st.lists(st.floats(-1e4, 1e4), max_size=4), min_size=1, max_size=50),
    st.sampled_from([10, 60, 900]),
)
def test_a_bucket_is_null_only_if_it_is_wholly_missing(buckets, width):
    band = Band(
        np.arange(len(buckets), dtype=np.int64) * width * US_PER_SECOND,
        np.array([np.mean(b) if b else np.nan for b in buckets]),
        np.array([min(b, default=np.nan) for b in buckets]),
        np.array([max(b, default=np.nan) for b in buckets]),
        np.array([len(b) for b in buckets], dtype=np.int64),
    )
    found = series_json("C", band, width)
    for name in ("mean", "min", "max"):
        assert [value is None for value in found[name]] == [not b for b in buckets]
    assert found["count"] == [len(b) for b in buckets]


@given(st.integers(1, 800 * US_PER_DAY), st.integers(1, 3000), st.integers(1, 3600))
def test_a_bucket_is_no_finer_than_the_meter_and_not_too_many(span_us, points, interval_s):
    width = bucket_s(span_us, points, interval_s)
    assert width >= interval_s
    assert width >= span_us / US_PER_SECOND / points


@pytest.mark.parametrize(
    ("span_us", "points", "interval_s", "width"),
    [
        (2 * US_PER_HOUR, 800, 60, 60),  # zoom reaches the raw minute
        (2 * US_PER_HOUR, 800, 900, 900),
        (US_PER_HOUR, 800, 10, 10),
        (US_PER_DAY, 800, 60, 120),
        (30 * US_PER_DAY, 800, 60, 3600),
        (365 * US_PER_DAY, 200, 60, 2 * 86_400),
        (US_PER_HOUR, 800, 45, 45),
    ],
)
def test_widths(span_us, points, interval_s, width):
    assert bucket_s(span_us, points, interval_s) == width
