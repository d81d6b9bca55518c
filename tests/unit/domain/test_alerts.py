"""The life of an alert: standings, levels by time, overlaps, and what may not be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wattwitness.domain.alerts import (
    AlertStanding,
    complaint_of_alert,
    complaint_of_change,
    complaint_of_id,
    level_at,
    open_alerts,
    ordered,
    overlap,
    refused,
    standing_at,
)
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel

HOUR = timedelta(hours=1)
T0 = datetime(2026, 11, 20, tzinfo=UTC)
ALERT = Alert(
    alert_id="A",
    level=AlertLevel.YELLOW,
    issued_at=T0,
    response_from=T0 + 24 * HOUR,
    lifted_at=T0 + 96 * HOUR,
    districts=("N", "S"),
)
RED = AlertChange(
    level=AlertLevel.RED, issued_at=T0 + 30 * HOUR, response_from=T0 + 36 * HOUR
)  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "standing"),
    [(0, "announced"), (24, "in_force"), (95.9, "in_force"), (96, "lifted")],
)
def test_standings_change_at_the_response_and_at_the_lift(hours, standing):
    assert standing_at(ALERT, T0 + hours * HOUR) is AlertStanding(standing)


def test_an_alert_without_lift_stays_in_force():
    assert standing_at(replace(ALERT, lifted_at=None), T0 + 9999 * HOUR) is AlertStanding.IN_FORCE


def test_an_alert_that_is_called_off_has_no_phases_and_overlaps_nothing():
    off = replace(ALERT, lifted_at=T0 + 12 * HOUR)
    assert off.phases() == ()
    assert level_at(off, T0 + 30 * HOUR) is AlertLevel.YELLOW
    assert standing_at(off, T0 + 11 * HOUR) is AlertStanding.ANNOUNCED
    assert standing_at(off, T0 + 12 * HOUR) is AlertStanding.LIFTED
    assert not overlap(off, replace(ALERT, alert_id="B"))


@pytest.mark.parametrize(
    ("margins", "hours"),
    [
        ({}, (0, 96)),  # from its issue to its lift
        ({"ahead": 2 * HOUR}, (22, 96)),
        ({"ahead": 2 * HOUR, "after": 3 * HOUR}, (22, 99)),
    ],
)
def test_an_alert_is_open_within_its_margins(margins, hours):
    opens, closes = (T0 + h * HOUR for h in hours)
    moment = timedelta(microseconds=1)
    found = [open_alerts([ALERT], at, **margins) for at in (opens, closes - moment)]
    assert found == [[ALERT], [ALERT]]
    assert not any(open_alerts([ALERT], at, **margins) for at in (opens - moment, closes))


def test_open_alerts_come_by_response():
    later = replace(ALERT, alert_id="0", response_from=T0 + 25 * HOUR, lifted_at=None)
    assert open_alerts([later, ALERT], T0) == [ALERT, later]


def test_a_change_that_the_lift_overtook_never_is_the_level():
    late = AlertChange(
        level=AlertLevel.RED, issued_at=T0 + 90 * HOUR, response_from=T0 + 100 * HOUR
    )
    alert = replace(ALERT, changes=(late,))
    assert complaint_of_change(ALERT, late) is None
    assert level_at(alert, T0 + 101 * HOUR) is AlertLevel.YELLOW


def test_the_level_follows_the_changes_from_their_own_response_on():
    orange = AlertChange(
        level=AlertLevel.ORANGE, issued_at=T0 + 60 * HOUR, response_from=T0 + 60 * HOUR
    )
    alert = replace(ALERT, changes=ordered({c.issued_at: c for c in (orange, RED)}))
    levels = [level_at(alert, T0 + h * HOUR).value for h in (0, 35.9, 36, 59, 60, 200)]
    assert levels == ["yellow", "yellow", "red", "red", "orange", "orange"]
    assert [(p.level.value, p.from_, p.to) for p in alert.phases()] == [
        ("yellow", T0 + 24 * HOUR, T0 + 36 * HOUR),
        ("red", T0 + 36 * HOUR, T0 + 60 * HOUR),
        ("orange", T0 + 60 * HOUR, T0 + 96 * HOUR),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"response_from": T0 - HOUR}, "response_from"),
        ({"lifted_at": T0}, "lifted_at"),
        ({"lifted_at": T0 + HOUR}, None),  # called off before its response
        ({"lifted_at": T0 + 25 * HOUR}, None),
        ({"lifted_at": None, "response_from": T0}, None),
    ],
)
def test_the_times_of_an_alert_come_in_order(change, field):
    complaint = complaint_of_alert(replace(ALERT, **change))
    assert (complaint and complaint[0]) == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, None),
        ({"issued_at": T0 + 37 * HOUR}, "response_from"),
        ({"issued_at": T0 - HOUR}, "issued_at"),
        ({"response_from": T0 + 23 * HOUR, "issued_at": T0 + HOUR}, "response_from"),
        ({"response_from": T0 + 24 * HOUR, "issued_at": T0 + HOUR}, None),
        ({"issued_at": T0 + 96 * HOUR, "response_from": T0 + 97 * HOUR}, "issued_at"),
        # announced before the lift overtook it: it never came into force
        ({"issued_at": T0 + 95 * HOUR, "response_from": T0 + 97 * HOUR}, None),
    ],
)
def test_a_change_lies_inside_its_alert(change, field):
    complaint = complaint_of_change(ALERT, replace(RED, **change))
    assert (complaint and complaint[0]) == field


def test_a_complaint_with_a_remedy_becomes_an_error_with_one():
    error = refused(("response_from", "it is late - be earlier"))
    assert (error.message, error.remedy) == ("it is late", "be earlier")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"response_from": T0 + 95 * HOUR, "lifted_at": None}, True),
        ({"response_from": T0 + 96 * HOUR, "lifted_at": None}, False),
        ({"districts": ("W",)}, False),
        ({"districts": ("S", "W")}, True),
        ({"districts": ()}, True),
        ({"response_from": T0, "lifted_at": T0 + 24 * HOUR}, False),
    ],
)
def test_alerts_overlap_in_time_and_place(change, expected):
    other = replace(ALERT, alert_id="B", **change)
    assert overlap(ALERT, other) is expected
    assert overlap(other, ALERT) is expected


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("", True), ("20261123-orange", True), ("橙色 12 号", True), ("a?b", True), ("a#b", True),
        ("a%2Fb", True), ("a/b", False), ("a;b", False), ("a\nb", False), ("a\n", False),
        ("..", False),
    ],
)  # fmt: skip
def test_an_id_fits_into_an_address(name, sound):
    assert (complaint_of_id(name) is None) is sound
