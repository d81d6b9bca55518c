"""Gateways as the fleet page sees them: their own word, their traffic, their silence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from wattwitness.domain.instants import from_us, local_day, to_us
from wattwitness.store.database import Database
from wattwitness.store.statements import statements

_SET_STATUS = """
INSERT INTO gateway_status AS s (gateway_id, online, status_at, received_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (gateway_id) DO UPDATE SET
    online = excluded.online, status_at = excluded.status_at, received_at = excluded.received_at
WHERE (s.online, s.status_at) IS DISTINCT FROM (excluded.online, excluded.status_at)
"""
FATES: Final = ("stored", "duplicate", "revision", "rejected")
"""Where a reading ends; the four add up to `received`."""
COUNTS: Final = ("received", *FATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayHealth:
    """One gateway now; `today` counts where the readings of this local day ended."""

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


async def gateway_health(db: Database, today: date | None = None) -> list[GatewayHealth]:
    """All registered gateways; `today` is the local day to count, by default the current one."""
    day = local_day(datetime.now(UTC), db.zone) if today is None else today
    async with db.connection() as connection:
        rows = await connection.fetch(statements("gateway_days")["health"], day)

    return [
        GatewayHealth(
            gateway_id=row["gateway_id"],
            enterprise_id=row["enterprise_id"],
            interval_s=row["interval_s"],
            online=row["online"],
            status_us=_us(row["status_at"]),
            status_received_us=_us(row["received_at"]),
            last_ts_us=_us(row["last_ts"]),
            last_received_us=_us(row["last_received_at"]),
            today={name: row[name] or 0 for name in COUNTS},
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody who sends and is in no registry; `gateway_id` '' = the topic names no gateway."""

    gateway_id: str
    first_us: int | None
    last_us: int | None
    counts: Mapping[str, int]


async def reject_reasons(db: Database, day: date | None = None) -> dict[str, dict[str, int]]:
    """gateway_id → code → rejected readings, of one local day or of all."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("gateway_days")["reasons"], day)
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["gateway_id"], {})[row["code"]] = row["readings"]
    return found


async def strangers(db: Database, limit: int = 100) -> list[Stranger]:
    """Who sends and is in no registry, the one heard last first."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("gateway_days")["strangers"], limit)
    return [
        Stranger(
            gateway_id=row["gateway_id"],
            first_us=_us(row["first_at"]),
            last_us=_us(row["last_at"]),
            counts={name: int(row[name]) for name in COUNTS},
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFates:
    """Readings of one local day per gateway; '' = all strangers together."""

    fates: Mapping[str, Mapping[str, int]]  # gateway_id → fate → readings
    reasons: Mapping[str, Mapping[str, int]]  # gateway_id → code → rejected readings


async def day_fates(db: Database, day: date) -> DayFates:
    """Where the readings of a local day ended: bounded by the registry, for the metrics."""
    sql = statements("gateway_days")
    async with db.connection() as connection:
        counted = await connection.fetch(sql["one_day"], day)
        refused = await connection.fetch(sql["one_day_reasons"], day)
    reasons: dict[str, dict[str, int]] = {}
    for row in refused:
        reasons.setdefault(row["gateway_id"], {})[row["code"]] = row["readings"]
    fates = {row["gateway_id"]: {name: row[name] for name in FATES} for row in counted}
    return DayFates(fates=fates, reasons=reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDay:
    """Where the readings that a gateway sent on one local day ended."""

    day: date
    counts: Mapping[str, int]
    reasons: Mapping[str, int]  # code → rejected readings, the most frequent first


async def gateway_days(db: Database, gateway_id: str, limit: int = 14) -> list[GatewayDay]:
    """The newest days on which something came, newest first."""
    sql = statements("gateway_days")
    async with db.connection() as connection:
        rows = await connection.fetch(sql["days_of"], gateway_id, limit)
        first = rows[-1]["day"] if rows else date.max
        refused = await connection.fetch(sql["day_reasons_of"], gateway_id, first)
    reasons: dict[date, dict[str, int]] = {}
    for row in refused:
        reasons.setdefault(row["day"], {})[row["code"]] = row["readings"]
    return [
        GatewayDay(
            day=row["day"],
            counts={name: row[name] for name in COUNTS},
            reasons=reasons.get(row["day"], {}),
        )
        for row in rows
    ]


async def restart_counts(db: Database, days: int = 7) -> dict[str, int]:
    """gateway_id → how often it began a new epoch in the last days (the last 16 are known)."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("gateway_days")["restarts"], days)
    return {row["gateway_id"]: row["restarts"] for row in rows}


def _us(instant: datetime | None) -> int | None:
    return None if instant is None else to_us(instant)
