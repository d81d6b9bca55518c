"""What follows from decisions: status, recalibration; and the random share beside the ranks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattwitness.domain.decisions import Decision, Outcome, labelled, last_of, status_after
from wattwitness.domain.leads import Lead, LeadLevel, LeadStatus, Matter
from wattwitness.domain.random_share import drawn, week_of
from wattwitness.domain.recalibration import LEAST_DECISIONS, curve_of, recalibrated

T0 = datetime(2026, 11, 2, tzinfo=UTC)


def decision(number=1, outcome=Outcome.CONFIRMED, lead_id="L-1", raw=0.9, to=T0):
    return Decision(
        decision_id=number, lead_id=lead_id, enterprise_id="E", outcome=outcome, reason="seen",
        actor="Li", at=T0, score=0.6, confidence=raw, raw_confidence=raw, episodes=("E-1",),
        lead_to=to,
    )  # fmt: skip


def lead(confidence=0.9, score=0.72, level=LeadLevel.HIGH):
    return Lead(
        enterprise_id="E", matter=Matter.TREATMENT, score=score, confidence=confidence, level=level,
        kinds=("treatment_off",), from_=T0, to=T0, episodes=("E-1",), reason={},
    )  # fmt: skip


def test_a_lead_is_open_until_decided_and_again_when_taken_back() -> None:
    assert status_after(None, T0) is LeadStatus.OPEN
    assert status_after(decision(), T0 - timedelta(hours=1)) is LeadStatus.CONFIRMED
    assert status_after(decision(outcome=Outcome.DISMISSED), None) is LeadStatus.DISMISSED
    assert status_after(decision(outcome=Outcome.NOT_YET), T0) is LeadStatus.OPEN


@pytest.mark.parametrize("outcome", [Outcome.CONFIRMED, Outcome.DISMISSED])
def test_what_begins_afterwards_opens_it_again(outcome) -> None:
    assert status_after(decision(outcome=outcome), T0 + timedelta(days=1)) is LeadStatus.REOPENED


def test_the_last_decision_holds() -> None:
    first, second = decision(1), decision(2, Outcome.DISMISSED)
    assert last_of([second, first]) == {"L-1": second}


def test_each_state_of_a_lead_is_counted_once_and_what_was_taken_back_not_at_all() -> None:
    later = T0 + timedelta(days=9)
    taken = [
        decision(1),
        decision(2, Outcome.DISMISSED),
        decision(3, lead_id="L-2"),
        decision(4, Outcome.NOT_YET, lead_id="L-2"),
        decision(5, Outcome.CONFIRMED, to=later, raw=0.7),
    ]
    assert sorted(labelled(taken)) == [(0.7, True), (0.9, False)]


def test_few_decisions_change_nothing() -> None:
    curve = curve_of([(0.9, False)] * (LEAST_DECISIONS - 1))
    assert curve.points == ()
    assert recalibrated(lead(), curve) == lead()


def test_decisions_pull_the_confidence_to_what_was_found() -> None:
    curve = curve_of([(0.9, n % 5 < 3) for n in range(100)])
    assert 0.58 < curve.of(0.9) < 0.68
    found = recalibrated(lead(), curve)
    assert found.confidence == curve.of(0.9)
    assert found.confidence_before == 0.9
    assert found.score == pytest.approx(0.72 * found.confidence / 0.9, abs=1e-3)
    assert found.level is LeadLevel.MEDIUM


def test_information_stays_information() -> None:
    curve = curve_of([(0.5, True)] * 50)
    assert recalibrated(lead(0.5, 0.9, LeadLevel.INFO), curve).level is LeadLevel.INFO


labels = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=20, max_size=80)


@given(labels, st.floats(0, 1), st.floats(0, 1))
def test_a_curve_keeps_the_order_and_the_bounds(found, a, b) -> None:
    curve = curve_of(found)
    low, high = curve.of(min(a, b)), curve.of(max(a, b))
    assert 0.0 <= low <= high <= 0.99
    assert curve == curve_of(list(reversed(found)))


IDS = [f"E{n:03d}" for n in range(205)]


def test_the_draw_depends_on_week_and_seed_alone() -> None:
    found = drawn(IDS, "2026-W47", 1, 0.1)
    assert found == drawn(reversed(IDS), "2026-W47", 1, 0.1)
    assert len(found) == 21
    assert found != drawn(IDS, "2026-W48", 1, 0.1)
    assert found != drawn(IDS, "2026-W47", 2, 0.1)
    assert drawn([], "2026-W47", 1, 0.1) == []
    assert len(drawn(IDS, "2026-W47", 1, 1.0)) == len(IDS)


def test_everybody_is_drawn_sooner_or_later() -> None:
    weeks = [f"{year}-W{week:02d}" for year in (2026, 2027) for week in range(1, 53)]
    counts = [sum(e in drawn(IDS, week, 7, 0.1) for week in weeks) for e in IDS[:20]]
    assert min(counts) >= 2
    assert max(counts) <= 25


def test_the_week_is_the_iso_week() -> None:
    assert week_of(date(2026, 11, 22)) == "2026-W47"
    assert week_of(date(2027, 1, 1)) == "2026-W53"
