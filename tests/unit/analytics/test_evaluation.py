from datetime import timedelta

import numpy as np
import pytest

from analytics.evaluation.episodes import score_episodes
from analytics.evaluation.intervals import Proportion
from analytics.evaluation.matching import Span, match
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
