"""Messages on the fast path: types are checked here, the rest by whoever checks many together.

A message with fields that the contract does not know is a letter all the same; its fields are
counted. What is not, falls back on `decode_message`.
"""

from functools import lru_cache
from typing import Final

import msgspec

from wattwitness.wire.marks import mark_of
from wattwitness.wire.payload import (
    DEFAULT_MAX_BYTES,
    ENVELOPE_FIELDS,
    READING_FIELDS,
    UNDECODABLE,
    VERSION,
    Envelope,
    OpenReading,
    decode_message,
)
from wattwitness.wire.shapes import Letter, Message, RefusedMessage

__all__ = ["Letter", "seal_message", "skim_message"]


class _OpenEnvelope(msgspec.Struct, frozen=True, gc=False):
    """The same, with fields that the contract does not know anywhere."""

    readings: list[OpenReading]
    v: int = VERSION
    epoch: str | None = None
    seq: int | None = None
    sent: int | float | str | None = None
    oldest: int | None = None


class _Names(msgspec.Struct, frozen=True, gc=False):
    """Only what the fields of the readings are called."""

    readings: list[dict[str, msgspec.Raw]]


class _Head(msgspec.Struct, frozen=True, gc=False):
    """Only the number; the readings are skipped."""

    v: int = VERSION
    epoch: str | None = None
    seq: int | None = None
    oldest: int | None = None


_FAST: Final = msgspec.json.Decoder(Envelope)
_OPEN: Final = msgspec.json.Decoder(_OpenEnvelope)
_NAMES: Final = msgspec.json.Decoder(_Names)
_HEAD: Final = msgspec.json.Decoder(_Head)
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def skim_message(
    payload: bytes, max_bytes: int = DEFAULT_MAX_BYTES
) -> Letter | Message | RefusedMessage:
    """A payload for whoever checks many messages together; a `Letter` is not checked yet.

    What `decode_message` says of a letter's payload is the last word about its readings.
    """
    if len(payload) <= max_bytes and (letter := _skim(payload)) is not None:
        return letter
    return decode_message(payload, max_bytes)


def _skim(payload: bytes) -> Letter | None:
    envelope: Envelope | _OpenEnvelope
    unknown = 0
    try:
        envelope = _FAST.decode(payload)
    except UNDECODABLE:
        try:
            envelope = _OPEN.decode(payload)
            unknown = len(_FIELDS.decode(payload).keys() - ENVELOPE_FIELDS)
            unknown += sum(_strange(tuple(item)) for item in _NAMES.decode(payload).readings)
        except UNDECODABLE:
            return None
    if envelope.v != VERSION:
        return None
    mark = mark_of(envelope.epoch, envelope.seq, envelope.oldest)
    return Letter(envelope.readings, mark, unknown)  # type: ignore[arg-type]  # a list is read only


def seal_message(payload: bytes, max_bytes: int = DEFAULT_MAX_BYTES) -> Letter | None:
    """A letter of which only the number is known; None when it is none, or not sound JSON."""
    if len(payload) > max_bytes:
        return None
    try:
        head = _HEAD.decode(payload)
    except UNDECODABLE:
        return None
    if head.v != VERSION:
        return None
    return Letter([], mark_of(head.epoch, head.seq, head.oldest))


@lru_cache(maxsize=1024)
def _strange(names: tuple[str, ...]) -> int:
    """How many of a reading's fields the contract does not know."""
    return len(set(names) - READING_FIELDS)
