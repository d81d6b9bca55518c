"""A season of alerts over one history: levels, lengths, upgrades and downgrades in course."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from gateway_sim.noise import key_of
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel

FIRST_DAYS = 25  # of history before the first response: like days have to come from somewhere
LEVELS = ((AlertLevel.YELLOW, 0.3), (AlertLevel.ORANGE, 0.42), (AlertLevel.RED, 0.28))
RESPONSE_HOURS = (0, 8, 12, 18, 20)
LENGTHS_H = (26, 48, 60, 84, 120)
CHANGE_SHARE = 0.35  # of alerts long enough for it
OPEN_SHARE = 0.4  # of last alerts that are still in force at the end


def season(seed: int, begins: datetime, ends: datetime, zone: ZoneInfo) -> tuple[Alert, ...]:
    """Alerts of all districts, one after the other; each reaches at most to `ends`."""
    rng = np.random.default_rng(key_of(seed, "season"))
    return tuple(_alerts(rng, begins, ends, zone))


def _alerts(
    rng: np.random.Generator, begins: datetime, ends: datetime, zone: ZoneInfo
) -> Iterator[Alert]:
    day = begins.astimezone(zone).date() + timedelta(days=FIRST_DAYS)
    while True:
        day += timedelta(days=int(rng.integers(0, 3)))
        response = _at(day, int(rng.choice(RESPONSE_HOURS)), zone)
        hours = int(rng.choice(LENGTHS_H))
        lifted = response + timedelta(hours=hours)
        if response + timedelta(hours=24) > ends:
            return
        still_open = lifted >= ends or (
            lifted + timedelta(days=6) > ends and rng.random() < OPEN_SHARE
        )
        yield Alert(
            alert_id=f"HP-{response:%Y%m%d}",
            level=_level(rng),
            issued_at=response - timedelta(hours=int(rng.choice((12, 24, 30)))),
            response_from=response,
            lifted_at=None if still_open else lifted,
            changes=_changes(rng, response, hours),
        )
        if still_open:
            return
        day = lifted.astimezone(zone).date() + timedelta(days=4)


def _changes(rng: np.random.Generator, response: datetime, hours: int) -> tuple[AlertChange, ...]:
    if hours < 48 or rng.random() >= CHANGE_SHARE:
        return ()
    at = response + timedelta(hours=int(rng.integers(20, hours - 20)))
    # upgrades may act at once
    issued = at - timedelta(hours=int(rng.choice((0, 6))))
    return (AlertChange(level=_level(rng), issued_at=issued, response_from=at),)


def _level(rng: np.random.Generator) -> AlertLevel:
    number = int(rng.choice(len(LEVELS), p=[weight for _, weight in LEVELS]))
    return LEVELS[number][0]


def _at(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=zone)
