"""What goes on right now, as counts: for the overview and for /metrics."""

from dataclasses import dataclass

from wattwitness.domain.instants import from_us
from wattwitness.store.database import Database
from wattwitness.store.statements import statements


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentReadings:
    """Readings received lately, back-fill of more than two hours ago not counted."""

    minute: int
    hour: int


async def recent_readings(db: Database, now_us: int) -> RecentReadings:
    """Readings received in the minute and the hour before `now_us`."""
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("activity")["recent_readings"], from_us(now_us))
    assert row is not None  # noqa: S101 - an aggregate gives one row
    return RecentReadings(minute=row["minute"], hour=row["hour"])
