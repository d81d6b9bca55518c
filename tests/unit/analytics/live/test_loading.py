"""Which frozen baselines are kept, and when they are made anew."""

from datetime import UTC, datetime

import numpy as np

from analytics.baselines.frozen import FrozenBaseline, accumulated
from analytics.live.loading import REFREEZE_S, Frozen
from analytics.plants import Plant
from analytics.verdicts.orders import Plan, plan_of
from wattwitness.domain.registry import Alert, AlertLevel, Grade

T0 = datetime(2026, 11, 2, tzinfo=UTC)


def plan(alert_id: str) -> Plan:
    alert = Alert(alert_id=alert_id, level=AlertLevel.RED, issued_at=T0, response_from=T0)
    plant = Plant(enterprise_id="E", circuits=(), keys=(), intervals_s=())
    return plan_of(plant, (), Grade.C, alert)


def baseline() -> FrozenBaseline:
    nothing = accumulated(np.zeros((0, 0, 96)))
    known = np.zeros((0, 0), dtype=np.bool_)
    none = np.zeros(0)
    days = np.zeros(0, dtype=np.int64)
    return FrozenBaseline(days, (0,) * 7, nothing, nothing, known, known, none, none)


def test_a_baseline_is_kept_as_long_as_it_rests_on_the_same_and_is_not_old() -> None:
    kept = Frozen()
    made = kept.keep(plan("A"), "ground", baseline(), 100.0)
    assert kept.of(plan("A"), "ground", 100.0 + REFREEZE_S) is made
    assert kept.of(plan("A"), "ground", 101.0 + REFREEZE_S) is None
    assert kept.of(plan("A"), "other ground", 100.0) is None


def test_baselines_of_alerts_that_are_over_are_let_go() -> None:
    kept = Frozen()
    for name in ("A", "B"):
        kept.keep(plan(name), "ground", baseline(), 0.0)
    kept.only([plan("B").alert])
    assert kept.of(plan("A"), "ground", 0.0) is None
    assert kept.of(plan("B"), "ground", 0.0) is not None
