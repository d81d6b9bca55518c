"""A field of gateways behind two plain sockets: one publishes, one hears the proofs of delivery.

MQTT 3.1.1 by hand, as little of it as this needs: a client library would cost more than what is to
be measured.
"""

import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from benchmarks.ingest.load import Load

_CHUNK = 1 << 18
_SEQ = re.compile(rb'"seq":(-?\d+)')  # the one who listens shall cost little
_IN_FLIGHT = 15_000  # below what the broker lets be in flight


def connect(url: str, client_id: str) -> socket.socket:
    """A clean session with the broker."""
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30.0)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name
    sock.sendall(b"\x10%c%b" % (len(body), body))
    answer = sock.recv(4)
    if len(answer) != 4 or answer[3] != 0:
        raise ConnectionError(f"the broker says {answer!r}")
    return sock


class Publisher:
    """Streams messages with QoS 1; only so many are unacknowledged at a time."""

    def __init__(self, url: str, load: Load, client_id: str = "ingest-field") -> None:
        self._sock = connect(url, client_id)
        self._load = load
        self.sent = 0
        self.acknowledged = 0
        self._odd = b""  # a PUBACK that has come in part

    def publish(self, upto: int) -> None:
        """Publish the messages before `upto`, as fast as the broker takes them."""
        while self.sent < upto:
            until = min(upto, self.sent + 200)
            packets = (self._load.packet(k, k % 65_535 + 1) for k in range(self.sent, until))
            self._sock.sendall(b"".join(packets))
            self.sent = until
            while self.sent - self.acknowledged > _IN_FLIGHT:
                self._read()

    def settle(self) -> None:
        """Wait until the broker has acknowledged everything."""
        while self.acknowledged < self.sent:
            self._read()

    def settle_some(self) -> None:
        """Take the acknowledgements that are there."""
        self._sock.setblocking(False)
        try:
            while True:
                self._read()
        except BlockingIOError:
            pass
        finally:
            self._sock.settimeout(30.0)

    def close(self) -> None:
        """Leave."""
        self._sock.close()

    def _read(self) -> None:
        data = self._sock.recv(_CHUNK)
        if not data:
            raise ConnectionError("the broker hung up")
        data = self._odd + data
        self.acknowledged += len(data) // 4  # nothing but PUBACKs comes here
        self._odd = data[len(data) // 4 * 4 :]


class Ear:
    """Hears the proofs of delivery, with QoS 0: gateway → newest number of an epoch."""

    def __init__(self, url: str, epoch: str, client_id: str = "ingest-ear") -> None:
        self._sock = connect(url, client_id)
        topic = b"wattwitness/v1/+/ack"
        body = b"\x00\x01" + struct.pack(">H", len(topic)) + topic + b"\x00"
        self._sock.sendall(b"\x82%c%b" % (len(body), body))
        self._epoch = b'"epoch":"%b"' % epoch.encode()
        self._rest = b""
        self.proven: dict[str, int] = {}
        self.proofs = self.messages = 0
        self.on_proof: Callable[[str, int, int], None] = lambda *_: None

    def listen(self, timeout_s: float) -> bool:
        """Take what comes within the time; whether anything came."""
        self._sock.settimeout(max(0.0005, timeout_s))
        try:
            data = self._sock.recv(_CHUNK)
        except TimeoutError:
            return False
        if not data:
            raise ConnectionError("the broker hung up")
        for topic, payload in self._packets(self._rest + data):
            if self._epoch in payload and (found := _SEQ.search(payload)) is not None:
                gateway, seq = topic.split(b"/")[2].decode(), int(found[1])
                self.proofs += 1
                before = self.proven.get(gateway, 0)
                if seq > before:
                    self.proven[gateway] = seq
                    self.messages += seq - before
                    self.on_proof(gateway, before, seq)
        return True

    def expect(self, load: Load, timeout_s: float, idle: Callable[[], None]) -> float:
        """Wait until every message is proven; returns the moment of the last proof.

        Raises:
            TimeoutError: nothing new was proven for so long.
        """
        wanted = {load.city.gateway(g): load.last_seq(g) for g in range(load.city.gateways)}
        total = load.messages
        moved_s, known = time.perf_counter(), -1
        while (now_known := self.messages) < total:
            if now_known > known:
                moved_s, known = time.perf_counter(), now_known
            elif time.perf_counter() - moved_s > timeout_s:
                missing = {g: n for g, n in wanted.items() if self.proven.get(g, 0) < n}
                raise TimeoutError(
                    f"{total - now_known} messages unproven, {len(missing)} gateways"
                )
            self.listen(0.05)
            idle()
        return time.perf_counter()

    def close(self) -> None:
        """Leave."""
        self._sock.close()

    def _packets(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        at, size = 0, len(data)
        while at + 2 <= size:
            length, shift, start = 0, 0, at + 1
            while start < size:
                length |= (data[start] & 127) << shift
                shift += 7
                start += 1
                if data[start - 1] < 128:
                    break
            else:
                break
            if start + length > size:
                break
            if data[at] >> 4 == 3:
                n = data[start] << 8 | data[start + 1]
                yield data[start + 2 : start + 2 + n], data[start + 2 + n : start + length]
            at = start + length
        self._rest = data[at:]
