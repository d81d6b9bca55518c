"""The columnstore of TimescaleDB: which chunks are ripe for it, and the moving of one.

The extension keeps each column of a batch (up to 1,000 rows of one circuit) as one value, and puts
nearly every value out of line, where it costs some 80 bytes of its own. With values as small as
ours a batch mostly fits into its row: the storage of a chunk is tightened after it was converted,
by PostgreSQL's own means (a storage parameter and a rewrite of the compressed table).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wattwitness.store.mode import Connection

_INLINE_BYTES: Final = 2032  # of a batch, before values go out of line; four such fill a page
_ENABLED = """
SELECT compression_enabled FROM timescaledb_information.hypertables
WHERE hypertable_name = $1 AND hypertable_schema = current_schema()
"""
# Status bits of a chunk: 1 compressed, 2 not in order, 4 frozen, 8 with rows outside.
_RIPE = """
SELECT format('%I.%I', chunk_schema, chunk_name) AS name, s.status & 1 > 0 AS compressed
FROM timescaledb_information.chunks
CROSS JOIN LATERAL (
    SELECT _timescaledb_functions.chunk_status(
        format('%I.%I', chunk_schema, chunk_name)::regclass) AS status) s
WHERE hypertable_name = $1 AND hypertable_schema = current_schema() AND range_end < $2
  AND s.status & 5 = 0 OR s.status & 4 = 0 AND s.status & 10 > 0
  AND hypertable_name = $1 AND hypertable_schema = current_schema()
ORDER BY range_end
"""
_SIZE = """
SELECT pg_total_relation_size($1::regclass)
       + coalesce((SELECT pg_total_relation_size(compress_relid)
                   FROM _timescaledb_catalog.compression_settings WHERE relid = $1::regclass), 0)
"""
_COMPRESSED = """
SELECT compress_relid::regclass::text FROM _timescaledb_catalog.compression_settings
WHERE relid = $1::regclass
"""


@dataclass(frozen=True, slots=True)
class RipeChunk:
    """A chunk to convert; `again` = it is in the columnstore and took rows since."""

    name: str
    again: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A hypertable that goes to the columnstore, and when."""

    table: str
    time: str  # its time column
    after: timedelta  # from the end of a chunk


READINGS: Final = Kept("readings", "ts", timedelta(days=2))
ROLLUPS: Final = Kept("rollups", "bucket", timedelta(days=10))


async def enable(connection: Connection, kept: Kept) -> None:
    """Let the hypertable have a columnstore: by circuit, in order of time."""
    if await connection.fetchval(_ENABLED, kept.table):
        return
    await connection.execute(
        f"""
        ALTER TABLE {kept.table} SET (
            timescaledb.enable_columnstore = true,
            timescaledb.segmentby = 'circuit_key',
            timescaledb.orderby = '{kept.time}'
        )
        """
    )


async def ripe_chunks(connection: Connection, kept: Kept, now: datetime) -> list[RipeChunk]:
    """Chunks old enough, oldest first: not converted yet, or with rows that came later."""
    rows = await connection.fetch(_RIPE, kept.table, now - kept.after)
    return [RipeChunk(row["name"], row["compressed"]) for row in rows]


async def chunk_bytes(connection: Connection, name: str) -> int:
    """Everything that a chunk takes on disk."""
    return int(await connection.fetchval(_SIZE, name))


async def convert(connection: Connection, name: str) -> None:
    """Move a chunk, or what it took since, into the columnstore, and tighten its storage."""
    await connection.execute(f"CALL convert_to_columnstore('{name}', true)")
    inside = await connection.fetchval(_COMPRESSED, name)
    if inside is not None:
        await connection.execute(f"ALTER TABLE {inside} SET (toast_tuple_target = {_INLINE_BYTES})")
        await connection.execute(f"VACUUM (FULL) {inside}")
