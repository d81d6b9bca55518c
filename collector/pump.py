"""Drives a packet client's socket from the event loop, as far as the window has room.

Back-pressure is the window of messages that are not settled. The broker is told it (Receive
Maximum), and it is kept here as well, by not reading on: mosquitto 2.0.11 was seen to send a whole
window more for every single acknowledgement.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

AT_ONCE: Final = 512  # packets per turn of the event loop


class PacketClient(Protocol):
    """What is driven; 0 is success."""

    def loop_read(self) -> int:
        """Read one packet, or part of it, or nothing."""
        ...

    def loop_write(self) -> int:
        """Write what is queued."""
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
        self._unsettled = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._sock is not None

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

    def received(self, *, to_settle: bool) -> None:
        """A message was read; those to settle fill the window."""
        self._received += 1
        self._unsettled += to_settle

    def settled(self, messages: int) -> None:
        """The window has room for so many more."""
        self._unsettled -= messages
        self._read_on()

    def _read_on(self) -> None:
        if self._sock is None or self._reading or self._unsettled >= self._window:
            return
        self._reading = True
        self._loop.add_reader(self._sock, self._read)
        self._loop.call_soon(self._read)  # what TLS has decrypted already, no socket will tell

    def _read(self) -> None:
        """Read a bounded number of packets; the loop calls again while there are more."""
        for _ in range(AT_ONCE):
            if self._sock is None:
                return
            if self._unsettled >= self._window:
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
