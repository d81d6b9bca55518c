"""Which local days of which enterprises a batch touches."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_HOUR
from wattwitness.domain.readings import Readings

_QUARTER_US = US_PER_HOUR // 4  # every zone's offset is a multiple of a quarter of an hour


def enterprise_days(
    rows: Readings, enterprise_of: NDArray[np.int64], zone: ZoneInfo
) -> tuple[list[int], list[date]]:
    """Distinct (enterprise key, local day) of the rows, sorted, as two parallel lists."""
    quarters = rows["ts"] // _QUARTER_US
    pairs = np.unique(np.stack((enterprise_of[rows["circuit"]], quarters)), axis=1)
    days = {
        int(q): datetime.fromtimestamp(int(q) * _QUARTER_US / 1e6, zone).date()
        for q in np.unique(pairs[1])
    }
    found = sorted({(int(e), days[int(q)]) for e, q in pairs.T})
    return [e for e, _ in found], [d for _, d in found]
