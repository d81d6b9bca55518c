"""The shapes of the wire: what a gateway writes, and what became of it when it was read."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from wattwitness.wire.instants import wire_instant_us
from wattwitness.wire.marks import Mark
from wattwitness.wire.refusals import Refusal

Phases = tuple[float | None, float | None, float | None]


class WireReading(
    msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True
):
    """One reading as it is spelled on the wire.

    `ts` is integer milliseconds since 1970 or RFC 3339 text with offset; `p` kW, `e` kWh,
    `q` kvar, `u` V and `i` A of the phases a, b, c, `pf` 1; `rs` = sent again later (补传).
    """

    ch: str
    ts: int | float | str
    p: float | None = None
    e: float | None = None
    q: float | None = None
    u: Phases | None = None
    i: Phases | None = None
    pf: float | None = None
    rs: bool = False


class Ack(msgspec.Struct, frozen=True):
    """Proof of delivery: every message of `epoch` up to and including `seq` is stored for good.

    `ts` is milliseconds since 1970. `seq` -1 says that nothing of the epoch is confirmed yet.
    """

    epoch: str
    seq: int
    ts: int


class Status(msgspec.Struct, frozen=True):
    """Whether a gateway is online, since `ts` (milliseconds since 1970, or text with offset)."""

    online: bool
    ts: int | float | str

    @property
    def ts_us(self) -> int | Refusal:
        """Since when [µs since 1970], or why that cannot be read."""
        return wire_instant_us(self.ts)


@dataclass(frozen=True, slots=True)
class BadReading:
    """A refused reading: its place in the message, and its bytes, whole."""

    index: int
    refusal: Refusal
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A decoded message: `readings[k]` was sent at place `index[k]`, for the instant `ts_us[k]`."""

    readings: Sequence[WireReading]
    ts_us: Sequence[int]
    index: Sequence[int]
    mark: Mark | None = None  # None: no proof of delivery is possible
    sent_us: int | None = None
    bad: Sequence[BadReading] = ()
    unknown_fields: int = 0

    @property
    def count(self) -> int:
        """How many readings it held, good and bad."""
        return len(self.readings) + len(self.bad)


class Letter(msgspec.Struct, frozen=True, gc=False):
    """A message whose types are right; what types do not tell about its readings is unchecked."""

    readings: list[WireReading]
    mark: Mark | None = None
    unknown_fields: int = 0

    @property
    def count(self) -> int:
        """How many readings it holds."""
        return len(self.readings)


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A payload of which nothing can be used, but perhaps its number."""

    refusal: Refusal
    mark: Mark | None = None
    readings: int = 1  # for how many it counts
