"""What pages say of an alert whose level changed in course."""

from datetime import UTC, datetime, timedelta

from dashboards.figures import strictest_first
from dashboards.lanes import marks
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel, Registry

HOUR = timedelta(hours=1)
T0 = datetime(2026, 11, 20, tzinfo=UTC)


def alert(alert_id: str, level: AlertLevel, **more) -> Alert:
    return Alert(alert_id=alert_id, level=level, issued_at=T0, response_from=T0 + HOUR, **more)


RAISED = alert(
    "A",
    AlertLevel.YELLOW,
    changes=(
        AlertChange(
            level=AlertLevel.RED, issued_at=T0 + 3 * HOUR, response_from=T0 + 4 * HOUR
        ),
    ),
)  # fmt: skip


def test_the_bar_over_a_lane_follows_the_level():
    found = marks([], [RAISED], (T0, T0 + 9 * HOUR), T0 + 6 * HOUR)
    assert [(m.word, m.from_, m.to) for m in found] == [
        (("alert", "yellow"), T0 + HOUR, T0 + 4 * HOUR),
        (("alert", "red"), T0 + 4 * HOUR, T0 + 6 * HOUR),
    ]
    after = marks([], [RAISED], (T0 + 4 * HOUR, T0 + 5 * HOUR), T0 + 6 * HOUR)
    assert [m.word[1] for m in after] == ["red"]


def test_open_alerts_are_ordered_by_their_level_now():
    registry = Registry(alerts={a.alert_id: a for a in (RAISED, alert("B", AlertLevel.ORANGE))})
    before, after = (
        [a.alert_id for a in strictest_first(registry, to_us(T0 + h * HOUR))] for h in (2, 5)
    )
    assert (before, after) == (["B", "A"], ["A", "B"])
