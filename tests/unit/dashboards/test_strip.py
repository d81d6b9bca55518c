"""The strip of days and hours, from states."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboards.strip import look, strip
from wattwitness.domain.states import State, StateSpell

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 1, 2)
MIDNIGHT = datetime(2026, 1, 1, 16, tzinfo=UTC)


def spell(circuit: str, start_h: float, end_h: float, state: State) -> StateSpell:
    return StateSpell(
        circuit_id=circuit,
        from_=MIDNIGHT + timedelta(hours=start_h),
        to=MIDNIGHT + timedelta(hours=end_h),
        state=state,
    )


@pytest.mark.parametrize(
    ("running", "bare", "known", "name"),
    [
        (60, 60, 29, "missing"),
        (4, 4, 60, "idle"),
        (60, 1, 60, "treated"),
        (60, 15, 60, "some"),
        (60, 40, 60, "much"),
        (60, 50, 60, "bare"),
    ],
)
def test_look(running, bare, known, name):
    assert look(running, bare, known) == name


def test_hours_are_local_and_treatment_on_standby_is_not_off():
    spells = [
        spell("P", 0, 24, State.RUNNING),
        spell("T", 0, 8, State.RUNNING),
        spell("T", 8, 10, State.OFF),
        spell("T", 10, 12, State.STANDBY),
        # 12 to 24: no treatment data
    ]
    days = strip(spells, ["P"], ["T"], DAY, MIDNIGHT + timedelta(hours=20), SHANGHAI)
    assert [row.day for row in days] == [DAY], "days before the first data are left out"
    looks = [cell.look for cell in days[0].cells]
    assert (
        looks == ["treated"] * 8 + ["bare"] * 2 + ["treated"] * 2 + ["missing"] * 8 + ["ahead"] * 4
    )
    assert days[0].cells[8].bare_min == 60


def test_without_data_there_is_no_strip():
    assert strip([], ["P"], ["T"], DAY, MIDNIGHT, SHANGHAI) == []
