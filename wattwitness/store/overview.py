"""The database told about itself, for `db status` and `doctor`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattwitness.store.database import Database
from wattwitness.store.migrations import pending
from wattwitness.store.mode import Mode

_STATUS = """
SELECT current_setting('server_version') AS server_version,
       pg_database_size(current_database()) AS bytes,
       now() AS server_now,
       current_setting('transaction_read_only') = 'off'
           AND has_schema_privilege(current_schema(), 'CREATE') AS writable,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS durable,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale_version
"""
_COUNTS = """
SELECT (SELECT count(*) FROM enterprises) AS enterprises,
       (SELECT count(*) FROM gateways) AS gateways,
       (SELECT count(*) FROM circuits) AS circuits,
       (SELECT min(first_ts) FROM latest) AS oldest,
       (SELECT max(ts) FROM latest) AS newest,
       (SELECT count(*) FROM rejects) AS rejects,
       (SELECT count(*) FROM parked) AS parked,
       (SELECT count(*) FROM revisions) AS revisions,
       (SELECT count(*) FROM dirty_days) AS dirty_days
"""
_PARTITIONS = {
    True: """
        SELECT count(*) AS partitions, count(*) FILTER (WHERE is_compressed) AS compressed
        FROM timescaledb_information.chunks WHERE hypertable_name = 'readings'
    """,
    False: """
        SELECT count(*) AS partitions, 0 AS compressed FROM pg_partition_tree('readings')
        WHERE isleaf
    """,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatus:
    """One look at the database."""

    mode: Mode
    server_version: str
    timescale_version: str | None
    bytes: int
    server_now: datetime
    writable: bool  # whether our role may write and make tables
    durable: bool  # whether what was committed survives a crash of the server's machine
    pending_migrations: int
    counts: Mapping[str, int | datetime | None]  # empty while migrations are pending
    partitions: int = 0
    compressed: int = 0

    def clock_offset(self, now: datetime) -> timedelta:
        """How far the server's clock is ahead of ours."""
        return self.server_now - now


async def database_status(db: Database) -> DatabaseStatus:
    """Look at the database; works before it is migrated."""
    steps = await pending(db)
    async with db.connection() as connection:
        basic = await connection.fetchrow(_STATUS)
        assert basic is not None  # noqa: S101 - a SELECT without FROM gives one row
        counts = dict(await connection.fetchrow(_COUNTS) or {}) if not steps else {}
        parts = await connection.fetchrow(_PARTITIONS[db.mode.hypertable]) if not steps else None
    return DatabaseStatus(
        mode=db.mode,
        pending_migrations=len(steps),
        counts=counts,
        partitions=parts["partitions"] if parts else 0,
        compressed=parts["compressed"] if parts else 0,
        **dict(basic),
    )
