"""双随机: a random share of enterprises for inspection beside the ranked leads.

A ranking that only ever sees what it ranked high learns from itself. The draw depends on nothing
but week, seed and enterprises: anybody can draw again and get the same.
"""

import hashlib
import math
from collections.abc import Iterable
from datetime import date


def week_of(day: date) -> str:
    """The ISO week of a local day, as `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def drawn(enterprise_ids: Iterable[str], week: str, seed: int, share: float) -> list[str]:
    """The enterprises drawn for a week, in the order of the draw.

    Args:
        enterprise_ids: to draw from, any order.
        week: as `week_of` gives it.
        seed: of the installation.
        share: of the enterprises, 0 … 1; rounded up.
    """

    def lot(enterprise_id: str) -> bytes:
        return hashlib.sha256(f"{seed}|{week}|{enterprise_id}".encode()).digest()

    order = sorted(set(enterprise_ids), key=lot)
    return order[: math.ceil(share * len(order) - 1e-9)]
