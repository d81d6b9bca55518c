"""An open database: the pool, the mode, and transactions whose errors are ours."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from types import TracebackType
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import asyncpg

from wattwitness.domain.instants import DEFAULT_ZONE
from wattwitness.store.mode import Connection, Mode, resolve_mode
from wattwitness.store.translation import translated

if TYPE_CHECKING:  # the facts need the database to load themselves
    from wattwitness.store.circuit_facts import CircuitFacts

SQL = files("wattwitness.store") / "sql"


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


class Database:
    """A pool on one database, and what kind of database it is."""

    def __init__(self, pool: asyncpg.Pool, mode: Mode, dsn: str, zone: ZoneInfo) -> None:
        self.pool = pool
        self.mode = mode
        self.dsn = dsn
        self.zone = zone  # of local days
        # what the ingest knows of the circuits; loaded when first needed, and when one is new
        self.facts: CircuitFacts | None = None
        # UTC days whose partition is known to exist (plain mode)
        self.known_partitions: set[int] = set()

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        application: str = "wattwitness",
        max_connections: int = 4,
        timeout_s: float = 10.0,
        zone: ZoneInfo = DEFAULT_ZONE,
    ) -> Self:
        """Connect.

        Raises:
            StoreUnavailableError: not reachable, refused, or not a DSN.
        """
        async with translated(dsn):
            pool = await asyncio.wait_for(
                asyncpg.create_pool(
                    dsn,
                    min_size=1,
                    max_size=max_connections,
                    init=_prepare,
                    timeout=timeout_s,
                    command_timeout=120,
                    server_settings={
                        "application_name": f"wattwitness-{application}",
                        "timezone": "UTC",
                        "jit": "off",
                    },
                ),
                timeout_s * 2,
            )
            assert pool is not None  # noqa: S101 - asyncpg types it as optional
            async with pool.acquire() as connection:
                mode = await resolve_mode(connection)
        return cls(pool, mode, dsn, zone)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection; driver errors come out translated."""
        async with translated(), self.pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one transaction."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Close the pool; a server that hangs is not waited for."""
        try:
            await asyncio.wait_for(self.pool.close(), 5.0)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.pool.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
