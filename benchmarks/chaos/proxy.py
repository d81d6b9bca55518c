"""A proxy in the middle of a connection, which can cut it, swallow it, or slow it down."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Streams]]
_CHUNK = 65_536


def dial_tcp(host: str, port: int) -> Dial:
    """Connects to a TCP address."""

    async def dial() -> Streams:
        return await asyncio.open_connection(host, port)

    return dial


def dial_unix(path: str) -> Dial:
    """Connects to a socket file."""

    async def dial() -> Streams:
        return await asyncio.open_unix_connection(path)

    return dial


@dataclass(eq=False, slots=True)
class Pair:
    """One connection: the two halves of it."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    swallowed: bool = False  # half-open: both sides talk, neither is heard
    deaf: bool = False  # nor does anybody take what they say: it fills their buffers
    over: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def abort(self) -> None:
        """Reset both halves, without a goodbye."""
        self.over.set()
        self.near.transport.abort()
        self.far.transport.abort()


class Proxy:
    """Passes bytes on, unless it is told otherwise."""

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._server: asyncio.Server | None = None
        self._pairs: set[Pair] = set()
        self._visits: set[asyncio.Task[None]] = set()
        self._refuses = False
        self._delay_s = 0.0
        self._bytes_per_s = 0.0  # 0 = no limit
        self.passed = 0  # bytes
        self.swallowed = 0
        self.slowed = 0

    async def start(self, port: int = 0) -> int:
        """Listen on the loopback; returns the port."""
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop, and reset whatever is open."""
        if self._server is not None:
            self._server.close()
        for pair in self._pairs:
            pair.abort()
        for task in self._visits:
            task.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    @property
    def connections(self) -> int:
        """How many are open and heard."""
        return sum(not pair.swallowed for pair in self._pairs)

    def cut(self) -> int:
        """Reset all connections; returns how many."""
        cut = self.connections
        for pair in self._pairs:
            pair.abort()
        return cut

    def refuse(self, *, on: bool) -> None:
        """Whether new connections are reset at once."""
        self._refuses = on

    def half_open(self, *, deaf: bool = False) -> int:
        """From now on swallow what existing connections carry; new ones are served.

        Deaf: not even the sender's kernel is told that anything arrived, once buffers are full.
        """
        hit = self.connections
        for pair in self._pairs:
            pair.swallowed = True
            pair.deaf = deaf
        return hit

    def reset_half_open(self) -> None:
        """Reset the connections that are swallowed."""
        for pair in self._pairs:
            if pair.swallowed:
                pair.abort()

    def slow_down(self, delay_s: float, bytes_per_s: float) -> None:
        """Hold each chunk back, and let it trickle; 0 and 0 end it."""
        self._delay_s, self._bytes_per_s = delay_s, bytes_per_s

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = asyncio.current_task()
        assert visit is not None  # noqa: S101 - a server runs its visits as tasks
        self._visits.add(visit)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._visits.discard(visit)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            writer.transport.abort()
            return
        try:
            far_reader, far = await self._dial()
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(writer, far)
        self._pairs.add(pair)
        pair.tasks = [
            asyncio.create_task(self._carry(pair, reader, far)),
            asyncio.create_task(self._carry(pair, far_reader, writer)),
        ]
        try:
            await asyncio.gather(*pair.tasks)
        finally:
            for task in pair.tasks:
                task.cancel()
            self._pairs.discard(pair)
            pair.abort()

    async def _carry(
        self, pair: Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Until one side ends; a swallowed connection hides even that from the other."""
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if pair.deaf:
                    self.swallowed += len(data)
                    await pair.over.wait()
                    return
                if self._delay_s or self._bytes_per_s:
                    await self._trickle(pair, data, writer)
                elif not pair.swallowed:
                    await self._pass(data, writer)
                else:
                    self.swallowed += len(data)
        if not pair.swallowed:
            with suppress(OSError):
                writer.close()

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        self.passed += len(data)

    async def _trickle(self, pair: Pair, data: bytes, writer: asyncio.StreamWriter) -> None:
        """In small pieces, as long as the link is slow."""
        await asyncio.sleep(self._delay_s)
        while data and not pair.swallowed:
            step = max(1, int(self._bytes_per_s * 0.05)) if self._bytes_per_s else len(data)
            piece, data = data[:step], data[step:]
            await self._pass(piece, writer)
            self.slowed += len(piece)
            if data:
                await asyncio.sleep(0.05)
        self.swallowed += len(data)
