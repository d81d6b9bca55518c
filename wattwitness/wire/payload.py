"""The JSON that gateways publish: bytes to readings, or to values that say what is wrong.

One typed decode serves the messages that follow the contract to the letter. Whatever it will not
take is opened by hand, reading by reading, so that a bad one does not take the good ones with it.
Nothing a gateway sends raises an exception here.

`oldest` is an optional addition to the contract: the lowest number of this epoch that the gateway
still keeps. It lets the collector tell a number that is still to come from one that never will.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.instants import wire_instant_us
from wattwitness.wire.marks import Mark, mark_of, salvage_mark
from wattwitness.wire.opening import open_payload
from wattwitness.wire.refusals import Refusal, plain_text
from wattwitness.wire.shapes import (
    Ack,
    BadReading,
    Message,
    Phases,
    RefusedMessage,
    Status,
    WireReading,
)
from wattwitness.wire.topics import is_wire_name

__all__ = [
    "Ack",
    "BadReading",
    "Mark",
    "Message",
    "Phases",
    "RefusedMessage",
    "Status",
    "WireReading",
    "compose_message",
    "decode_ack",
    "decode_message",
    "decode_status",
    "encode_ack",
    "encode_message",
    "encode_status",
    "reading_bytes",
]

VERSION: Final = 1
DEFAULT_MAX_BYTES: Final = 262_144


class OpenReading(WireReading, frozen=True, gc=False, forbid_unknown_fields=False):
    """The same, beside fields that the contract does not know."""


class Envelope(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A whole message, to the letter."""

    readings: list[WireReading]
    v: int = VERSION
    epoch: str | None = None
    seq: int | None = None
    sent: int | float | str | None = None
    oldest: int | None = None


class _Outgoing(msgspec.Struct, omit_defaults=True):
    """What `encode_message` writes; `v` and `readings` have no default and are always written."""

    v: int
    readings: Sequence[WireReading]
    epoch: str | None = None
    seq: int | None = None
    sent: int | None = None
    oldest: int | None = None


_Told = TypeVar("_Told", Ack, Status)
_FAST: Final = msgspec.json.Decoder(Envelope)
_READING: Final = msgspec.json.Decoder(WireReading)
_OPEN_READING: Final = msgspec.json.Decoder(OpenReading)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
READING_FIELDS: Final = frozenset(WireReading.__struct_fields__)
ENVELOPE_FIELDS: Final = frozenset(Envelope.__struct_fields__)
UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def encode_message(
    readings: Sequence[WireReading],
    *,
    epoch: str | None = None,
    seq: int | None = None,
    sent_ms: int | None = None,
    oldest: int | None = None,
) -> bytes:
    """A message as a gateway publishes it; NaN is written as null (not measured)."""
    return msgspec.json.encode(_Outgoing(VERSION, readings, epoch, seq, sent_ms, oldest))


def compose_message(items: Sequence[bytes]) -> bytes:
    """A message around readings that are JSON already, without epoch and number."""
    return b'{"v":%d,"readings":[%b]}' % (VERSION, b",".join(items))


def decode_message(payload: bytes, max_bytes: int = DEFAULT_MAX_BYTES) -> Message | RefusedMessage:
    """A payload as readings, good and bad; or the reason why none of it can be used.

    Every reading of the payload is either in `readings` or in `bad`.
    """
    if len(payload) > max_bytes:
        refusal = Refusal(RejectCode.TOO_LARGE, f"{len(payload)} bytes, at most {max_bytes}")
        return RefusedMessage(refusal, salvage_mark(payload))
    return _decode_to_the_letter(payload) or _decode_by_hand(payload)


def reading_bytes(payload: bytes) -> Sequence[bytes]:
    """Each reading of a payload that `decode_message` took, as the JSON that was sent."""
    opened = open_payload(payload)
    return () if isinstance(opened, Refusal) else opened.items


def encode_ack(ack: Ack) -> bytes:
    """Proof of delivery, as the collector publishes it."""
    return msgspec.json.encode(ack)


def decode_ack(payload: bytes) -> Ack | Refusal:
    """Proof of delivery, as a gateway receives it; unknown fields are left out."""
    return _decode_or_refuse(payload, Ack)


def encode_status(status: Status) -> bytes:
    """A status, as a gateway retains it and leaves it as its last will."""
    return msgspec.json.encode(status)


def decode_status(payload: bytes) -> Status | Refusal:
    """A status, as the collector receives it; unknown fields are left out."""
    return _decode_or_refuse(payload, Status)


def _decode_or_refuse(payload: bytes, kind: type[_Told]) -> _Told | Refusal:
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        return Refusal(RejectCode.WRONG_TYPE, plain_text(str(error)))
    except UNDECODABLE as error:
        return Refusal(RejectCode.MALFORMED, plain_text(str(error)))


def _decode_to_the_letter(payload: bytes) -> Message | None:
    """The message, when all of it follows the contract; None when anything does not."""
    try:
        envelope = _FAST.decode(payload)
    except UNDECODABLE:
        return None
    ts_us = []
    for reading in envelope.readings:
        at_us = _check(reading)
        if isinstance(at_us, Refusal):
            return None
        ts_us.append(at_us)
    if envelope.v != VERSION:
        return None
    return Message(
        readings=envelope.readings,
        ts_us=ts_us,
        index=range(len(ts_us)),
        mark=mark_of(envelope.epoch, envelope.seq, envelope.oldest),
        sent_us=_instant_or_none(envelope.sent),
    )


def _decode_by_hand(payload: bytes) -> Message | RefusedMessage:
    """The message reading by reading, or why its envelope cannot be used."""
    opened = open_payload(payload)
    if isinstance(opened, Refusal):
        return RefusedMessage(opened, salvage_mark(payload))
    good: list[tuple[int, int, WireReading]] = []
    bad: list[BadReading] = []
    unknown = len(opened.fields.keys() - ENVELOPE_FIELDS)
    for place, item in enumerate(opened.items):
        reading, extra = _decode_reading(item)
        at_us = reading if isinstance(reading, Refusal) else _check(reading)
        if isinstance(reading, WireReading) and isinstance(at_us, int):
            good.append((place, at_us, reading))
            unknown += extra
        elif isinstance(at_us, Refusal):
            bad.append(BadReading(place, at_us, item))
    return Message(
        readings=[reading for _, _, reading in good],
        ts_us=[at_us for _, at_us, _ in good],
        index=[place for place, _, _ in good],
        mark=mark_of(*(opened.fields.get(name) for name in ("epoch", "seq", "oldest"))),
        sent_us=_instant_or_none(opened.fields.get("sent")),
        bad=bad,
        unknown_fields=unknown,
    )


def _decode_reading(item: bytes) -> tuple[WireReading | Refusal, int]:
    """One reading, and how many of its fields the contract does not know."""
    try:
        return _READING.decode(item), 0
    except UNDECODABLE:
        pass
    try:
        reading = _OPEN_READING.decode(item)
        return reading, len(_FIELDS.decode(item).keys() - READING_FIELDS)
    except msgspec.ValidationError as error:
        text = plain_text(str(error))
        impossible = text.startswith("Number out of range")
        return Refusal(RejectCode.IMPOSSIBLE if impossible else RejectCode.WRONG_TYPE, text), 0
    except UNDECODABLE as error:
        if b"NaN" in item or b"Infinity" in item:
            return Refusal(RejectCode.IMPOSSIBLE, "NaN and Infinity are no measured values"), 0
        return Refusal(RejectCode.MALFORMED, plain_text(str(error))), 0


def _check(reading: WireReading) -> int | Refusal:
    """The reading's instant [µs], or what its type alone does not tell."""
    if reading.p is None and reading.e is None:
        return Refusal(RejectCode.NO_VALUE, "neither p nor e")
    if not is_wire_name(reading.ch):
        return Refusal(RejectCode.WRONG_TYPE, "ch is empty, too long or not printable")
    return wire_instant_us(reading.ts)


def _instant_or_none(value: object) -> int | None:
    """`sent` tells about clocks only: what cannot be read is as good as not said."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    at_us = wire_instant_us(value)
    return None if isinstance(at_us, Refusal) else at_us
