"""The reject store: what was refused for good, whole, with its reason."""

from collections import Counter
from collections.abc import Mapping, Sequence

from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.rejects import Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.keeping import digest, in_slices, kept_per_gateway
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements


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


async def keep_rejects(connection: Connection, rejects: Sequence[Reject]) -> Counter[str | None]:
    """Keep what is not kept yet; returns gateway → how many (part of an ingest transaction)."""
    kept: Counter[str | None] = Counter()
    for piece in in_slices(rejects, lambda reject: len(reject.payload)):
        kept += await kept_per_gateway(
            connection,
            statements("readings")["keep_rejects"],
            [from_us(r.received_us) for r in piece],
            [r.gateway_id for r in piece],
            [r.code.value for r in piece],
            [r.text for r in piece],
            [r.index for r in piece],
            [r.payload for r in piece],
            [digest(r.payload, r.gateway_id, r.index) for r in piece],
        )
    return kept
