"""Frozen references: what a plant did in its verified period, or, provisionally, in its first days.

A reference never moves with later days: nothing slow can teach the system that bad is normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History
from wattwitness.domain.facts import FactTable
from wattwitness.domain.instants import local_day

EARLY_DAYS = 14  # of an enterprise without a verified period
EARLY_SHARE = 0.5  # … and at most this share of what there is


@dataclass(frozen=True, slots=True)
class Period:
    """Local days that a reference rests on."""

    first: date
    last: date
    verified: bool

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def basis(self) -> str:
        """Goes into the evidence."""
        return "verified" if self.verified else "provisional"


def reference_period(history: History, days: Sequence[date]) -> Period | None:
    """The verified period, or the first days; None without days.

    Args:
        history: of the enterprise.
        days: that have the fact in question, oldest first.
    """
    if not days:
        return None
    verified = history.once(_verified, "")
    if verified is not None:
        return verified
    spread = (days[-1] - days[0]).days + 1
    early = max(1, min(EARLY_DAYS, int(EARLY_SHARE * spread)))
    return Period(days[0], days[0] + timedelta(days=early - 1), verified=False)


def _verified(history: History, _subject: str) -> Period | None:
    """What an officer verified, whatever fact is in question."""
    if history.verified is None:
        return None
    begins, ends = (local_day(at, history.plant.zone) for at in history.verified)
    return Period(begins, max(begins, ends - timedelta(days=1)), verified=True)


def within(table: FactTable, period: Period) -> NDArray[np.bool_]:
    """Which days of a fact lie in a period [days]."""
    days = table.ordinals
    found: NDArray[np.bool_] = days >= period.first.toordinal()
    return found & (days <= period.last.toordinal())
