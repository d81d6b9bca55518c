"""Drives a connection's socket from the event loop, as far as the window has room.

Back-pressure is the window of messages that are not settled. The broker is told it (Receive
Maximum), and it is kept here as well, by not reading on: mosquitto 2.0.11 was seen to send a whole
window more for every single acknowledgement. The window has a bound in bytes too, of which the
broker knows nothing: ten thousand of the largest messages would not fit into memory.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from collector.front import Front
from collector.packets import Publish
from collector.proving import Outgoing
from wattwitness.wire.topics import ACK_FILTER

AT_ONCE: Final = 256  # messages per turn of the event loop,
AT_ONCE_BYTES: Final = 96 * 1024  # and bytes of payload: the database is fed by the same loop
WINDOW_BYTES: Final = 16 * 1024 * 1024  # of payload that is not settled


class PacketClient(Protocol):
    """What is driven; 0 is success."""

    def loop_read(self) -> int:
        """Read packets that are there."""
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

    def __init__(
        self,
        client: PacketClient,
        window: int,
        deliver: Callable[[Sequence[Publish]], None],
        broke: Callable[[str], None],
    ) -> None:
        self._client = client
        self._window = window
        self._deliver = deliver
        self._broke = broke
        self._loop = asyncio.get_running_loop()
        self._sock: Front | None = None
        self._reading = self._writing = self._soon = False
        self._unsettled: dict[int, int] = {}  # message id → bytes
        self._unsettled_bytes = 0
        self._sign_of_life_s = -math.inf
        self.outgoing = Outgoing()

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._sock is not None

    @property
    def is_full(self) -> bool:
        """Whether nothing is read until something is settled; not even an answer to a ping."""
        return len(self._unsettled) >= self._window or self._unsettled_bytes >= WINDOW_BYTES

    @property
    def is_flushed(self) -> bool:
        """Whether everything that was queued is on its way."""
        return self._sock is None or not self._sock.wants_to_write

    def attach(self, sock: Front) -> None:
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
        if self._sock is not None and not self._soon:  # before that, `attach` writes
            self._soon = True
            self._loop.call_soon(self._write)

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Publish with QoS 1; of what waits on one topic, the last word is enough."""
        self.outgoing.put(topic, payload)
        self.wants_to_write()

    def acknowledge(self, messages: Sequence[int]) -> None:
        """PUBACK messages: the window has room for others in their place."""
        if self._sock is not None and messages:
            self._sock.acknowledge(messages)
            self.wants_to_write()
        self.settled(messages)

    def received(self, message: int, size: int) -> None:
        """A message to settle was read: it fills the window, with `size` bytes."""
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
        self._loop.call_soon(self._read)  # what is read already, no socket will tell

    def _read(self) -> None:
        """Take a bounded number of messages; the loop calls again while there are more."""
        sock = self._sock
        if sock is None or not self._reading:
            return
        came = not sock.publishes and sock.pull()
        self._take(sock)
        if sock.acknowledged:
            self.outgoing.acknowledged(sock.acknowledged)
            sock.acknowledged = []
            self.wants_to_write()
        if sock.has_for_client and not self._let_client_read():
            return
        if self._sock is not None and self.is_full:
            self._reading = False
            self._loop.remove_reader(sock)
        elif self._sock is not None and (sock.publishes or (came and sock.pending())):
            self._loop.call_soon(self._read)

    def _take(self, sock: Front) -> None:
        """Hand over what was read, as far as the window has room."""
        taken: list[Publish] = []
        room = AT_ONCE_BYTES
        while sock.publishes and len(taken) < AT_ONCE and room > 0 and not self.is_full:
            publish = sock.publishes.popleft()
            room -= len(publish[3])
            if publish[1]:
                self.received(publish[1], len(publish[3]))
            taken.append(publish)
        if taken:
            self._deliver(taken)

    def _let_client_read(self) -> bool:
        """The client handles the packets that are its own; whether the connection still stands."""
        while self._sock is not None and self._sock.has_for_client:
            if self._client.loop_read() != 0:
                self._broke("the connection broke")
                return False
        return self._sock is not None

    def _write(self) -> None:
        self._soon = False
        sock = self._sock
        if sock is None:
            return
        sock.queue(self.outgoing.packets())
        if self._client.loop_write() != 0:
            self._broke("the connection broke")
            return
        sock.flush()
        if self._sock is None or sock.wants_to_write == self._writing:
            return
        self._writing = not self._writing
        if self._writing:
            self._loop.add_writer(sock, self._write)
        else:
            self._loop.remove_writer(sock)
