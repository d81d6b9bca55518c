"""The one place where driver errors become ours: one line each, with its remedy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from wattwitness.domain.errors import StoreBusyError, StoreRefusesError, StoreUnavailableError

_CHECK = "check WATTWITNESS_DATABASE_URL and that PostgreSQL runs (wattwitness doctor)"
_Errors = tuple[type[BaseException], ...]
# first match wins: (what the driver raised, what we say, what to do)
_TABLE: tuple[tuple[_Errors, str, str], ...] = (
    (
        (asyncpg.DiskFullError, asyncpg.OutOfMemoryError),
        "the database is full",
        "free disk space on its machine; what was stored is kept",
    ),
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "the database{where} refuses us",
        _CHECK,
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        "the database{where} does not exist",
        "create it with createdb",
    ),
    ((asyncpg.ReadOnlySQLTransactionError,), "the database is read-only", _CHECK),
    (
        (asyncpg.UndefinedTableError,),
        "the database has no tables of ours yet",
        "run wattwitness db upgrade",
    ),
    (
        (asyncpg.InsufficientPrivilegeError,),
        "the database{where} does not let us",
        "let its owner GRANT us that right, or use the owner's role",
    ),
    (
        (asyncpg.exceptions.ClientConfigurationError,),
        "{dsn!r} is not a PostgreSQL address",
        "write postgresql://user:password@host:5432/database",
    ),
    (
        (
            asyncpg.PostgresConnectionError,
            asyncpg.OperatorInterventionError,  # shut down, starting up, cancelled
            asyncpg.InsufficientResourcesError,  # too many connections
            asyncpg.PostgresSystemError,  # its disk or memory fails
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # the driver lost its thread on a connection that was cut
            OSError,
            TimeoutError,
        ),
        "the database{where} cannot be reached",
        _CHECK,
    ),
    ((asyncpg.PostgresError,), "the database{where} refuses", _CHECK),
)
_DRIVER = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_CONFLICTS = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
# about what was written, not about the database: the same again would fail again
_CONTENT = (
    asyncpg.DataError,  # out of range, no such character, not of its type
    asyncpg.ProgramLimitExceededError,  # too long for an index, too many columns
    asyncpg.ConfigurationLimitExceededError,  # too much to unpack at once: half of it may do
)


@asynccontextmanager
async def translated(dsn: str = "") -> AsyncIterator[None]:
    """Turn driver errors into ours.

    Integrity errors pass: whoever writes knows what they mean, and may call `refusal` for them.
    """
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError:
        raise
    except _CONFLICTS as error:
        raise StoreBusyError(
            f"the database was busy with the same rows: {_line(error)}", "try again"
        ) from error
    except _CONTENT as error:
        raise refusal(error) from error
    except _DRIVER as error:
        where = f" at {_redacted(dsn)}" if dsn else ""
        for kinds, says, remedy in _TABLE:
            if isinstance(error, kinds):
                text = says.format(where=where, dsn=_redacted(dsn))
                raise StoreUnavailableError(f"{text}: {_line(error)}", remedy) from error
        raise


def refusal(error: asyncpg.PostgresError) -> StoreRefusesError:
    """An error about what was written, as ours, with the driver's line."""
    return StoreRefusesError(
        f"the database will not have these values: {_line(error)}", "leave them out"
    )


def _redacted(dsn: str) -> str:
    head, at, tail = dsn.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at else dsn


def _line(error: BaseException) -> str:
    """The first line of a message; PostgreSQL adds details and hints below it."""
    return next(iter(str(error).splitlines()), type(error).__name__)
