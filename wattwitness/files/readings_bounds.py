"""What a reading from a file can be at all; the same bounds as for readings over the air.

Only what no meter and no plant can produce is refused. Spikes, momentary zeros and negative power
are what the meter said: they are stored, and judged later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import format_instant, from_us
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings
from wattwitness.domain.registry import Circuit
from wattwitness.domain.rejects import RejectCode
from wattwitness.files.readings_columns import Problem

LEAST_POWER_LIMIT_KW: Final = 1e6
MOST_POWER_LIMIT_KW: Final = 2e6  # what the store's counts can hold
RATED_FACTOR: Final = 10.0
LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "e_kwh": (-1e12, 1e12),
    **dict.fromkeys(("u_a", "u_b", "u_c"), (0.0, 1000000.0)),
    **dict.fromkeys(("i_a", "i_b", "i_c"), (-1000000.0, 1000000.0)),
    "pf": (-1.005, 1.005),  # the meter rounds
}
_LAST_US: Final = 253_402_300_799_999_999  # 9999-12-31; later ones cannot be written for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Device times that are taken in: from `keep_from_us` to `tolerance_us` after receipt.

    Where a file says nothing about receipt, `now_us` stands for it.
    """

    keep_from_us: int
    tolerance_us: int
    now_us: int


def power_limit_kw(circuit: Circuit) -> float:
    """The power beyond which a reading of this circuit cannot be true [kW, kvar]."""
    rated = RATED_FACTOR * (circuit.rated_kw or 0.0)
    return min(max(rated, LEAST_POWER_LIMIT_KW), MOST_POWER_LIMIT_KW)


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
    for n, column, code, reason in (*_early_or_late(rows, calendar), *_outside(rows, limit_kw)):
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


def _outside(rows: Readings, limit_kw: NDArray[np.float64]) -> Iterator[_Finding]:
    for name in MEASURANDS:
        values = rows[name]
        if np.isnan(values).all():
            continue
        if name in LIMITS:
            low, high = LIMITS[name]
            outside = (values < low) | (values > high)
        else:
            outside = np.abs(values) > limit_kw
        for n in np.flatnonzero(outside).tolist():
            yield n, name, RejectCode.IMPOSSIBLE, "is beyond what this circuit can have"


def _instant_text(us: int) -> str:
    if not 0 <= us <= _LAST_US:
        return f"{us} µs since 1970"
    return format_instant(from_us(us))
