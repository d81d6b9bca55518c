"""What each meter measures at all: the ground on which a kind is testable or not."""

import numpy as np

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
    row = raw.circuit_row[raw.today]
    rows = raw.rows[raw.today]
    n = len(raw.plant.circuits)
    columns = [np.bincount(row[np.isfinite(rows[name])], minlength=n) for name in MEASURANDS]
    columns.append(np.bincount(row[rows["received_at"] != NEVER], minlength=n))
    columns.append(np.bincount(row, minlength=n))
    counts = np.stack(columns, axis=1)
    return [
        raw.fact(MEASURED_FACT, circuit.circuit_id, counts[k])
        for k, circuit in enumerate(raw.plant.circuits)
        if counts[k, -1]
    ]


def measured(history: History, circuit_id: str) -> frozenset[str]:
    """Measurands (and `received_at`) that most of a circuit's newest readings carry."""
    table = history.facts_of(MEASURED_FACT, circuit_id)
    if not table.days:
        return frozenset()
    total = table.values[-RECENT_DAYS:].sum(axis=0)
    return frozenset(
        name
        for name, count in zip(_COLUMNS, total, strict=True)
        if count >= LEAST_SHARE * total[-1] and name != "all"
    )
