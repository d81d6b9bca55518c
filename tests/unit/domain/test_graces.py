"""Graces over changes of level: what goes on, or is eased, gets no new one."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from wattwitness.domain.graces import dues
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel, Measure, MeasureAction

MINUTE = timedelta(minutes=1)
T0 = datetime(2026, 11, 20, tzinfo=UTC)
ORANGE = Measure(
    enterprise_id="E", level=AlertLevel.ORANGE, action=MeasureAction.STOP, scope=("P1",),
    grace_min=120,
)  # fmt: skip
RED = replace(ORANGE, level=AlertLevel.RED)
LIMIT, HOURS = MeasureAction.LIMIT, MeasureAction.HOURS


def alert(*changes):
    return Alert(
        alert_id="A",
        level=AlertLevel.ORANGE,
        issued_at=T0,
        response_from=T0,
        changes=tuple(
            AlertChange(level=AlertLevel(level), issued_at=T0, response_from=T0 + minutes * MINUTE)
            for level, minutes in changes
        ),
    )


def due_min(found):
    """Level and minute from which each is judged."""
    return [(d.phase.level.value, (d.from_ - T0) / MINUTE) for d in found]


def ordered(changed_min, before, after):
    found = dues(alert(("red", changed_min)), [before, after], lambda m: m.scope)
    return (found[-1].from_ - T0) / MINUTE


def test_the_same_measure_keeps_the_grace_that_it_began_with():
    assert ordered(60, ORANGE, RED) == 120
    assert ordered(600, ORANGE, RED) == 600, "due when the level changes: its grace is long over"


@pytest.mark.parametrize(
    ("before", "after", "minute"),
    [
        # tighter, or new: its own grace from the change on
        ({"action": LIMIT, "limit_pct": 50.0}, {}, 720),
        ({"action": LIMIT, "limit_pct": 50.0}, {"action": LIMIT, "limit_pct": 30.0}, 720),
        ({}, {"scope": ("P1", "P2")}, 720),
        ({}, {"scope": ("P2",)}, 720),
        ({"action": HOURS, "hours": (time(22), time(6))}, {}, 720),
        (
            {"action": HOURS, "hours": (time(22), time(6))},
            {"action": HOURS, "hours": (time(23), time(6))},
            720,
        ),
        # the same or eased: none
        ({}, {"action": LIMIT, "limit_pct": 50.0}, 600),
        ({"scope": ("P1", "P2")}, {}, 600),
        ({"action": LIMIT, "limit_pct": 50.0}, {"action": LIMIT, "limit_pct": 50.0}, 600),
        ({"action": LIMIT, "limit_pct": 50.0}, {"action": LIMIT, "limit_pct": 70.0}, 600),
        (
            {"action": HOURS, "hours": (time(22), time(6))},
            {"action": HOURS, "hours": (time(21), time(0))},
            720,
        ),
        (
            {"action": HOURS, "hours": (time(22), time(6))},
            {"action": HOURS, "hours": (time(21), time(6))},
            600,
        ),
        # a limit is on all its circuits together: half of two says nothing of one
        (
            {"action": LIMIT, "limit_pct": 50.0, "scope": ("P1", "P2")},
            {"action": LIMIT, "limit_pct": 50.0},
            720,
        ),
    ],
)
def test_only_what_is_new_or_tighter_gets_its_grace(before, after, minute):
    assert ordered(600, replace(ORANGE, **before), replace(RED, **after)) == minute


def test_a_longer_grace_under_the_new_level_delays_nothing():
    assert ordered(60, ORANGE, replace(RED, grace_min=480)) == 120


def test_a_shorter_grace_is_tighter():
    assert ordered(60, replace(ORANGE, grace_min=480), replace(RED, grace_min=30)) == 90


def test_two_measures_together_may_be_as_strict():
    other = replace(ORANGE, scope=("P2",), grace_min=180)
    both = replace(RED, scope=("P1", "P2"))
    found = dues(alert(("red", 90)), [ORANGE, other, both], lambda m: m.scope)
    assert due_min(found)[-1] == ("red", 180), "when the last of its circuits was due"


def test_a_level_between_that_orders_nothing_breaks_it():
    found = dues(alert(("red", 60), ("orange", 600)), [ORANGE], lambda m: m.scope)
    assert due_min(found) == [("orange", 120), ("orange", 720)]


def test_it_lasts_over_several_changes():
    found = dues(alert(("red", 30), ("orange", 60)), [ORANGE, RED], lambda m: m.scope)
    assert due_min(found) == [("orange", 120), ("red", 120), ("orange", 120)]
