"""Instants: integer microseconds since 1970 in arrays, aware datetimes elsewhere, local days.

Every stored time is UTC. A *local day* (for quality, learning windows and pages) is a calendar day
of the configured zone, Asia/Shanghai by default, written as `datetime.date`.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from wattwitness.domain.errors import InputRefusedError

US_PER_SECOND = 1_000_000
US_PER_MINUTE = 60 * US_PER_SECOND
US_PER_HOUR = 60 * US_PER_MINUTE
US_PER_DAY = 24 * US_PER_HOUR
DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Aware datetime → microseconds since 1970, exactly (no float on the way)."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Microseconds since 1970 → aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=int(us))


def parse_instant(text: str) -> datetime:
    """RFC 3339 text with offset → aware UTC datetime.

    Raises:
        InputRefusedError: not a timestamp, or one without an offset.
        OverflowError: its offset moves it out of the years 1 to 9999.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputRefusedError(
            f"{text!r} is not a timestamp", "write RFC 3339 such as 2026-01-01T08:00:00+08:00"
        ) from None
    if instant.tzinfo is None:
        raise InputRefusedError(
            f"timestamp {text!r} has no offset", "append the offset, such as +08:00 or Z"
        )
    return instant.astimezone(UTC)


def parse_typed_instant(text: str) -> datetime:
    """As `parse_instant`, for what a person or a page asks with.

    Raises:
        InputRefusedError: not a timestamp, without an offset, or beyond the calendar.
    """
    try:
        return parse_instant(text)
    except OverflowError:
        raise InputRefusedError(
            f"{text!r} is beyond the calendar", "write a year of 1 to 9999"
        ) from None


def format_instant(instant: datetime) -> str:
    """Aware datetime → RFC 3339 in UTC (`Z`), without a fraction unless there is one."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_day(instant: datetime, zone: ZoneInfo = DEFAULT_ZONE) -> date:
    """The calendar day of an instant in `zone`."""
    return instant.astimezone(zone).date()


@lru_cache(maxsize=4096)
def day_bounds(day: date, zone: ZoneInfo = DEFAULT_ZONE) -> tuple[datetime, datetime]:
    """[start, end) of a local day as aware UTC datetimes."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def days_between(first: date, last: date) -> list[date]:
    """All days from `first` to `last`, both included; empty when last < first."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def kept_from(now: datetime, days: int) -> datetime:
    """The start of the first UTC day that is kept when `days` whole days before today are."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)
