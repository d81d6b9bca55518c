"""An open database: the pool, the mode, and the one place where driver errors are translated."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from types import TracebackType
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

import asyncpg

from wattwitness.domain.errors import StoreBusyError, StoreUnavailableError
from wattwitness.domain.instants import DEFAULT_ZONE
from wattwitness.store.mode import Connection, Mode, resolve_mode

if TYPE_CHECKING:  # quanta needs the database to load itself
    from wattwitness.store.quanta import CircuitFacts

SQL = files("wattwitness.store") / "sql"
_REMEDY = "check WATTWITNESS_DATABASE_URL and that PostgreSQL runs (wattwitness doctor)"
_FULL = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError)
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, starting up, cancelled
    asyncpg.InsufficientResourcesError,  # too many connections
    asyncpg.PostgresSystemError,  # its disk or memory fails
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
_CONFLICTS = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)


def _redacted(dsn: str) -> str:
    head, at, tail = dsn.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at else dsn


@asynccontextmanager
async def translated(dsn: str = "") -> AsyncIterator[None]:
    """Turn driver errors into `StoreUnavailableError` with one line and its remedy."""
    where = f" at {_redacted(dsn)}" if dsn else ""
    try:
        yield
    except _FULL as error:
        raise StoreUnavailableError(
            f"the database is full: {error}", "free disk space on its machine; nothing was lost"
        ) from error
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise StoreUnavailableError(f"the database{where} refuses us: {error}", _REMEDY) from error
    except asyncpg.InvalidCatalogNameError as error:
        raise StoreUnavailableError(
            f"the database{where} does not exist: {error}", "create it with createdb"
        ) from error
    except asyncpg.ReadOnlySQLTransactionError as error:
        raise StoreUnavailableError(f"the database is read-only: {error}", _REMEDY) from error
    except asyncpg.UndefinedTableError as error:
        raise StoreUnavailableError(
            f"the database has no tables of ours yet: {error}", "run wattwitness db upgrade"
        ) from error
    except asyncpg.exceptions.ClientConfigurationError as error:
        raise StoreUnavailableError(
            f"{_redacted(dsn)!r} is not a PostgreSQL address: {error}",
            "write postgresql://user:password@host:5432/database",
        ) from error
    except _CONFLICTS as error:
        raise StoreBusyError(
            f"the database was busy with the same rows: {error}", "nothing was lost; try again"
        ) from error
    except _AWAY as error:
        reason = str(error) or type(error).__name__
        raise StoreUnavailableError(
            f"the database{where} cannot be reached: {reason}", _REMEDY
        ) from error


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
