"""A past minute: what stood over a hole, what is said of just that minute, and turns till then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dashboards.replay import HOLE_US, NOT_JUDGED_THEN, known_then, known_today, told_by
from wattwitness.domain.courses import Moment
from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.registry import Alert, AlertLevel
from wattwitness.domain.verdicts import Verdict, VerdictChange, VerdictCode

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
NOW_US = to_us(NOW)
MINUTE = timedelta(minutes=1)
ALERT = Alert(
    alert_id="A1", level=AlertLevel.RED, issued_at=NOW - 600 * MINUTE,
    response_from=NOW - 300 * MINUTE,
)  # fmt: skip
SAID = Verdict(
    alert_id="A1", enterprise_id="E1", level=AlertLevel.RED, verdict=VerdictCode.PARTIAL,
    confidence=0.9, as_of=NOW, now_kw=10.0, baseline_kw=90.0, required_kw=5.0,
    notes=("shifted_night",),
)  # fmt: skip


def moments(age_us: int) -> dict[str, Moment]:
    return {"E1": Moment(minute_us=NOW_US - age_us, verdict=SAID, heard_us=NOW_US)}


def test_what_was_judged_of_late_is_as_it_was():
    assert known_then(moments(HOLE_US), ALERT, NOW_US) == moments(HOLE_US)


def test_over_a_hole_the_word_stands_and_its_numbers_do_not():
    stood = known_then(moments(HOLE_US + US_PER_MINUTE), ALERT, NOW_US)["E1"].verdict
    assert (stood.verdict, stood.confidence) == (SAID.verdict, SAID.confidence)
    assert (stood.now_kw, stood.baseline_kw, stood.required_kw) == (None, None, None)
    assert stood.notes == ("shifted_night", NOT_JUDGED_THEN)


def test_after_the_lift_nothing_is_judged_and_that_is_no_hole():
    lifted = replace(ALERT, lifted_at=NOW - 60 * MINUTE)
    old = moments(62 * US_PER_MINUTE)
    assert known_then(old, lifted, NOW_US) == old


def test_with_late_data_only_just_that_minute_speaks():
    assert known_today(moments(US_PER_MINUTE), {}, NOW_US) == {}
    found = known_today(moments(0), {}, NOW_US)
    assert found == moments(0)


def test_with_late_data_notes_on_the_alert_are_those_of_today():
    today = replace(SAID, notes=("silent_with_alert", "shifted_night"))
    bare = {"E1": replace(moments(0)["E1"], verdict=replace(SAID, notes=()))}
    found = known_today(bare, {"E1": today}, NOW_US)["E1"].verdict
    assert found.notes == ("silent_with_alert",), "of the night, the minute itself tells"
    assert known_today(moments(0), {"E1": today}, NOW_US)["E1"].verdict.notes == (
        "silent_with_alert", "shifted_night",
    )  # fmt: skip


def test_an_unrest_is_told_from_its_first_turn_on():
    turn = VerdictChange(
        alert_id="A1", enterprise_id="E1", changed_at=NOW, as_of=NOW, cause="late_data",
        before=VerdictCode.PARTIAL, after=VerdictCode.COMPLIED, confidence=0.9,
        since=NOW - 9 * MINUTE, turns=3,
    )  # fmt: skip
    assert told_by(turn, NOW) == turn
    assert told_by(turn, NOW - 10 * MINUTE) is None
    early = told_by(turn, NOW - 5 * MINUTE)
    assert early == replace(turn, changed_at=NOW - 9 * MINUTE)
    single = replace(turn, since=None, turns=1)
    assert told_by(single, NOW - MINUTE) is None
