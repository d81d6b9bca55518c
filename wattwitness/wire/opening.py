"""A payload opened by hand: its envelope as values, each of its readings as untouched bytes."""

import json
from dataclasses import dataclass
from typing import Final

import msgspec

from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.refusals import Refusal, plain_text

_MAP: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """The fields of the envelope without `readings`, and the readings as sent."""

    fields: dict[str, object]
    items: list[bytes]


def open_payload(payload: bytes) -> Opened | Refusal:
    """Envelope and readings of a payload, or why it has none.

    Python's own reader is the second try: gateways written in it emit NaN and Infinity, which are
    not JSON, and whoever sends one NaN shall not lose the other readings.
    """
    try:
        fields = _MAP.decode(payload)
        items = [bytes(item) for item in _LIST.decode(fields.pop("readings", b"null"))]
        return _checked(Opened({k: _value(raw) for k, raw in fields.items()}, items))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _open_leniently(payload)


def _open_leniently(payload: bytes) -> Opened | Refusal:
    try:
        whole = json.loads(payload.decode("utf-8"))
        if not isinstance(whole, dict):
            return Refusal(RejectCode.MALFORMED, "the payload is not a JSON object")
        readings = whole.pop("readings", None)
        if not isinstance(readings, list):
            return Refusal(RejectCode.MALFORMED, "`readings` is missing or not a list")
        return _checked(Opened(whole, [json.dumps(item).encode() for item in readings]))
    except UnicodeDecodeError:
        return Refusal(RejectCode.MALFORMED, "the payload is not UTF-8")
    except RecursionError:
        return Refusal(RejectCode.MALFORMED, "the payload is nested too deep")
    except ValueError as error:
        return Refusal(RejectCode.MALFORMED, plain_text(f"the payload is not JSON: {error}"))


def _checked(opened: Opened) -> Opened | Refusal:
    version = opened.fields.get("v", _VERSION)
    if isinstance(version, bool) or version != _VERSION:
        text = f"version {version!r:.20} is not spoken here, only {_VERSION}"
        return Refusal(RejectCode.WRONG_TYPE, plain_text(text))
    return opened


def _value(raw: msgspec.Raw) -> object:
    """A field of the envelope; what cannot be read is as good as a field of a wrong type."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ...
