"""Partitions of the readings table in plain mode; TimescaleDB makes its chunks by itself.

A partition is made as a table of its own and then attached: that takes a weak lock on the parent,
so neither readers nor other writers wait or deadlock, as `CREATE … PARTITION OF` would make them.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from wattwitness.domain.instants import US_PER_DAY
from wattwitness.store.database import Database

_LOCK = 0x57617450  # "WatP"
_EPOCH = date(1970, 1, 1)
DAYS_AHEAD = 7


def _name(day: int) -> str:
    return f"readings_{_EPOCH + timedelta(days=day):%Y%m%d}"


async def ensure_partitions(db: Database, utc_days: Iterable[int]) -> None:
    """Make the partitions of these UTC days (days since 1970) where they are missing."""
    if db.mode.hypertable:
        return
    missing = sorted(set(utc_days) - db.known_partitions)
    if not missing:
        return
    async with db.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        try:
            rows = await connection.fetch(
                "SELECT relid::regclass::text AS name FROM pg_partition_tree('readings')"
            )
            present = {row["name"] for row in rows}
            for day in missing:
                if _name(day) not in present:
                    await connection.execute(_attach(day))
                db.known_partitions.add(day)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


def _attach(day: int) -> str:
    start = datetime.fromtimestamp(day * US_PER_DAY / 1e6, UTC)
    low, high = f"'{start:%Y-%m-%d}+00'", f"'{start + timedelta(days=1):%Y-%m-%d}+00'"
    name = _name(day)
    return f"""
        CREATE TABLE {name} (LIKE readings INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        ALTER TABLE {name} ADD PRIMARY KEY (circuit_key, ts);
        ALTER TABLE readings ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high});
    """


async def make_partitions_ahead(db: Database, today: date) -> None:
    """Keep a week of partitions ready, so that no ingest ever waits for one."""
    first = (today - _EPOCH).days
    await ensure_partitions(db, range(first - 1, first + DAYS_AHEAD + 1))
