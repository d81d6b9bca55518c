"""The newest reading of each circuit, kept beside the history (which may be compressed)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from wattwitness.domain.instants import to_us
from wattwitness.store.database import Database

_LATEST = """
SELECT circuit_id, l.ts, l.p / 1000.0 AS p_kw, l.received_at
FROM latest l JOIN circuits c USING (circuit_key) JOIN gateways g USING (gateway_key)
     JOIN enterprises e USING (enterprise_key)
WHERE $1::text IS NULL OR e.enterprise_id = $1
ORDER BY circuit_id
"""
_HEARD = """
SELECT enterprise_id, max(least(ts, received_at)) AS heard_at
FROM latest JOIN circuits USING (circuit_key) JOIN gateways USING (gateway_key)
     JOIN enterprises USING (enterprise_key)
WHERE $1::text[] IS NULL OR enterprise_id = ANY ($1)
GROUP BY enterprise_id
"""
_WATERMARK = "SELECT max(least(ts, received_at)) FROM latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A circuit's newest reading."""

    circuit_id: str
    ts_us: int
    p_kw: float | None
    received_us: int | None


async def latest_values(db: Database, enterprise_id: str | None = None) -> list[Latest]:
    """Of one enterprise, or of all."""
    async with db.connection() as connection:
        rows = await connection.fetch(_LATEST, enterprise_id)
    return [
        Latest(
            circuit_id=row["circuit_id"],
            ts_us=to_us(row["ts"]),
            p_kw=None if row["p_kw"] is None else float(row["p_kw"]),
            received_us=None if row["received_at"] is None else to_us(row["received_at"]),
        )
        for row in rows
    ]


async def last_heard(
    db: Database, enterprise_ids: Collection[str] | None = None
) -> dict[str, datetime]:
    """Enterprise id → time of its newest reading, no later than it was received; of some or all.

    Enterprises that never sent anything are left out.
    """
    chosen = None if enterprise_ids is None else list(enterprise_ids)
    async with db.connection() as connection:
        rows = await connection.fetch(_HEARD, chosen)
    return {row["enterprise_id"]: row["heard_at"] for row in rows}


async def watermark(db: Database) -> int | None:
    """How far the data of this database reach [µs]; None without data.

    A reading counts no later than it was received: one clock that runs ahead must not make
    everybody else look late.
    """
    async with db.connection() as connection:
        newest = await connection.fetchval(_WATERMARK)
    return None if newest is None else to_us(newest)
