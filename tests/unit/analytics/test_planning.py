from datetime import date, timedelta

from analytics.planning import days_resting_on, days_to_judge, pieces, trailing_days

D = [date(2026, 1, 1) + timedelta(days=n) for n in range(120)]


def test_a_dirty_day_takes_the_next_one_along() -> None:
    assert days_to_judge([D[3]], D[:10], D[9]) == [D[3], D[4]]
    assert days_to_judge([D[9]], D[:10], D[9]) == [D[9]]


def test_silent_days_before_a_dirty_day_are_judged_with_it() -> None:
    assert days_to_judge([D[8]], [D[2], D[8]], D[8]) == D[3:9]


def test_silent_days_to_the_newest_data_can_be_asked_for() -> None:
    assert trailing_days([D[1], D[2]], D[5]) == D[2:6]
    assert trailing_days([], D[5]) == []


def test_a_later_day_touches_the_windows_that_hold_it() -> None:
    assert days_resting_on([D[40]], D[:60], D[0]) == set(D[40:68])


def test_an_early_day_touches_all_early_days() -> None:
    assert days_resting_on([D[9]], D[:60], D[0]) == set(D[:37])


def test_a_new_first_day_moves_the_early_window_of_the_old_one() -> None:
    touched = days_resting_on([D[0]], [D[0], *D[60:100]], D[0])
    assert set(D[60:74]) <= touched


def test_neighbouring_days_are_read_together() -> None:
    assert pieces([D[5], D[0], D[1], D[2]]) == [(D[0], D[1], D[2]), (D[5],)]
    assert [len(p) for p in pieces(D[:60])] == [7] * 8 + [4]
