import numpy as np
import pytest

from collector.bounds import Calendar, refusals
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.rejects import RejectCode

CALENDAR = Calendar(keep_from_us=1_000_000, tolerance_us=60_000_000)


def refuse(**values: float) -> dict[int, RejectCode]:
    rows = empty_readings(2)
    rows["ts"] = rows["received_at"] = 100_000_000
    for name, value in values.items():
        rows[name][1] = value
    found = refusals(rows, np.array([1e6, 1e6]), CALENDAR)
    return {k: code for k, (code, _) in found.items()}


@pytest.mark.parametrize(
    "strange",
    [
        {"p_kw": -84.7},  # a reversed current transformer
        {"p_kw": 1100.0},  # a spike
        {"e_kwh": 0.0},
        {"e_kwh": -5.0},
        {"pf": -1.004},
        {"u_a": 0.0},
        {"i_b": -3.0},
        {"ts": 160_000_000},
        {"ts": 1_000_000},
    ],
)
def test_strange_is_not_impossible(strange: dict[str, float]):
    assert refuse(**strange) == {}


@pytest.mark.parametrize(
    ("impossible", "code"),
    [
        ({"p_kw": 1.1e6}, RejectCode.IMPOSSIBLE),
        ({"p_kw": -1.1e6}, RejectCode.IMPOSSIBLE),
        ({"q_kvar": 1.1e6}, RejectCode.IMPOSSIBLE),
        ({"e_kwh": 1.1e12}, RejectCode.IMPOSSIBLE),
        ({"u_c": -1.0}, RejectCode.IMPOSSIBLE),
        ({"u_c": 1.1e6}, RejectCode.IMPOSSIBLE),
        ({"i_a": 1.1e6}, RejectCode.IMPOSSIBLE),
        ({"pf": 1.01}, RejectCode.IMPOSSIBLE),
        ({"p_kw": np.inf}, RejectCode.IMPOSSIBLE),
        ({"ts": 160_000_001}, RejectCode.TS_FUTURE),
        ({"ts": 999_999}, RejectCode.TS_PAST),
    ],
)
def test_impossible_is_refused_and_its_neighbour_is_not(
    impossible: dict[str, float], code: RejectCode
):
    assert refuse(**impossible) == {1: code}


def test_what_would_be_dropped_at_once_is_refused():
    day = 86_400_000_000
    rows = empty_readings(4)
    rows["p_kw"] = 1.0
    rows["received_at"] = [100 * day, 100 * day + 5, 101 * day - 1, 101 * day]
    rows["ts"] = 90 * day
    found = refusals(rows, np.full(4, 1e6), Calendar(0, 60_000_000, keep_days=10))
    assert set(found) == {3}, "whole UTC days, seen from the receipt"
    assert found[3][0] is RejectCode.TS_PAST
    assert refusals(rows, np.full(4, 1e6), Calendar(0, 60_000_000)) == {}
