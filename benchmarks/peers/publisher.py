"""A raw MQTT 3.1.1 publisher: QoS 1, many in flight, no library that could be the limit."""

import asyncio
import struct
import time
from collections.abc import Iterable
from itertools import count
from typing import Self
from urllib.parse import urlsplit

_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00"  # clean session, no keep-alive, no id
_CONNACK = b"\x20\x02\x00\x00"
_PUBACK_BYTES = 4
_WINDOW = 2000  # messages that wait for their PUBACK


def encode_publish(topic: str, payload: bytes, number: int) -> bytes:
    """A PUBLISH packet, QoS 1 (MQTT 3.1.1, section 3.3)."""
    name = topic.encode()
    body = struct.pack(">H", len(name)) + name + struct.pack(">H", number) + payload
    length, rest = bytearray(), len(body)
    while True:
        rest, seven = rest >> 7, rest & 0x7F
        length.append(seven | 0x80 if rest else seven)
        if not rest:
            return b"\x32" + bytes(length) + body


class Publisher:
    """One connection that publishes and counts the broker's acknowledgements."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._sent = self._acknowledged = 0
        self._numbers = count()

    @classmethod
    async def connect(cls, mqtt_url: str) -> Self:
        """Connect to the broker.

        Raises:
            ConnectionError: it does not accept.
        """
        parts = urlsplit(mqtt_url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(_CONNECT)
        if await reader.readexactly(len(_CONNACK)) != _CONNACK:
            raise ConnectionError("the broker does not accept the publisher")
        return cls(reader, writer)

    async def publish(self, messages: Iterable[tuple[str, bytes]], rate: float = 0.0) -> None:
        """Publish (topic, payload) at `rate` messages per second (0: as fast as it goes).

        Returns when the broker has acknowledged all of them.
        """
        start_s = time.monotonic()
        for n, (topic, payload) in enumerate(messages):
            self._writer.write(encode_publish(topic, payload, next(self._numbers) % 0xFFFF + 1))
            self._sent += 1
            if rate and (ahead_s := n / rate - (time.monotonic() - start_s)) > 0.005:
                await asyncio.sleep(ahead_s)
            if self._sent - self._acknowledged >= _WINDOW:
                await self._take_acknowledgements(_WINDOW // 2)
        await self._take_acknowledgements(0)

    async def close(self) -> None:
        """Disconnect."""
        self._writer.write(b"\xe0\x00")
        self._writer.close()
        await self._writer.wait_closed()

    async def _take_acknowledgements(self, waiting: int) -> None:
        """Read PUBACKs until at most `waiting` messages have none."""
        await self._writer.drain()
        missing = self._sent - self._acknowledged - waiting
        if missing > 0:
            await self._reader.readexactly(missing * _PUBACK_BYTES)
            self._acknowledged += missing
