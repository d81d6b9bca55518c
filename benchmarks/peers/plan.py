"""Which message carries what: the same for every collector, in the contract's own JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

START_MS = 1_767_225_600_000  # 2026-01-01
PROBE = "PROBE"  # gateway and circuit of the messages that ask whether a collector is at work
_MS_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Message k is number `seq` of its gateway; channels are unique over all gateways.

    So a circuit can be told from the payload alone, which is all that some collectors look at.
    """

    messages: int
    readings: int = 20  # of each message
    gateways: int = 100

    @property
    def total(self) -> int:
        """Readings of all messages."""
        return self.messages * self.readings

    def gateway(self, k: int) -> str:
        """Who sends message k."""
        return f"PG{k % self.gateways:03d}"

    def topic(self, k: int) -> str:
        """Where message k is published."""
        return f"wattwitness/v1/{self.gateway(k)}/readings"

    def payload(self, k: int) -> bytes:
        """Message k as JSON."""
        seq = k // self.gateways + 1
        readings = [
            {"ch": circuit, "ts": ts_ms, "p": 50.0 + seq % 100 + c / 10, "e": 1000.0 + seq}
            for c, (circuit, ts_ms) in enumerate(self.keys_of(k))
        ]
        return json.dumps({"v": 1, "epoch": "peers", "seq": seq, "readings": readings}).encode()

    def keys_of(self, k: int) -> list[tuple[str, int]]:
        """(circuit, instant [ms]) of each reading of message k; one minute per number."""
        gateway, ts_ms = self.gateway(k), START_MS + k // self.gateways * _MS_PER_MINUTE
        return [(f"{gateway}-{c:02d}", ts_ms) for c in range(self.readings)]

    def everything(self) -> Iterator[tuple[str, int]]:
        """(circuit, instant [ms]) of every reading."""
        for k in range(self.messages):
            yield from self.keys_of(k)

    def circuits(self) -> list[tuple[str, str]]:
        """(gateway, circuit) of all, the probe's among them."""
        gateways = range(min(self.gateways, self.messages))
        found = [
            (self.gateway(g), self.keys_of(g)[c][0])
            for g, c in product(gateways, range(self.readings))
        ]
        return [*found, (PROBE, PROBE)]


def probe(ts_ms: int) -> tuple[str, bytes]:
    """Topic and payload of one reading that asks whether a collector is at work."""
    reading = {"ch": PROBE, "ts": ts_ms, "p": 1.0, "e": 1.0}
    payload = json.dumps({"v": 1, "readings": [reading]}).encode()
    return f"wattwitness/v1/{PROBE}/readings", payload
