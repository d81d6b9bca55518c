"""Refused input is a value: a code, a sentence, and what was refused, whole."""

from dataclasses import dataclass
from enum import StrEnum


class RejectCode(StrEnum):
    """Why a message or reading was refused for good."""

    MALFORMED = "malformed"  # not JSON, not UTF-8, not the agreed shape
    WRONG_TYPE = "wrong_type"  # a field has a type or value it cannot have
    NO_VALUE = "no_value"  # neither power nor energy
    NO_OFFSET = "no_offset"  # a timestamp without offset
    TS_FUTURE = "ts_future"  # beyond what a drifting clock explains
    TS_PAST = "ts_past"  # before the first day this installation keeps
    IMPOSSIBLE = "impossible"  # outside the circuit's physical bounds, NaN, infinite
    BAD_TOPIC = "bad_topic"  # a topic that names no gateway
    TOO_LARGE = "too_large"  # a payload beyond the limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One refused message (`index` None) or one refused reading of a message."""

    gateway_id: str | None
    code: RejectCode
    text: str
    payload: bytes
    received_us: int
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A message part whose gateway or channel the registry does not know (yet).

    Kept whole as a wire payload of its own, so that it can be taken in later.
    """

    gateway_id: str
    channel: str | None  # None = the gateway itself is unknown
    payload: bytes
    received_us: int
    readings: int  # how many readings it holds
