"""Gateways as the fleet page sees them: their own word, their traffic, their silence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wattwitness.domain.instants import from_us, to_us
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

_SET_STATUS = """
INSERT INTO gateway_status AS s (gateway_id, online, status_at, received_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (gateway_id) DO UPDATE SET
    online = excluded.online, status_at = excluded.status_at, received_at = excluded.received_at
WHERE (s.online, s.status_at) IS DISTINCT FROM (excluded.online, excluded.status_at)
"""
_HEALTH = """
SELECT g.gateway_id, e.enterprise_id, g.interval_s, s.online, s.status_at, s.received_at,
       (SELECT max(ts) FROM latest JOIN circuits c USING (circuit_key)
        WHERE c.gateway_key = g.gateway_key) AS last_ts,
       (SELECT max(last_received_at) FROM gateway_days d WHERE d.gateway_id = g.gateway_id)
           AS last_received_at,
       t.received, t.stored, t.duplicate, t.revision, t.rejected, t.parked
FROM gateways g JOIN enterprises e USING (enterprise_key)
     LEFT JOIN gateway_status s USING (gateway_id)
     LEFT JOIN gateway_days t
            ON t.gateway_id = g.gateway_id AND t.day = (now() AT TIME ZONE 'UTC')::date
ORDER BY g.gateway_id
"""
_TOTALS = """
SELECT gateway_id, sum(received) AS received, sum(stored) AS stored, sum(duplicate) AS duplicate,
       sum(revision) AS revision, sum(rejected) AS rejected, sum(parked) AS parked
FROM gateway_days GROUP BY gateway_id ORDER BY gateway_id
"""
COUNTS = ("received", "stored", "duplicate", "revision", "rejected", "parked")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayHealth:
    """One gateway now; `today` counts where the readings of this UTC day ended."""

    gateway_id: str
    enterprise_id: str
    interval_s: int
    online: bool | None  # None = it never said
    status_us: int | None  # by its own clock; a last will carries the start of its connection
    status_received_us: int | None  # when this word first came
    last_ts_us: int | None  # newest device time
    last_received_us: int | None  # newest receipt over the network
    today: Mapping[str, int] = field(default_factory=dict)


async def set_status(
    db: Database, gateway_id: str, *, online: bool, ts_us: int, received_us: int | None = None
) -> None:
    """Keep a gateway's last word about itself: the one that came last, whatever its date.

    Args:
        db: the database.
        gateway_id: who says it.
        online: what it says.
        ts_us: its own date for it [µs].
        received_us: when it came [µs]; None = at `ts_us`.
    """
    came_us = ts_us if received_us is None else received_us
    async with db.connection() as connection:
        await connection.execute(_SET_STATUS, gateway_id, online, from_us(ts_us), from_us(came_us))


async def gateway_health(db: Database) -> list[GatewayHealth]:
    """All registered gateways."""
    async with db.connection() as connection:
        rows = await connection.fetch(_HEALTH)

    def us(value: object) -> int | None:
        return None if value is None else to_us(value)  # type: ignore[arg-type]

    return [
        GatewayHealth(
            gateway_id=row["gateway_id"],
            enterprise_id=row["enterprise_id"],
            interval_s=row["interval_s"],
            online=row["online"],
            status_us=us(row["status_at"]),
            status_received_us=us(row["received_at"]),
            last_ts_us=us(row["last_ts"]),
            last_received_us=us(row["last_received_at"]),
            today={name: row[name] or 0 for name in COUNTS},
        )
        for row in rows
    ]


async def gateway_totals(db: Database) -> dict[str, dict[str, int]]:
    """gateway_id → counts since the beginning, for the metrics."""
    async with db.connection() as connection:
        rows = await connection.fetch(_TOTALS)
    return {row["gateway_id"]: {name: int(row[name]) for name in COUNTS} for row in rows}


async def count_day(
    connection: Connection,
    received: Mapping[str | None, int],
    *fates: Mapping[str | None, int],
) -> None:
    """Add to the gateways' counts of today (part of an ingest transaction).

    Args:
        connection: in the transaction.
        received: gateway → readings that came; None = whose gateway is not known, not counted.
        fates: gateway → how many were stored, revisions, rejected, parked; all others had been
            delivered before.
    """
    names = sorted(name for name in received if name is not None)
    counts = [[fate.get(name, 0) for name in names] for fate in fates]
    stored, revision, rejected, parked = counts
    total = [received[name] for name in names]
    duplicate = [n - sum(known) for n, *known in zip(total, *counts, strict=True)]
    await connection.execute(
        statements("readings")["count_gateway_day"],
        names,
        total,
        stored,
        duplicate,
        revision,
        rejected,
        parked,
    )
