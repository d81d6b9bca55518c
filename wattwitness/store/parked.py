"""Readings of gateways and channels that the registry does not know (yet)."""

from dataclasses import dataclass

from wattwitness.domain.instants import to_us
from wattwitness.domain.rejects import Parked
from wattwitness.store.database import Database
from wattwitness.store.keeping import SLICE_BYTES

_COUNTS = """
SELECT gateway_id, channel, count(*) AS messages, sum(readings) AS readings,
       min(received_at) AS first_at, max(received_at) AS last_at
FROM parked GROUP BY gateway_id, channel ORDER BY gateway_id, channel
"""
# as many of the known ones as stay within readings and bytes, but at least one
_KNOWN = """
WITH known AS (
    SELECT parked_id, received_at, gateway_id, channel, readings, payload
    FROM parked p
    WHERE EXISTS (SELECT FROM gateways g WHERE g.gateway_id = p.gateway_id)
      AND (p.channel IS NULL OR EXISTS (
            SELECT FROM circuits c JOIN gateways g USING (gateway_key)
            WHERE g.gateway_id = p.gateway_id AND c.channel = p.channel))
    ORDER BY parked_id LIMIT $1
), counted AS (
    SELECT *, row_number() OVER w AS place, sum(readings) OVER w AS readings_so_far,
           sum(octet_length(payload)) OVER w AS bytes_so_far
    FROM known WINDOW w AS (ORDER BY parked_id)
)
SELECT * FROM counted WHERE place = 1 OR (readings_so_far <= $2 AND bytes_so_far <= $3)
ORDER BY parked_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedCount:
    """How much waits for one unknown gateway or channel."""

    gateway_id: str
    channel: str | None
    messages: int
    readings: int
    first_us: int
    last_us: int


async def load_parked(
    db: Database, messages: int = 500, readings: int = 5000
) -> list[tuple[int, Parked]]:
    """(number, item) of what the registry knows by now, oldest first: one bounded slice."""
    async with db.connection() as connection:
        rows = await connection.fetch(_KNOWN, messages, readings, SLICE_BYTES)
    return [
        (
            row["parked_id"],
            Parked(
                gateway_id=row["gateway_id"],
                channel=row["channel"],
                payload=row["payload"],
                received_us=to_us(row["received_at"]),
                readings=row["readings"],
            ),
        )
        for row in rows
    ]


async def parked_counts(db: Database) -> list[ParkedCount]:
    """What waits, per gateway and channel."""
    async with db.connection() as connection:
        rows = await connection.fetch(_COUNTS)
    return [
        ParkedCount(
            gateway_id=row["gateway_id"],
            channel=row["channel"],
            messages=row["messages"],
            readings=row["readings"],
            first_us=to_us(row["first_at"]),
            last_us=to_us(row["last_at"]),
        )
        for row in rows
    ]
