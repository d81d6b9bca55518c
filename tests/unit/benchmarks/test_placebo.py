from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from benchmarks.placebo.hindsight import Deed, Quarters, deed
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import MeasureAction

START = datetime(2026, 1, 5, tzinfo=UTC)
BEGIN, END = 40 * 96 + 32, 41 * 96 + 32  # a day and night of the forty-first day


def year_of(day_kw: np.ndarray) -> Quarters:
    return Quarters(to_us(START), np.tile(day_kw, 90).astype(np.float64))


@pytest.fixture
def quarters() -> Quarters:
    day = np.full(96, 10.0)
    day[32:72] = 200.0  # 08:00 to 18:00
    return year_of(day)


@pytest.mark.parametrize(
    ("factor", "share", "told"),
    [
        (1.0, 0.7, Deed.NOT_CUT),
        (0.82, 0.7, Deed.BETWEEN),
        (0.69, 0.7, Deed.LOW),
        (0.69, 0.5, Deed.BETWEEN),
        (0.5, 0.5, Deed.LOW),
    ],
)
def test_a_limit_goes_by_the_energy_of_weeks_before_and_after(quarters, factor, share, told):
    quarters.kw[BEGIN:END] *= factor
    assert deed(quarters, BEGIN, END, MeasureAction.LIMIT, share) is told


def test_a_stop_goes_by_the_time_at_work(quarters) -> None:
    assert deed(quarters, BEGIN, END, MeasureAction.STOP, 0.0) is Deed.NOT_CUT
    quarters.kw[BEGIN : BEGIN + 25] = 10.0  # less than half of the day is left
    assert deed(quarters, BEGIN, END, MeasureAction.STOP, 0.0) is Deed.BETWEEN
    quarters.kw[BEGIN:END] = 10.0
    assert deed(quarters, BEGIN, END, MeasureAction.STOP, 0.0) is Deed.LOW


def test_gaps_and_the_edges_of_the_year_tell_nothing(quarters) -> None:
    assert deed(quarters, 96, 192, MeasureAction.STOP, 0.0) is Deed.NOT_CUT
    assert deed(quarters, -5, 91, MeasureAction.STOP, 0.0) is Deed.UNKNOWN
    quarters.kw[BEGIN + 3] = np.nan
    assert deed(quarters, BEGIN, END, MeasureAction.LIMIT, 0.5) is Deed.UNKNOWN


def test_a_place_is_the_quarter_that_begins_then(quarters) -> None:
    assert quarters.place(START + timedelta(hours=8)) == 32
    assert quarters.place(START + timedelta(hours=8, minutes=1)) == 33
