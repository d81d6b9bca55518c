"""An open database: the pool, the mode, and transactions whose errors are ours."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.resources import files
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, cast
from zoneinfo import ZoneInfo

import asyncpg

from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.instants import DEFAULT_ZONE
from wattwitness.store.forms import Steps
from wattwitness.store.mode import Connection, Mode, resolve_mode
from wattwitness.store.translation import translated

if TYPE_CHECKING:  # the facts need the database to load themselves
    from wattwitness.store.behind import Behind
    from wattwitness.store.circuit_facts import CircuitFacts

SQL = files("wattwitness.store") / "sql"


@dataclass(frozen=True, slots=True)
class _Limit:
    seconds: float
    over_at_s: float  # by the loop's clock


_limit: ContextVar[_Limit | None] = ContextVar("limit", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """What is done on connections inside is over after `seconds`, whatever the network does.

    A half-open connection answers nothing, not even that a statement was cancelled; the driver
    would wait for its time limit twice. It is aborted here, and the next one is a new one.
    """
    over_at_s = asyncio.get_running_loop().time() + seconds
    token = _limit.set(_Limit(seconds, over_at_s))
    try:
        yield
    finally:
        _limit.reset(token)


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


# A client that is gone without a goodbye (its machine lost power, the network forgot it) is found
# in half a minute; by default the server keeps its locks for hours.
_FIND_THE_GONE = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# Whose transactions never stand still: one that does belongs to a connection that nobody hears.
_NEVER_IDLE_S = {"collector": 15}


def _server_settings(application: str) -> dict[str, str]:
    settings = {
        "application_name": f"wattwitness-{application}",
        "timezone": "UTC",
        "jit": "off",
        "synchronous_commit": "on",  # whatever the server's default: proof means durable
    }
    if application in _NEVER_IDLE_S:
        settings["idle_in_transaction_session_timeout"] = f"{_NEVER_IDLE_S[application]}s"
    return settings | _FIND_THE_GONE


_BUFFER_BYTES: Final = 4 * 1024 * 1024


class _OurConnection(asyncpg.Connection):
    """A connection of the pool, with a wide send buffer, and reset only if it has to be.

    COPY is fed by an event loop that has other work, too. With the 208 kB that a Unix socket has by
    itself, the server waits for us most of that time. A TCP socket grows as needed.

    What we do on a connection of the pool leaves nothing in its session, unless it fails half-way.
    To reset it each time all the same would double the number of statements.
    """

    def __init__(self, protocol: Any, transport: asyncio.Transport, *args: Any) -> None:
        """Widen the socket; the rest is the driver's."""
        self._reset_is_due = False
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family == socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        super().__init__(protocol, transport, *args)

    def must_be_reset(self) -> None:
        """Whoever calls this leaves something in the session, or cannot know what is in it."""
        self._reset_is_due = True

    def get_reset_query(self) -> str:
        """What the driver sends when the pool takes the connection back; may be nothing."""
        if not self._reset_is_due:
            return ""
        self._reset_is_due = False
        return super().get_reset_query()


def reset_after(connection: Connection) -> None:
    """Have a connection reset when the pool gets it back: something is left in its session."""
    cast("_OurConnection", connection).must_be_reset()


class Database:
    """A pool on one database, and what kind of database it is."""

    def __init__(self, pool: asyncpg.Pool, mode: Mode, dsn: str, zone: ZoneInfo) -> None:
        self.pool = pool
        self.mode = mode
        self.dsn = dsn
        self.zone = zone  # of local days
        # what the ingest knows of the circuits; loaded when first needed, and when one is new
        self.facts: CircuitFacts | None = None
        # the steps in which the circuits' counts are written, learnt from what this process writes
        self.steps = Steps()
        # newest values that are written a moment later; None = with their readings
        self.behind: Behind | None = None
        # whether the last batch met stored keys: then the next one may, too
        self.meets_known = False
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
                    connection_class=_OurConnection,
                    timeout=timeout_s,
                    command_timeout=120,
                    server_settings=_server_settings(application),
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
        if (limit := _limit.get()) is not None:
            async with self._limited(limit) as connection:
                yield connection
            return
        async with translated(), self._lent() as connection:
            yield connection

    @asynccontextmanager
    async def _lent(self, timeout_s: float | None = None) -> AsyncIterator[Connection]:
        async with self.pool.acquire(timeout=timeout_s) as connection:
            # asked for now: of one that is lost the pool lets go at once
            must_be_reset = cast("_OurConnection", connection).must_be_reset
            try:
                yield connection
            except BaseException:
                must_be_reset()
                raise

    @asynccontextmanager
    async def _limited(self, limit: _Limit) -> AsyncIterator[Connection]:
        loop = asyncio.get_running_loop()
        left_s = max(0.1, limit.over_at_s - loop.time())
        try:
            # the time to get one is also the time to give it back
            async with translated(), self._lent(left_s) as connection:
                abort = loop.call_at(limit.over_at_s, connection.terminate)
                try:
                    yield connection
                finally:
                    abort.cancel()
        except StoreUnavailableError as error:
            if loop.time() < limit.over_at_s:
                raise
            await self.pool.expire_connections()  # what befell this one befell others as well
            message = f"the database did not answer within {limit.seconds:g} s"
            raise StoreUnavailableError(message, error.remedy) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside one transaction."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of its own, for long work: no time limit, locks that end with it."""
        async with translated(self.dsn):
            connection = await asyncpg.connect(
                self.dsn, timeout=10.0, server_settings=_server_settings("maintenance")
            )
            try:
                yield connection
            finally:
                try:
                    await connection.close(timeout=2.0)
                except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    connection.terminate()

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
