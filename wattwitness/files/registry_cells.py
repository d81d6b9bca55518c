"""Cells of the registry files: text → value, or an error that says how to write it."""

import re
from collections.abc import Callable
from datetime import time
from enum import StrEnum
from typing import Final

from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import parse_instant
from wattwitness.wire.topics import is_wire_name

Parser = Callable[[str], object]

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_HOURS: Final = ("", "x", "x", "x", "x")  # no such time, like 25:00
_HOURS: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", re.ASCII)

instant: Final = parse_instant
"""RFC 3339 with offset."""


def identifier(text: str) -> str:
    """An id: printable text of at most 128 characters without `;`, which separates ids."""
    if not is_wire_name(text) or ";" in text:
        raise InputRefusedError(
            f"{text[:40]!r} cannot be an id", "use at most 128 printable characters without ;"
        )
    return text


def gateway_id(text: str) -> str:
    """The id of a gateway; it is a level of an MQTT topic."""
    if any(mark in text for mark in "/+#"):
        raise InputRefusedError(
            f"{text[:40]!r} cannot be a gateway id", "MQTT topics cannot carry /, + and #"
        )
    return identifier(text)


def words(text: str) -> str:
    """Text for people."""
    if not text.isprintable():
        raise InputRefusedError(f"{text[:40]!r} holds control characters", "write it on one line")
    return text


def many(text: str) -> tuple[str, ...]:
    """Ids or names separated by `;`, in the file's order, each once."""
    return tuple(
        dict.fromkeys(identifier(part.strip()) for part in text.split(";") if part.strip())
    )


def one_of(kinds: type[StrEnum]) -> Parser:
    """One of the words of an enumeration, spelled exactly."""

    def parse(text: str) -> StrEnum:
        try:
            return kinds(text)
        except ValueError:
            allowed = ", ".join(kind.value for kind in kinds)
            raise InputRefusedError(f"{text!r} is not one of {allowed}") from None

    return parse


def number(
    low: float = float("-inf"), high: float = float("inf"), *, above: bool = False
) -> Parser:
    """A number in low … high; `above` leaves `low` itself out."""

    def parse(text: str) -> float:
        if not _NUMBER.fullmatch(text):
            raise InputRefusedError(f"{text!r} is not a number", "write it as 12.68")
        return _within(float(text), low, high, above=above)

    return parse


def _within(value: float, low: float, high: float, *, above: bool) -> float:
    if not low <= value <= high or (above and value == low):
        bound = f"above {low:g}" if above else f"from {low:g}"
        raise InputRefusedError(f"{value:g} is out of bounds", f"it has to be {bound} to {high:g}")
    return value


def whole(low: int, high: int) -> Parser:
    """A whole number in low … high."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise InputRefusedError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def flag(text: str) -> bool:
    """0 or 1."""
    if text not in {"0", "1"}:
        raise InputRefusedError(f"{text!r} is neither 0 nor 1")
    return text == "1"


def required_units(text: str) -> str:
    """How many treatment units a pairing needs: `all`, `any`, `lines` or a whole number from 1."""
    if text in {"all", "any", "lines"}:
        return text
    if re.fullmatch(r"[1-9]\d{0,3}", text, re.ASCII):
        return text
    raise InputRefusedError(f"{text!r} is not one of all, any, lines or a whole number from 1")


def clock_hours(text: str) -> tuple[time, time]:
    """`HH:MM-HH:MM`; the second may be the smaller one (over midnight); 24:00 ends a day."""
    match = _HOURS.fullmatch(text) or _NO_HOURS
    try:
        start, end = time(int(match[1]), int(match[2])), _end(int(match[3]), int(match[4]))
    except ValueError:
        raise InputRefusedError(f"{text!r} is not a span of hours", "write 22:00-06:00") from None
    if start == end:
        raise InputRefusedError(f"{text!r} begins and ends at once", "write 22:00-06:00")
    return start, end


def _end(hour: int, minute: int) -> time:
    return time(0, 0) if (hour, minute) == (24, 0) else time(hour, minute)
