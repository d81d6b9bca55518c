"""A socket in front of the packet client, which takes the packets of the hot path itself.

The client (paho) sees a socket of its own on which only the other packets come: it connects,
subscribes, keeps alive and notices the end. What it writes is queued whole behind what we write, so
that packets never mix. Messages that look unusual arrive through the client as ever.
"""

import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from collector.packets import Publish, pubacks, split

_CHUNK: Final = 256 * 1024


class Front:
    """A plain or TLS socket, and what was taken off it."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._rest = b""
        self._for_client = bytearray()
        self._out = bytearray()
        self._ended: OSError | bool = False
        self.publishes: deque[Publish] = deque()
        self.acknowledged: list[int] = []

    @property
    def has_for_client(self) -> bool:
        """Whether the client has something to read, be it the end."""
        return bool(self._for_client) or bool(self._ended)

    @property
    def wants_to_write(self) -> bool:
        """Whether something is queued."""
        return bool(self._out)

    def pull(self) -> bool:
        """Read once; whether anything came. The end and errors are left to the client to find."""
        try:
            data = self._sock.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            self._ended = error
            return False
        if not data:
            self._ended = True
            return False
        found = split(self._rest + data if self._rest else data)
        self._rest = found.rest
        self.publishes.extend(found.publishes)
        self.acknowledged += found.acknowledged
        for packet in found.others:
            self._for_client += packet
        return True

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Queue a PUBACK for each."""
        self._out += pubacks(mids)

    def queue(self, packets: bytes) -> None:
        """Queue whole packets."""
        self._out += packets

    def flush(self) -> None:
        """Write what is queued, as far as the socket takes it; errors show when reading."""
        while self._out:
            try:
                written = self._sock.send(self._out)
            except OSError:  # also: it would block
                return
            del self._out[:written]

    # from here on: what the client does with its socket

    def recv(self, size: int) -> bytes:
        """Bytes of packets that are for the client."""
        if self._for_client:
            data = bytes(self._for_client[:size])
            del self._for_client[:size]
            return data
        if isinstance(self._ended, OSError):
            raise self._ended
        if self._ended:
            return b""
        raise BlockingIOError

    def send(self, data: bytes | bytearray) -> int:
        """Queue bytes of the client; always all of them."""
        self._out += data
        return len(data)

    def close(self) -> None:
        """Close; what can still be written at once is."""
        self.flush()
        self._sock.close()

    def fileno(self) -> int:
        """For the event loop."""
        return int(self._sock.fileno())

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - as a socket has it
        """As a socket has it."""
        self._sock.setblocking(flag)

    def shutdown(self, how: int) -> None:
        """As a socket has it."""
        self._sock.shutdown(how)

    def pending(self) -> int:
        """What TLS has decrypted and the socket will not tell."""
        return int(getattr(self._sock, "pending", int)())
