"""The reject store: what was refused for good, whole, with its reason."""

from collections.abc import Mapping

from wattwitness.domain.instants import to_us
from wattwitness.domain.rejects import Reject, RejectCode
from wattwitness.store.database import Database


async def list_rejects(db: Database, limit: int = 100) -> list[Reject]:
    """The newest rejects, newest first."""
    query = "SELECT * FROM rejects ORDER BY reject_id DESC LIMIT $1"
    async with db.connection() as connection:
        rows = await connection.fetch(query, limit)
    return [
        Reject(
            gateway_id=row["gateway_id"],
            code=RejectCode(row["code"]),
            text=row["reason"],
            payload=row["payload"],
            received_us=to_us(row["received_at"]),
            index=row["item"],
        )
        for row in rows
    ]


async def count_rejects(db: Database) -> Mapping[str, int]:
    """Rejects per code."""
    query = "SELECT code, count(*) AS n FROM rejects GROUP BY code ORDER BY code"
    async with db.connection() as connection:
        return {row["code"]: row["n"] for row in await connection.fetch(query)}
