"""The three modes of the store, resolved once when it is opened.

Only the making, dropping and compressing of partitions stand behind this switch.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:  # a pool lends proxies; the two have one interface
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy"
else:
    Connection = asyncpg.Connection


class Mode(StrEnum):
    """What keeps the readings table."""

    PLAIN = "plain"  # PostgreSQL, native partitions
    TIMESCALE_APACHE = "timescale-apache"  # hypertable without columnstore
    TIMESCALE_FULL = "timescale"  # hypertable with columnstore

    @property
    def hypertable(self) -> bool:
        """Whether readings is (to be) a hypertable."""
        return self is not Mode.PLAIN


_FIND = """
SELECT
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS installed,
    (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS available,
    -- a setting of its loader: known only where the library is preloaded, readable by everybody
    current_setting('timescaledb.max_background_workers', true) IS NOT NULL AS preloaded,
    to_regclass('readings') IS NOT NULL AS has_readings
"""


async def resolve_mode(connection: Connection) -> Mode:
    """Find the mode of this database, creating the extension in a new one where it may be."""
    found = await connection.fetchrow(_FIND)
    assert found is not None  # noqa: S101 - a SELECT without FROM gives one row
    if found["installed"] is None:
        usable = found["available"] and found["preloaded"]
        if found["has_readings"] or not usable:
            return Mode.PLAIN
        try:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        except (asyncpg.InsufficientPrivilegeError, asyncpg.DuplicateObjectError):
            return Mode.PLAIN
    elif found["has_readings"] and not await _is_hypertable(connection):
        return Mode.PLAIN
    licence = await connection.fetchval("SELECT current_setting('timescaledb.license', true)")
    return Mode.TIMESCALE_FULL if licence == "timescale" else Mode.TIMESCALE_APACHE


async def _is_hypertable(connection: Connection) -> bool:
    query = """
        SELECT EXISTS (SELECT FROM timescaledb_information.hypertables
                       WHERE hypertable_name = 'readings')
    """
    return bool(await connection.fetchval(query))
