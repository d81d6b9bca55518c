"""What the program does for its tables by itself, in every mode: partitions ahead, compression.

Run by the collector at its start and every hour. Database policies and jobs are not used: they are
absent from the Apache edition and were seen to fail under some PostgreSQL versions.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wattwitness.store.database import Database
from wattwitness.store.mode import Connection, Mode
from wattwitness.store.partitions import make_partitions_ahead

COMPRESS_AFTER = timedelta(days=3)
_ENABLE = """
ALTER TABLE readings SET (
    timescaledb.enable_columnstore = true,
    timescaledb.segmentby = 'circuit_key',
    timescaledb.orderby = 'ts'
)
"""
_ENABLED = """
SELECT compression_enabled FROM timescaledb_information.hypertables
WHERE hypertable_name = 'readings'
"""
_RIPE = """
SELECT format('%I.%I', chunk_schema, chunk_name) AS chunk FROM timescaledb_information.chunks
WHERE hypertable_name = 'readings' AND NOT is_compressed AND range_end < $1
ORDER BY range_end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """What one run did."""

    compressed_chunks: int = 0


async def maintain(db: Database, now: datetime) -> MaintenanceReport:
    """Make partitions ahead, compress what is old; safe at any time and from several processes."""
    await make_partitions_ahead(db, now.date())
    if db.mode is not Mode.TIMESCALE_FULL:
        return MaintenanceReport()
    async with db.connection() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", 0x5757434F):
            return MaintenanceReport()  # another process is at it
        try:
            return MaintenanceReport(compressed_chunks=await _compress(connection, now))
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", 0x5757434F)


async def _compress(connection: Connection, now: datetime) -> int:
    if not await connection.fetchval(_ENABLED):
        await connection.execute(_ENABLE)
    rows = await connection.fetch(_RIPE, now - COMPRESS_AFTER)
    for row in rows:
        await connection.execute(f"CALL convert_to_columnstore('{row['chunk']}', true)")
    return len(rows)
