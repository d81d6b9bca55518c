"""Refused input is a value: a code, a sentence, and what was refused, whole."""

from codecs import getincrementaldecoder
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class RejectCode(StrEnum):
    """Why a message or reading was refused: for good, or until the registry knows whose it is."""

    MALFORMED = "malformed"  # not JSON, not UTF-8, not the agreed shape
    WRONG_TYPE = "wrong_type"  # a field has a type or value it cannot have
    NO_VALUE = "no_value"  # neither power nor energy
    NO_OFFSET = "no_offset"  # a timestamp without offset
    TS_FUTURE = "ts_future"  # beyond what a drifting clock explains
    TS_PAST = "ts_past"  # before the first day this installation keeps
    IMPOSSIBLE = "impossible"  # outside the circuit's physical bounds, NaN, infinite
    BAD_TOPIC = "bad_topic"  # a topic that names no gateway
    TOO_LARGE = "too_large"  # a payload beyond the limit
    REFUSED_BY_STORE = "refused_by_store"  # passed every check, and the database would not have it
    UNKNOWN_GATEWAY = "unknown_gateway"  # waits until the registry names its gateway
    UNKNOWN_CHANNEL = "unknown_channel"  # waits until the registry names its channel


WAITING: Final = frozenset({RejectCode.UNKNOWN_GATEWAY, RejectCode.UNKNOWN_CHANNEL})
"""Codes of what is taken in by itself once the registry knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One refused message (`index` None) or one refused reading of a message."""

    gateway_id: str | None
    code: RejectCode
    text: str
    payload: bytes
    received_us: int
    index: int | None = None
    readings: int = 1  # how many it counts for; what cannot be read counts for one


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

    @property
    def code(self) -> RejectCode:
        """Why it waits; as long as it does, it counts as rejected with this code."""
        return RejectCode.UNKNOWN_GATEWAY if self.channel is None else RejectCode.UNKNOWN_CHANNEL


def readable(payload: bytes, *, whole: bool = True) -> str | None:
    """A payload as text that can be shown; None where it is none (not UTF-8, control characters).

    Args:
        payload: the bytes.
        whole: False = only the beginning of a longer one, perhaps cut within a character.
    """
    try:
        text = getincrementaldecoder("utf-8")().decode(payload, final=whole)
    except UnicodeDecodeError:
        return None
    shown = all(c.isprintable() or c in "\t\n\r" for c in text)
    return text if shown else None
