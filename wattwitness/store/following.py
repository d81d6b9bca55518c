"""How far behind the newest data those are who follow and watch it; see sql/following.sql."""

from dataclasses import dataclass

from wattwitness.store.database import Database
from wattwitness.store.statements import statements
from wattwitness.store.watching import VERDICTS, WARNINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Lags are data time [s]; None = nothing to be behind of."""

    most_s: float | None  # of the enterprise whose newest readings wait longest to be analysed
    median_s: float | None  # of all enterprises with readings
    verdicts_s: float | None  # of the oldest verdict of an alert in force
    verdicts_watched: bool
    warnings_watched: bool
    warnings: int  # early warnings that stand


async def following(db: Database) -> Following:
    """How things stand now."""
    async with db.connection() as connection:
        row = await connection.fetchrow(statements("following")["standing"], VERDICTS, WARNINGS)
    assert row is not None  # noqa: S101 - a SELECT of sub-queries gives one row
    return Following(**dict(row))
