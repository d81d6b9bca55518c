"""Alerts that nobody declared, sliding over a year."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from wattwitness.domain.instants import day_bounds, from_us, local_day
from wattwitness.domain.registry import Alert, AlertLevel, Measure, MeasureAction

RESPONSE_HOURS = (0, 8, 14, 20)
LENGTHS_DAYS = (1, 2, 3)
GRACE_MIN = 120.0
ISSUED_BEFORE = timedelta(hours=24)
FIRST_AFTER_DAYS = 25  # of history
LEVEL = AlertLevel.ORANGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Invention:
    """One order that nobody gave."""

    alert: Alert
    measure: Measure

    @property
    def due(self) -> tuple[datetime, datetime]:
        """When it would have been judged."""
        lifted = self.alert.lifted_at or self.alert.response_from
        return self.alert.response_from + timedelta(minutes=GRACE_MIN), lifted


def alerts_over(first_us: int, last_us: int, every_days: int, zone: ZoneInfo) -> Iterator[Alert]:
    """Alerts of every length from every n-th day, the hour of the response going round."""
    day = local_day(from_us(first_us), zone) + timedelta(days=FIRST_AFTER_DAYS)
    last = from_us(last_us)
    number = 0
    while True:
        midnight = day_bounds(day, zone)[0]
        response = midnight + timedelta(hours=RESPONSE_HOURS[number % len(RESPONSE_HOURS)])
        if response + timedelta(days=min(LENGTHS_DAYS)) > last:
            return
        for length in LENGTHS_DAYS:
            lifted = response + timedelta(days=length)
            if lifted <= last:
                yield Alert(
                    alert_id=f"X{day:%Y%m%d}-{length}",
                    level=LEVEL,
                    issued_at=response - ISSUED_BEFORE,
                    response_from=response,
                    lifted_at=lifted,
                )
        day += timedelta(days=every_days)
        number += 1


def orders_of(enterprise_id: str, limits_pct: tuple[float, ...]) -> list[Measure]:
    """A stop, and limits, of the whole plant."""
    stop = Measure(
        enterprise_id=enterprise_id,
        level=LEVEL,
        action=MeasureAction.STOP,
        grace_min=GRACE_MIN,
    )
    limits = [
        Measure(
            enterprise_id=enterprise_id,
            level=LEVEL,
            action=MeasureAction.LIMIT,
            limit_pct=pct,
            grace_min=GRACE_MIN,
        )
        for pct in limits_pct
    ]
    return [stop, *limits]
