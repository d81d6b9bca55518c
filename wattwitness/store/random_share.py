"""From which enterprises the random share is drawn; see sql/random_share.sql."""

from wattwitness.store.database import Database
from wattwitness.store.statements import statements


async def enterprises_with_data(db: Database) -> list[str]:
    """Enterprises of which any reading is stored, by id."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("random_share")["enterprises_with_data"])
    return [row["enterprise_id"] for row in rows]
