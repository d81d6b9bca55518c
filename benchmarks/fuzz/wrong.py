"""Collectors with a mistake, for the harness to prove itself: each must be reported."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np

import collector.core
from collector.bounds import Calendar
from collector.decode import Delivery, Placed, Places, place


class Wrong(StrEnum):
    """What is wrong with it."""

    HALF_BAD = "half-bad"  # a bad reading takes the good ones of its message with it
    ROUNDED = "rounded"  # values go through 32-bit floats
    TWICE = "twice"  # a good reading of a message is taken for another one, too
    FORGETS = "forgets"  # what is refused is not kept


def be_wrong(wrong: Wrong | None) -> None:
    """Put the mistake into this process; None = none."""
    if wrong is None:
        return

    def mistaken(deliveries: Sequence[Delivery], places: Places, calendar: Calendar) -> Placed:
        return _spoil(place(deliveries, places, calendar), wrong)

    core: Any = collector.core
    core.place = mistaken


def _spoil(placed: Placed, wrong: Wrong) -> Placed:
    rows = placed.rows
    if wrong is Wrong.FORGETS:
        return Placed(rows, [], placed.parked)
    if wrong is Wrong.HALF_BAD:
        half_bad = [reject.received_us for reject in placed.rejects]
        return Placed(rows[~np.isin(rows["received_at"], half_bad)], placed.rejects, placed.parked)
    if wrong is Wrong.TWICE:
        return Placed(np.concatenate([rows, rows[:1]]), placed.rejects, placed.parked)
    rows = rows.copy()
    rows["e_kwh"] = rows["e_kwh"].astype(np.float32)
    return Placed(rows, placed.rejects, placed.parked)
