"""Which readings of a file are refused: by physics (`domain.bounds`) and by the calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.bounds import outside
from wattwitness.domain.instants import format_instant, from_us
from wattwitness.domain.readings import NEVER, Readings
from wattwitness.domain.rejects import RejectCode
from wattwitness.files.readings_columns import Problem

_LAST_US: Final = 253_402_300_799_999_999  # 9999-12-31; later ones cannot be written for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Device times that are taken in: from `keep_from_us` to `tolerance_us` after receipt.

    Where a file says nothing about receipt, `now_us` stands for it.
    """

    keep_from_us: int
    tolerance_us: int
    now_us: int


def beyond_bounds(
    rows: Readings, limit_kw: NDArray[np.float64], calendar: Calendar
) -> dict[int, tuple[str, Problem]]:
    """Position → (column, problem) of the rows that cannot be; the others are good.

    Args:
        rows: readings (n,).
        limit_kw: each row's power limit (n,).
        calendar: device times that are taken in.
    """
    found: dict[int, tuple[str, Problem]] = {}
    impossible = (
        (n, name, RejectCode.IMPOSSIBLE, "is beyond what this circuit can have")
        for n, name in outside(rows, limit_kw)
    )
    for n, column, code, reason in (*_early_or_late(rows, calendar), *impossible):
        value = rows[column][n]
        text = _instant_text(value) if column in {"ts", "received_at"} else f"{value:.10g}"
        found.setdefault(n, (column, Problem(code, f"{text} {reason}", text)))
    return found


_Finding = tuple[int, str, RejectCode, str]


def _early_or_late(rows: Readings, calendar: Calendar) -> Iterator[_Finding]:
    known = rows["received_at"] != NEVER
    latest = np.where(known, rows["received_at"], calendar.now_us) + calendar.tolerance_us
    past = f"is before {_instant_text(calendar.keep_from_us)}, the first instant that is kept"
    for n in np.flatnonzero(rows["ts"] < calendar.keep_from_us).tolist():
        yield n, "ts", RejectCode.TS_PAST, past
    for n in np.flatnonzero(rows["ts"] > latest).tolist():
        ahead = "its receipt" if known[n] else "now"
        yield n, "ts", RejectCode.TS_FUTURE, f"is ahead of {ahead} - check the clock and the offset"
    future = known & (rows["received_at"] > calendar.now_us + calendar.tolerance_us)
    for n in np.flatnonzero(future).tolist():
        yield n, "received_at", RejectCode.TS_FUTURE, "is ahead of now - check the offset"


def _instant_text(us: int) -> str:
    if not 0 <= us <= _LAST_US:
        return f"{us} µs since 1970"
    return format_instant(from_us(us))
