"""Who did what to alerts and plans, and why; only ever added to."""

from wattwitness.domain.alerts import Act, Signature, SignedEntry
from wattwitness.store.database import Database
from wattwitness.store.statements import statements


async def list_alert_log(
    db: Database, alert_id: str | None = None, most: int = 200
) -> list[SignedEntry]:
    """What was done to one alert or to all, the newest first."""
    return await _entries(db, "alerts", alert_id, most)


async def list_plan_log(
    db: Database, enterprise_id: str | None = None, most: int = 200
) -> list[SignedEntry]:
    """What was done to one plan or to all, the newest first."""
    return await _entries(db, "plans", enterprise_id, most)


async def _entries(db: Database, log: str, subject: str | None, most: int) -> list[SignedEntry]:
    async with db.connection() as connection:
        rows = await connection.fetch(statements("signed_log")[log], subject, most)
    return [
        SignedEntry(
            entry_id=row["entry_id"],
            subject=row["subject"],
            act=Act(row["act"]),
            signature=Signature(actor=row["actor"], reason=row["reason"], at=row["at"]),
            before=row["before"],
            after=row["after"],
        )
        for row in rows
    ]
