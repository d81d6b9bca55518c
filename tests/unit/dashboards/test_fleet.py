"""The word for a gateway follows from its own interval."""

import pytest

from dashboards.fleet import Condition, condition, count_conditions

S = 1_000_000
NOW = 1_767_225_600 * S


@pytest.mark.parametrize(
    ("age_s", "interval_s", "word"),
    [
        (None, 60, Condition.NEVER),
        (0, 60, Condition.ONLINE),
        (180, 60, Condition.ONLINE),
        (181, 60, Condition.LATE),
        (900, 60, Condition.LATE),
        (901, 60, Condition.SILENT),
        (2700, 900, Condition.ONLINE),
        (9000, 900, Condition.LATE),
        (9001, 900, Condition.SILENT),
        (-30, 60, Condition.ONLINE),  # its clock is ahead of ours
    ],
)
def test_condition(age_s, interval_s, word):
    last = None if age_s is None else NOW - age_s * S
    assert condition(last, interval_s, NOW) is word


def test_every_condition_is_counted():
    assert count_conditions([Condition.LATE, Condition.LATE]) == {
        Condition.ONLINE: 0,
        Condition.LATE: 2,
        Condition.SILENT: 0,
        Condition.NEVER: 0,
    }
