"""How far each gateway's messages are committed (written with the ingest, read at a start)."""

from wattwitness.store.database import Database


async def load_epochs(db: Database) -> dict[tuple[str, str], int]:
    """(gateway_id, epoch) → newest sequence number without a hole before it."""
    async with db.connection() as connection:
        rows = await connection.fetch("SELECT gateway_id, epoch, seq FROM gateway_epochs")
    return {(row["gateway_id"], row["epoch"]): row["seq"] for row in rows}
