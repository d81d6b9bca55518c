"""What is written at once, and what once a minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.live.watched import AFTER, AHEAD, Case
from wattwitness.domain.alerts import open_alerts
from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.registry import Alert, AlertLevel
from wattwitness.domain.verdicts import Verdict, VerdictCode

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
NOW_US = to_us(NOW)
SAID = Verdict(
    alert_id="A1",
    enterprise_id="E1",
    level=AlertLevel.RED,
    verdict=VerdictCode.COMPLIED,
    confidence=0.9,
    as_of=NOW,
    now_kw=10.0,
    basis="b",
)


def case() -> Case:
    nothing: Any = None  # plan and baseline have no say in it
    found = Case(plan=nothing, baseline=nothing)
    found.wrote(SAID, NOW_US)
    return found


def later(seconds: float, **changes: Any) -> Verdict:
    return replace(SAID, as_of=NOW + timedelta(seconds=seconds), **changes)


def test_the_first_verdict_is_news() -> None:
    nothing: Any = None
    assert Case(plan=nothing, baseline=nothing).is_news(SAID, NOW_US, turned=False)


@pytest.mark.parametrize(
    "changes",
    [{"verdict": VerdictCode.PARTIAL}, {"confidence": 0.8}, {"basis": "other"}],
)
def test_what_turns_is_written_at_once(changes: dict[str, Any]) -> None:
    assert case().is_news(later(10, **changes), NOW_US + 10_000_000, turned=False)


def test_a_state_that_turns_is_written_at_once() -> None:
    assert case().is_news(later(10, now_kw=0.0), NOW_US + 10_000_000, turned=True)


def test_numbers_are_written_with_the_next_minute_of_the_enterprises_own_data() -> None:
    moved = later(60, now_kw=12.0)
    assert not case().is_news(later(10, now_kw=12.0), NOW_US + 10_000_000, turned=False)
    # others have sent their next minute, this one has not: its row waits for its own
    assert not case().is_news(moved, NOW_US, turned=False)
    assert case().is_news(moved, NOW_US + US_PER_MINUTE, turned=False)


def test_of_a_silent_enterprise_the_age_is_written() -> None:
    assert case().is_news(later(120), NOW_US, turned=False)


def test_alerts_are_watched_from_before_their_response_until_after_their_lift() -> None:
    def alert(name: str, response_h: float, lifted_h: float | None) -> Alert:
        return Alert(
            alert_id=name,
            level=AlertLevel.RED,
            issued_at=NOW - timedelta(days=2),
            response_from=NOW + timedelta(hours=response_h),
            lifted_at=None if lifted_h is None else NOW + timedelta(hours=lifted_h),
        )

    alerts = [
        alert("far", 20, None),
        alert("soon", 1, None),
        alert("open", -30, None),
        alert("lifted", -30, -1),
        alert("over", -30, -3),
    ]
    watched = open_alerts(alerts, NOW, ahead=AHEAD, after=AFTER)
    assert [a.alert_id for a in watched] == ["lifted", "open", "soon"]
