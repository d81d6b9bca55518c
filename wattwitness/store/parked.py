"""Readings of gateways and channels that the registry does not know (yet)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.rejects import Parked
from wattwitness.store.database import Database
from wattwitness.store.keeping import SLICE_BYTES, digest, in_slices, kept_per_gateway
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

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


async def keep_parked(connection: Connection, parked: Sequence[Parked]) -> Counter[str | None]:
    """Keep what is not kept yet; returns gateway → readings (part of an ingest transaction)."""
    kept: Counter[str | None] = Counter()
    for piece in in_slices(parked, lambda item: len(item.payload)):
        kept += await kept_per_gateway(
            connection,
            statements("readings")["keep_parked"],
            [from_us(p.received_us) for p in piece],
            [p.gateway_id for p in piece],
            [p.channel for p in piece],
            [p.readings for p in piece],
            [p.payload for p in piece],
            [digest(p.payload, p.gateway_id, p.channel) for p in piece],
        )
    return kept


async def remove_parked(connection: Connection, ids: Sequence[int]) -> None:
    """Forget items whose readings are taken in by the same transaction."""
    if ids:
        await connection.execute(statements("readings")["remove_parked"], list(ids))


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
