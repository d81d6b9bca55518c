"""Which piece a day without one gets."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wattwitness.store.partitions import NEAR, _name, _span, piece_of

TODAY = date(2026, 3, 15)
DAY = timedelta(days=1)


def test_near_the_present_it_is_a_day():
    for distance in (-30, -1, 0, 7, 30):
        day = TODAY + distance * DAY
        assert piece_of(day, TODAY, []) == (day, day + DAY)


def test_far_from_it_it_is_a_month():
    assert piece_of(date(2025, 12, 24), TODAY, []) == (date(2025, 12, 1), date(2026, 1, 1))
    assert piece_of(date(2024, 2, 29), TODAY, []) == (date(2024, 2, 1), date(2024, 3, 1))


def test_a_month_that_has_days_already_gets_more_of_them():
    there = [(date(2025, 12, 3), date(2025, 12, 4))]
    day = date(2025, 12, 24)
    assert piece_of(day, TODAY, there) == (day, day + DAY)


@given(
    days=st.lists(st.dates(date(2010, 1, 1), date(2027, 1, 1)), max_size=60),
    todays=st.lists(st.dates(date(2024, 1, 1), date(2026, 12, 31)), min_size=1, max_size=5),
)
def test_pieces_never_overlap_and_hold_their_day(days, todays):
    """Whatever is asked for, while time goes on."""
    present = []
    for k, day in enumerate(days):
        if any(first <= day < end for first, end in present):
            continue
        today = sorted(todays)[k * len(todays) // len(days)]
        span = piece_of(day, today, present)
        assert span[0] <= day < span[1]
        assert not any(first < span[1] and end > span[0] for first, end in present)
        assert _span(_name(span)) == span
        if abs(day - today) > NEAR + 31 * DAY:
            month = (day.year, day.month)
            alone = not any((f.year, f.month) == month for f, _ in present)
            assert (span[1] - span[0] > DAY) == alone
        present.append(span)
