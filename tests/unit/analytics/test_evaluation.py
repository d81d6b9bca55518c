from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analytics.evaluation.episodes import score_episodes
from analytics.evaluation.intervals import Proportion
from analytics.evaluation.leads import LeadOutcome, precision, top
from analytics.evaluation.matching import Span, match, same_subject
from analytics.evaluation.reliability import expected_calibration_error, reliability
from analytics.evaluation.states import StateScore
from wattwitness.domain.states import State


def span(kit, start_h, end_h, kind="treatment_off", enterprise="E"):
    detected = kit.at(0, start_h) + timedelta(minutes=30)
    return Span(
        enterprise_id=enterprise,
        kind=kind,
        from_=kit.at(0, start_h),
        to=kit.at(0, end_h),
        detected_at=detected,
    )


def test_wilson_interval_of_a_perfect_score_is_not_a_point() -> None:
    low, high = Proportion(28, 28).interval
    assert (round(low, 3), high) == (0.879, 1.0)
    assert Proportion(0, 0).value is None


def test_matching_is_one_to_one_by_overlap_or_onset(kit) -> None:
    planted = [span(kit, 8, 12)]
    assert match(planted, [span(kit, 9, 12)]) == [(0, 0)]
    assert match(planted, [span(kit, 8.4, 8.6)]) == [(0, 0)]  # onset within 30 min
    assert match(planted, [span(kit, 11.5, 15)]) == []
    assert match(planted, [span(kit, 8, 10), span(kit, 8, 12)]) == [(0, 1)]
    assert match(planted, [span(kit, 8, 12, enterprise="F")]) == []


def test_precision_recall_and_confusers(kit) -> None:
    score = score_episodes(
        "treatment_off",
        planted=[span(kit, 8, 12), span(kit, 20, 22)],
        found=[span(kit, 8, 12), span(kit, 1, 2), span(kit, 15, 16)],
        implying=[span(kit, 15, 16, "treatment_late_start")],
        lawful=[span(kit, 0, 3, "standby_idling"), span(kit, 5, 6, "standby_idling")],
    )
    assert (score.matched, len(score.missed), len(score.false), score.explained) == (1, 1, 1, 1)
    assert score.recall.value == score.precision.value == score.f1 == 0.5
    assert score.confusers["standby_idling"] == Proportion(1, 2)
    assert score.median_delay_min == 30.0


def test_state_f1_leaves_the_unknown_out() -> None:
    score = StateScore()
    truth = np.array([1, 1, 3, 3, 3, 2], dtype=np.int8)
    said = np.array([1, 0, 3, 3, 1, 2], dtype=np.int8)
    score.add(truth, said)
    assert score.f1(State.RUNNING) == pytest.approx(0.8)
    assert score.f1(State.STANDBY) == 1.0
    assert score.said_share == pytest.approx(5 / 6)


def test_what_cannot_be_known_helps_recall_nowhere(kit) -> None:
    score = score_episodes(
        "treatment_off",
        planted=[span(kit, 8, 12)],
        found=[span(kit, 8, 12), span(kit, 1, 2)],
        unknowable=[span(kit, 1, 2), span(kit, 15, 16)],
    )
    assert score.recall == Proportion(1, 1)
    assert score.recall_of_all == Proportion(2, 3)
    assert (score.precision, score.explained) == (Proportion(1, 1), 1)


def test_only_listed_consequences_excuse_a_false_finding(kit) -> None:
    def score(kind):
        return score_episodes(
            kind, [], [span(kit, 8, 9, kind)], [span(kit, 7, 12, "frozen_reading")]
        )

    assert score("treatment_off").precision.value is None
    assert score("clock_skew").precision.value == 0.0


def test_a_subject_is_a_pairing_or_shared_circuits() -> None:
    assert same_subject(about("R1"), about("R1", "A"))
    assert not same_subject(about("R1", "A"), about("R2", "A"))
    assert same_subject(about("R1", "A"), about("", "A", "B"))
    assert not same_subject(about("", "A"), about("", "B"))


def about(subject: str, *circuits: str) -> Span:
    at = datetime(2026, 9, 7, tzinfo=UTC)
    return Span(
        enterprise_id="E", kind="k", from_=at, to=at, subject=subject, circuits=frozenset(circuits)
    )


def test_reliability_of_a_liar_and_of_an_honest_one() -> None:
    honest = [(0.85, n < 17) for n in range(20)]
    assert expected_calibration_error(reliability(honest)) == pytest.approx(0.0)
    boaster = [(0.99, n < 10) for n in range(20)]
    (bin_,) = reliability(boaster)
    assert (bin_.low, bin_.right) == (0.98, Proportion(10, 20))
    assert expected_calibration_error([bin_]) == pytest.approx(0.49)
    assert expected_calibration_error([]) is None


def test_the_top_of_the_leads_is_at_least_one() -> None:
    leads = [LeadOutcome(score=n / 30, level="high", true=n != 29) for n in range(30)]
    assert [lead.score for lead in top(leads)] == [29 / 30, 28 / 30]
    assert precision(top(leads)) == Proportion(1, 2)
    assert top([]) == []
