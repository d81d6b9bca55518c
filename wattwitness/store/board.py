"""What a live board asks again and again: verdicts that were written since its last look."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from wattwitness.domain.verdicts import Verdict, VerdictChange
from wattwitness.store.database import Database
from wattwitness.store.statements import statements
from wattwitness.store.verdict_rows import stored_verdict
from wattwitness.store.verdicts import verdict_change


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Verdicts of an alert that were written since a look."""

    cursor: str  # where the next look begins
    stored: int  # verdicts of the alert that there are; fewer than are known = some are withdrawn
    verdicts: Mapping[str, Verdict]  # enterprise → its verdict; some may have been seen before


async def verdicts_written(db: Database, alert_id: str, cursor: str | None) -> Written:
    """Verdicts of an alert that a look before did not see.

    Args:
        db: the database.
        alert_id: any.
        cursor: of the look before; None = all verdicts.
    """
    async with db.connection() as connection:
        rows = await connection.fetch(statements("board")["written_since"], alert_id, cursor)
    found = [row for row in rows if row["enterprise_id"] is not None]
    return Written(
        cursor=rows[0]["cursor"],
        stored=rows[0]["stored"],
        verdicts={row["enterprise_id"]: stored_verdict(row["record"]) for row in found},
    )


async def turns_told(
    db: Database, alert_id: str, enterprise_ids: Collection[str]
) -> dict[str, VerdictChange]:
    """Enterprise → the newest turn of its verdict that late data or the registry caused."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("board")["turns"], alert_id, list(enterprise_ids))
    return {row["enterprise_id"]: verdict_change(row) for row in rows}
