"""Which local days of which enterprises, and which hours of which circuits, a batch touches."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_HOUR
from wattwitness.domain.readings import Readings

GROUP_BITS = 4
"""Hours are marked for 16 neighbouring circuit keys together, whoever owns them."""
_QUARTER_US = US_PER_HOUR // 4  # every zone's offset is a multiple of a quarter of an hour


def distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The different values of an array [n], ascending; numpy's own way loads a package for it."""
    return _changes(np.sort(_changes(values)))  # where they come in rows, little is left to sort


def _changes(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Without those that are equal to the one before."""
    return values[np.flatnonzero(np.diff(values, prepend=values[:1] - 1))]


def enterprise_days(
    rows: Readings, enterprise_of: NDArray[np.int64], zone: ZoneInfo
) -> tuple[list[int], list[date]]:
    """Distinct (enterprise key, local day) of the rows, sorted, as two parallel lists."""
    quarters = rows["ts"] // _QUARTER_US
    first = int(quarters.min()) if len(rows) else 0
    span = int(quarters.max()) - first + 1 if len(rows) else 1
    mixed = distinct(enterprise_of[rows["circuit"]] * span + (quarters - first))  # one sort
    pairs = np.stack((mixed // span, mixed % span + first))
    days = {
        int(q): datetime.fromtimestamp(int(q) * _QUARTER_US / 1e6, zone).date()
        for q in distinct(pairs[1])
    }
    found = sorted({(int(e), days[int(q)]) for e, q in pairs.T})
    return [e for e, _ in found], [d for _, d in found]


def group_hours(rows: Readings) -> tuple[list[int], list[int]]:
    """Distinct (circuit group, UTC hour since 1970) of the rows, as two parallel lists."""
    groups = rows["circuit"].astype(np.int64) >> GROUP_BITS
    pairs = distinct(groups << 32 | rows["ts"] // US_PER_HOUR)
    return (pairs >> 32).tolist(), (pairs & 0xFFFF_FFFF).tolist()
