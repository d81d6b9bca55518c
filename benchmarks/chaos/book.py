"""The book: what each gateway measured, under which numbers it sent it, and what it was told."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

Row = tuple[str, int, float]  # circuit id, instant [ms], power [kW]
STEP_MS: Final = 1000  # between two messages of a gateway
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Message:
    """What one message carries: all channels at one or two instants.

    Its power values say which message it is: no two of a circuit are alike.
    """

    gateway_id: str
    n: int  # from 0; the gateway's own count, over all epochs
    ts_ms: tuple[int, ...]
    channels: int
    made_s: float  # monotonic

    def readings(self) -> Iterator[tuple[int, int, float]]:
        """Channel, instant [ms], power [kW]."""
        for k, ts_ms in enumerate(self.ts_ms):
            for channel in range(self.channels):
                yield channel, ts_ms, round(self.n + 0.5 * k + channel / 100.0, 3)

    def rows(self) -> list[Row]:
        """What the database shall hold of it."""
        return [(f"{self.gateway_id}-C{c}", ts_ms, p_kw) for c, ts_ms, p_kw in self.readings()]

    def payload(
        self, epoch: str, seq: int, *, oldest: int | None, sent_ms: int, resent: bool
    ) -> bytes:
        """As JSON, written by hand: it shares nothing with the product."""
        readings = []
        for channel, ts_ms, p_kw in self.readings():
            reading: dict[str, object] = {
                "ch": f"C{channel}",
                "ts": ts_ms,
                "p": p_kw,
                "e": 100.0 + self.n,
            }
            if resent:
                reading["rs"] = True
            readings.append(reading)
        message = {"v": 1, "epoch": epoch, "seq": seq, "sent": sent_ms, "readings": readings}
        if oldest is not None:
            message["oldest"] = oldest
        return json.dumps(message).encode()


@dataclass(slots=True)
class Book:
    """One gateway's book."""

    gateway_id: str
    messages: list[Message] = field(default_factory=list)
    numbers: dict[str, dict[int, int]] = field(default_factory=dict)  # epoch → number → n
    taken: set[int] = field(default_factory=set)  # n that the broker acknowledged
    told: dict[int, float] = field(default_factory=dict)  # n → when it was first said to be stored
    _told_to: dict[str, int] = field(default_factory=dict)  # epoch → newest number told

    def number(self, epoch: str, seq: int, n: int) -> None:
        """Message n is sent as number `seq` of `epoch`."""
        self.numbers.setdefault(epoch, {})[seq] = n

    def tell(self, epoch: str, seq: int) -> list[int]:
        """The collector says that everything of `epoch` up to `seq` is stored: which n are new."""
        numbers = self.numbers.get(epoch)
        before = self._told_to.get(epoch, 0)
        if numbers is None or seq <= before:
            return []
        self._told_to[epoch] = seq
        now_s = time.monotonic()
        found = [numbers[k] for k in range(before + 1, seq + 1) if k in numbers]
        for n in found:
            self.told.setdefault(n, now_s)
        return found

    def where(self, n: int) -> str:
        """Under which numbers message n was sent."""
        return ", ".join(
            f"{epoch}/{seq}"
            for epoch, numbers in self.numbers.items()
            for seq, m in numbers.items()
            if m == n
        )
