"""Gateways as the fleet page sees them: their own word, their traffic, their silence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wattwitness.domain.instants import from_us, to_us
from wattwitness.store.database import Database

_SET_STATUS = """
INSERT INTO gateway_status AS s (gateway_id, online, status_at) VALUES ($1, $2, $3)
ON CONFLICT (gateway_id) DO UPDATE SET online = excluded.online, status_at = excluded.status_at
WHERE excluded.status_at >= s.status_at
"""
_HEALTH = """
SELECT g.gateway_id, e.enterprise_id, g.interval_s, s.online, s.status_at,
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
    status_us: int | None
    last_ts_us: int | None  # newest device time
    last_received_us: int | None  # newest receipt over the network
    today: Mapping[str, int] = field(default_factory=dict)


async def set_status(db: Database, gateway_id: str, *, online: bool, ts_us: int) -> None:
    """Keep a gateway's newest word about itself; an older one changes nothing."""
    async with db.connection() as connection:
        await connection.execute(_SET_STATUS, gateway_id, online, from_us(ts_us))


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
