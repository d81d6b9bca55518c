"""Drives a packet client's socket from the event loop, as far as the window has room.

Back-pressure is the window of messages that are not settled. The broker is told it (Receive
Maximum), and it is kept here as well, by not reading on: mosquitto 2.0.11 was seen to send a whole
window more for every single acknowledgement. The window has a bound in bytes too, of which the
broker knows nothing: ten thousand of the largest messages would not fit into memory.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from wattwitness.wire.topics import ACK_FILTER

AT_ONCE: Final = 512  # packets per turn of the event loop
WINDOW_BYTES: Final = 128 * 1024 * 1024  # of payload that is not settled


class PacketClient(Protocol):
    """What is driven; 0 is success."""

    def loop_read(self) -> int:
        """Read one packet, or part of it, or nothing."""
        ...

    def loop_write(self) -> int:
        """Write what is queued."""
        ...

    def loop_misc(self) -> int:
        """Ping the broker when it is due; an answer that is missing ends the connection."""
        ...

    def unsubscribe(self, topic: str) -> object:
        """Queue an UNSUBSCRIBE."""
        ...


class Pump:
    """Reads while the window has room, writes while something is queued."""

    def __init__(self, client: PacketClient, window: int, broke: Callable[[str], None]) -> None:
        self._client = client
        self._window = window
        self._broke = broke
        self._loop = asyncio.get_running_loop()
        self._sock: Any = None  # a plain or a TLS socket
        self._reading = False
        self._received = 0
        self._unsettled: dict[int, int] = {}  # message id → bytes
        self._unsettled_bytes = 0
        self._sign_of_life_s = -math.inf

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._sock is not None

    @property
    def is_full(self) -> bool:
        """Whether nothing is read until something is settled; not even an answer to a ping."""
        return len(self._unsettled) >= self._window or self._unsettled_bytes >= WINDOW_BYTES

    def attach(self, sock: Any) -> None:
        """Start with a connected socket."""
        self._sock = sock
        self._read_on()
        self._write()

    def detach(self) -> None:
        """The socket is about to be closed."""
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            self._sock = None

    def wants_to_write(self) -> None:
        """Something is queued; it leaves with the next turn of the loop."""
        if self._sock is not None:  # before that, `attach` writes
            self._loop.add_writer(self._sock, self._write)

    def wrote(self) -> None:
        """Nothing is queued any more."""
        if self._sock is not None:
            self._loop.remove_writer(self._sock)

    def received(self, message: int, size: int, *, to_settle: bool) -> None:
        """A message was read; those to settle fill the window, with `size` bytes."""
        self._received += 1
        if to_settle:
            self._unsettled_bytes += size - self._unsettled.get(message, 0)
            self._unsettled[message] = size

    def settled(self, messages: Iterable[int]) -> None:
        """The window has room for others in their place."""
        for message in messages:
            self._unsettled_bytes -= self._unsettled.pop(message, 0)
        self._read_on()

    def keep_alive(self, keepalive_s: float) -> None:
        """To be called several times per `keepalive_s`.

        While the window is full (a database is away), no answer can be read, so none is missed. The
        broker must hear from us all the same: unsubscribing from what we never subscribed to is
        harmless, and the only such thing that the packet client offers.
        """
        if not self.is_full:
            if self._client.loop_misc() != 0:
                self._broke("keep-alive was not answered")
        elif (now_s := time.monotonic()) - self._sign_of_life_s >= keepalive_s / 2:
            self._sign_of_life_s = now_s
            self._client.unsubscribe(ACK_FILTER)

    def _read_on(self) -> None:
        if self._sock is None or self._reading or self.is_full:
            return
        self._reading = True
        self._loop.add_reader(self._sock, self._read)
        self._loop.call_soon(self._read)  # what TLS has decrypted already, no socket will tell

    def _read(self) -> None:
        """Read a bounded number of packets; the loop calls again while there are more."""
        for _ in range(AT_ONCE):
            if self._sock is None:
                return
            if self.is_full:
                self._reading = False
                self._loop.remove_reader(self._sock)
                return
            before = self._received
            if self._client.loop_read() != 0:
                self._broke("the connection broke")
                return
            if self._received == before:
                break
        if self._sock is not None and getattr(self._sock, "pending", int)():
            self._loop.call_soon(self._read)

    def _write(self) -> None:
        if self._client.loop_write() != 0:
            self._broke("the connection broke")
