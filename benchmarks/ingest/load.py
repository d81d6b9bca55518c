"""What is published: a city of gateways, and the messages each of them has to say, made fast.

Message k is the n-th of gateway k mod gateways (n from 0, number n + 1 of its epoch). A gateway
with twenty circuits that sends twenty readings a message sends one message a minute of data; with
one reading a message it sends twenty.
"""

import struct
from dataclasses import dataclass
from functools import cached_property

from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role

START_MS = 1_767_225_600_000  # 2026-01-01
MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS
_TAILS = 64  # different sets of the values that nobody sums up


@dataclass(frozen=True)
class City:
    """So many gateways, so many circuits each; two gateways belong to one enterprise."""

    gateways: int
    circuits: int
    name: str = "I"

    def gateway(self, g: int) -> str:
        """Its id."""
        return f"{self.name}G{g:05d}"

    def registry(self) -> Registry:
        """All of it."""
        names = [self.gateway(g) for g in range(self.gateways)]
        owners = [f"{self.name}E{g // 2:05d}" for g in range(self.gateways)]
        circuits = [
            Circuit(
                circuit_id=f"{name}-C{c}",
                gateway_id=name,
                channel=f"C{c:02d}",
                role=Role.PRODUCTION,
                rated_kw=500.0,
            )
            for name in names
            for c in range(self.circuits)
        ]
        return Registry(
            enterprises={e: Enterprise(enterprise_id=e, name=e) for e in owners},
            gateways={
                name: Gateway(gateway_id=name, enterprise_id=owner)
                for name, owner in zip(names, owners, strict=True)
            },
            circuits={c.circuit_id: c for c in circuits},
        )


@dataclass(frozen=True)
class Load:
    """Messages 0 … `messages` - 1, beginning with day `day` of the data, in an epoch of its own."""

    city: City
    messages: int
    readings: int = 20  # of one message; divides the city's circuits
    day: int = 0
    epoch: str = "b"
    shift: int = 0  # minutes that are left out at the beginning
    extra: bool = False  # a field in each reading that the contract does not know

    @property
    def minutes(self) -> int:
        """How many minutes of data it covers."""
        return self._minute(self.messages - 1) - self.shift + 1

    @property
    def rows(self) -> int:
        """Readings in all."""
        return self.messages * self.readings

    def last_seq(self, g: int) -> int:
        """The number of the last message of gateway g; 0 = it sends none."""
        return (self.messages - g + self.city.gateways - 1) // self.city.gateways

    def last_day(self) -> int:
        """The day of the last reading."""
        return self.day + self._minute(self.messages - 1) // 1440

    def payload(self, k: int) -> bytes:
        """Message k as JSON."""
        seq = k // self.city.gateways + 1
        k += self.shift * self.city.gateways * self._parts
        n, g = divmod(k, self.city.gateways)
        minute = n // self._parts
        first = n % self._parts * self.readings
        ts_ms = START_MS + self.day * DAY_MS + minute * MINUTE_MS
        energy = 100_000 + minute
        values: list[object] = [ts_ms + 123, self.epoch.encode(), seq]
        for c in range(first, first + self.readings):
            power = (k * 7 + c * 13) % 5000
            tail = self._tails[(g + n + c) % _TAILS]
            values += (c, ts_ms, power // 10, power % 10, energy, (g + c) % 100, tail)
        return self._template % tuple(values)

    def packet(self, k: int, mid: int) -> bytes:
        """Message k as an MQTT 3.1.1 PUBLISH with QoS 1."""
        topic = b"wattwitness/v1/%b/readings" % self.city.gateway(k % self.city.gateways).encode()
        payload = self.payload(k)
        length = 2 + len(topic) + 2 + len(payload)
        head = bytearray(b"\x32")
        while length > 127:
            head.append(length & 127 | 128)
            length >>= 7
        head.append(length)
        return b"%b%b%b%b%b" % (
            bytes(head), struct.pack(">H", len(topic)), topic, struct.pack(">H", mid), payload,
        )  # fmt: skip

    @property
    def _parts(self) -> int:
        return self.city.circuits // self.readings

    def _minute(self, k: int) -> int:
        return k // self.city.gateways // self._parts + self.shift

    @cached_property
    def _template(self) -> bytes:
        extra = b',"room":"north"' if self.extra else b""
        reading = b'{"ch":"C%%02d","ts":%%d,"p":%%d.%%d,"e":%%d.%%02d,%%b%b}' % extra
        head = b'{"v":1,"sent":%d,"epoch":"%b","seq":%d,"readings":['
        return head + b",".join([reading] * self.readings) + b"]}"

    @cached_property
    def _tails(self) -> list[bytes]:
        return [
            b'"q":%d.%d,"u":[229.%d,230.%d,228.%d],"i":[%d.4,%d.9,%d.2],"pf":0.%d'
            % (k, k % 10, k % 10, k % 7, k % 9, 100 + k, 101 + k, 99 + k, 80 + k % 20)
            for k in range(_TAILS)
        ]
