"""Calls: a promise rests, and comes back if the plant still runs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wattwitness.domain.call_notes import CallNote, CallStanding, call_state, still_runs
from wattwitness.domain.registry import AlertLevel
from wattwitness.domain.verdicts import Verdict, VerdictCode

MINUTE = timedelta(minutes=1)
T0 = datetime(2026, 11, 20, 5, tzinfo=UTC)
NOTE = CallNote(
    note_id=1, alert_id="A", enterprise_id="E", at=T0, actor="Li", text="will stop by 14:00",
    promised_at=T0 + 90 * MINUTE,
)  # fmt: skip
RUNS = Verdict(
    alert_id="A", enterprise_id="E", level=AlertLevel.RED, verdict=VerdictCode.VIOLATED,
    confidence=0.9, as_of=T0, now_kw=300.0, baseline_kw=400.0, required_kw=0.0,
)  # fmt: skip


def test_nobody_called():
    assert call_state([], RUNS, T0).standing is CallStanding.NONE


@pytest.mark.parametrize(
    ("promised", "minutes", "standing"),
    [(90, 89, "called"), (90, 90, "due_again"), (None, 59, "called"), (None, 60, "due_again")],
)
def test_a_call_rests_until_its_promise_or_an_hour(promised, minutes, standing):
    note = replace(NOTE, promised_at=None if promised is None else T0 + promised * MINUTE)
    state = call_state([note], RUNS, T0 + minutes * MINUTE)
    assert state.standing is CallStanding(standing)
    assert state.note == note
    assert state.rests_until == T0 + (promised or 60) * MINUTE


def test_a_later_note_supersedes_in_any_order():
    later = replace(NOTE, note_id=2, at=T0 + 95 * MINUTE, promised_at=T0 + 120 * MINUTE)
    for notes in ([NOTE, later], [later, NOTE]):
        state = call_state(notes, RUNS, T0 + 100 * MINUTE)
        assert (state.standing, state.note) == (CallStanding.CALLED, later)


@pytest.mark.parametrize(
    ("change", "runs"),
    [
        ({}, True),
        ({"now_kw": 30.0}, False),  # it stopped: the verdict stays, nobody has to call
        ({"now_kw": None}, True),
        ({"now_kw": None, "verdict": VerdictCode.INSUFFICIENT_DATA}, False),
        ({"verdict": VerdictCode.INSUFFICIENT_DATA}, True),
        ({"verdict": VerdictCode.COMPLIED}, False),
        ({"verdict": VerdictCode.EXEMPT}, False),
        ({"verdict": VerdictCode.PARTIAL, "required_kw": 280.0}, False),
        ({"verdict": VerdictCode.PARTIAL, "required_kw": 200.0}, True),
    ],
)
def test_what_still_runs_comes_back(change, runs):
    verdict = replace(RUNS, **change)
    assert still_runs(verdict) is runs
    state = call_state([NOTE], verdict, T0 + 100 * MINUTE)
    assert state.standing is (CallStanding.DUE_AGAIN if runs else CallStanding.CALLED)


def test_without_a_verdict_nothing_is_due():
    assert call_state([NOTE], None, T0 + 999 * MINUTE).standing is CallStanding.CALLED
