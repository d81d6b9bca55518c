"""Instants as gateways write them: milliseconds since 1970, or RFC 3339 text with offset."""

import math
from typing import Final

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import US_PER_SECOND, parse_instant, to_us
from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.refusals import Refusal, plain_text

FIRST_US: Final = -62_135_596_800 * US_PER_SECOND  # 0001-01-01
LAST_US: Final = 253_402_300_799 * US_PER_SECOND  # 9999-12-31
_US_PER_MS: Final = 1000


def wire_instant_us(value: float | str) -> int | Refusal:
    """Microseconds since 1970.

    A number beyond the years 1 to 9999 is held at their edge, where the bounds of the installation
    refuse it as too late or too early.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, float) and math.isnan(value):
        return Refusal(RejectCode.IMPOSSIBLE, "NaN is no instant")
    held_us = min(max(value * _US_PER_MS, FIRST_US), LAST_US)
    return round(held_us)


def _from_text(text: str) -> int | Refusal:
    try:
        return to_us(parse_instant(text))
    except InputRefusedError as error:
        no_offset = "no offset" in error.message
        code = RejectCode.NO_OFFSET if no_offset else RejectCode.WRONG_TYPE
        return Refusal(code, plain_text(error.message))
    except OverflowError:  # year 1 or 9999, moved over the edge by its offset
        return FIRST_US if text.lstrip().startswith("0") else LAST_US
