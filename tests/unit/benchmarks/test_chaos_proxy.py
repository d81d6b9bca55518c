"""The proxy between the parts: honest until told otherwise, then exactly as bad as told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from benchmarks.chaos.proxy import Proxy, Streams, dial_tcp


@dataclass
class Line:
    """A proxy before a server that says everything back."""

    proxy: Proxy
    port: int
    heard: list[bytes] = field(default_factory=list)

    async def call(self) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert await self.echo((reader, writer), b"hello") == b"hello"
        return reader, writer

    async def echo(self, streams: Streams, data: bytes) -> bytes:
        reader, writer = streams
        writer.write(data)
        await writer.drain()
        return await asyncio.wait_for(reader.readexactly(len(data)), 5)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                heard.append(data)
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    proxy = Proxy(dial_tcp("127.0.0.1", server.sockets[0].getsockname()[1]))
    yield Line(proxy, await proxy.start(), heard)
    await proxy.close()
    server.close()


async def gone(streams: Streams) -> bool:
    """Whether the connection ends."""
    try:
        return await asyncio.wait_for(streams[0].read(1), 5) == b""
    except ConnectionResetError:
        return True


async def silent(streams: Streams) -> bool:
    """Whether the connection stays, and nothing comes."""
    try:
        await asyncio.wait_for(streams[0].read(1), 0.2)
    except TimeoutError:
        return True
    return False


async def test_it_passes_on(line: Line):
    streams = await line.call()
    data = bytes(range(256)) * 2000
    assert await line.echo(streams, data) == data
    assert line.proxy.passed == 2 * (5 + len(data))
    assert line.proxy.connections == 1
    streams[1].close()


async def test_the_end_of_one_side_is_the_end_of_the_other(line: Line):
    streams = await line.call()
    streams[1].write_eof()
    assert await gone(streams)
    streams[1].close()


async def test_it_cuts(line: Line):
    streams = await line.call()
    assert line.proxy.cut() == 1
    assert await gone(streams)
    again = await line.call()
    again[1].close()
    streams[1].close()


async def test_it_refuses(line: Line):
    line.proxy.refuse(on=True)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await line.call()
    line.proxy.refuse(on=False)
    (await line.call())[1].close()


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_half_open_connection_swallows_and_stays(line: Line, *, deaf: bool):
    old = await line.call()
    assert line.proxy.half_open(deaf=deaf) == 1
    old[1].write(b"anybody there?")
    assert await silent(old)
    assert line.heard == [b"hello"]
    assert line.proxy.swallowed == 14
    assert line.proxy.connections == 0
    new = await line.call()  # others are served
    line.proxy.reset_half_open()
    assert await gone(old)
    assert await line.echo(new, b"still") == b"still"
    old[1].close()
    new[1].close()


async def test_a_deaf_one_lets_the_senders_buffers_fill(line: Line):
    streams = await line.call()
    line.proxy.half_open(deaf=True)
    streams[1].write(bytes(40_000_000))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(streams[1].drain(), 0.5)
    streams[1].transport.abort()


async def test_it_slows_down(line: Line):
    streams = await line.call()
    line.proxy.slow_down(0.05, 20_000.0)
    started_s = time.monotonic()
    assert await line.echo(streams, bytes(4000)) == bytes(4000)
    assert time.monotonic() - started_s > 0.2
    assert line.proxy.slowed == 8000
    line.proxy.slow_down(0.0, 0.0)
    assert await line.echo(streams, bytes(400_000)) == bytes(400_000)
    streams[1].close()


async def test_nobody_at_the_other_end(line: Line):
    nowhere = Proxy(dial_tcp("127.0.0.1", 1))
    port = await nowhere.start()
    streams = await asyncio.open_connection("127.0.0.1", port)
    assert await gone(streams)
    streams[1].close()
    await nowhere.close()
