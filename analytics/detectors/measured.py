"""What each meter measures at all: the ground on which a kind is testable or not."""

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, RawDay
from wattwitness.domain.facts import DayFact
from wattwitness.domain.readings import MEASURANDS, NEVER

MEASURED_FACT = "measured"  # per circuit: readings of the day with each measurand [10], with a
#                             receipt time [1], all of them [1]
_COLUMNS = (*MEASURANDS, "received_at", "all")
RECENT_DAYS = 14
LEAST_SHARE = 0.5


def raw_facts(raw: RawDay) -> list[DayFact]:
    """Counts of the day, per circuit with readings."""
    columns = [_carrying(raw, name) for name in MEASURANDS]
    told = raw.rows.received_at != NEVER
    columns.append(raw.readings if told.all() else raw.count(told))
    columns.append(raw.readings)
    counts = np.stack(columns, axis=1)
    return raw.facts(MEASURED_FACT, counts, np.flatnonzero(raw.readings).tolist())


def _carrying(raw: RawDay, name: str) -> NDArray[np.intp]:
    """Readings of the day that carry a measurand [circuits]."""
    if name in raw.rows.whole:
        return raw.readings
    known = raw.rows.knows(name)
    if not known.any():
        return np.zeros_like(known)
    return raw.count(np.isfinite(raw.rows[name]))


def measured(history: History, circuit_id: str) -> frozenset[str]:
    """Measurands (and `received_at`) that most of a circuit's newest readings carry."""
    return history.once(_measured, circuit_id)


def _measured(history: History, circuit_id: str) -> frozenset[str]:
    table = history.facts_of(MEASURED_FACT, circuit_id)
    if not table.days:
        return frozenset()
    total = table.values[-RECENT_DAYS:].sum(axis=0).tolist()
    return frozenset(
        name
        for name, count in zip(_COLUMNS, total, strict=True)
        if count >= LEAST_SHARE * total[-1] and name != "all"
    )
