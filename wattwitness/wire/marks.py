"""A message's place in its gateway's numbering, also of a message that is otherwise broken."""

import re
from functools import lru_cache
from typing import Final

import msgspec

from wattwitness.wire.topics import is_wire_name

MAX_SEQ: Final = 2**53 - 1  # what every JSON implementation counts exactly
MAX_EPOCH_LENGTH: Final = 64
_SEARCHED: Final = 4096  # bytes at either end of a broken payload
_EPOCH: Final = re.compile(rb'"epoch"\s*:\s*"([^"\\]{1,256})"')
_SEQ: Final = re.compile(rb'"seq"\s*:\s*(\d{1,16})\s*[,}]')


class Mark(msgspec.Struct, frozen=True, gc=False):
    """Epoch and number; `oldest` is the lowest number the gateway still keeps, if it says so."""

    epoch: str
    seq: int
    oldest: int | None = None


def mark_of(epoch: object, seq: object, oldest: object = None) -> Mark | None:
    """Epoch and number when both can be used; the readings are good without them."""
    if not isinstance(epoch, str) or len(epoch) > MAX_EPOCH_LENGTH or not _is_epoch(epoch):
        return None
    if type(seq) is int and 0 <= seq <= MAX_SEQ and oldest is None:  # the usual case
        return Mark(epoch, seq)
    number, kept = _number_or_none(seq), _number_or_none(oldest)
    if number is None:
        return None
    return Mark(epoch, number, kept if kept is not None and kept <= number else None)


@lru_cache(maxsize=4096)  # every message names one, and they are few
def _is_epoch(text: str) -> bool:
    return is_wire_name(text)


def salvage_mark(payload: bytes) -> Mark | None:
    """The mark of a payload that cannot be decoded, when it can still be made out.

    The payload goes, whole, into the reject store; its number must then count as delivered, or
    the gateway would send it again for ever.
    """
    ends = payload if len(payload) <= 2 * _SEARCHED else payload[:_SEARCHED] + payload[-_SEARCHED:]
    epochs, numbers = set(_EPOCH.findall(ends)), set(_SEQ.findall(ends))
    if len(epochs) != 1 or len(numbers) != 1:
        return None
    return mark_of(epochs.pop().decode("utf-8", "replace"), int(numbers.pop()))


def _number_or_none(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEQ:
        return None
    return value
