"""The energy of a plant's production, block by block: what surge and growth look at.

Of the production and combined circuits; of the main meters where there are none.
"""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import JudgedDay
from analytics.pairing.blocks import block_means
from analytics.plants import Plant
from wattwitness.domain.facts import BLOCKS, DayFact, FactTable
from wattwitness.domain.registry import DeclarationStatus
from wattwitness.domain.scopes import standing_for_plant

ENERGY_FACT = "plant_power"  # per enterprise: mean kW of each block [96]; NaN = a circuit unknown
LEAST_COVERAGE = 0.8


def energy_rows(plant: Plant) -> list[int]:
    """Rows whose energy stands for the plant's production."""
    return [plant.row[c.circuit_id] for c in standing_for_plant(plant.circuits)]


def facts(judged: JudgedDay) -> list[DayFact]:
    """Mean production power of each block of the day."""
    rows = energy_rows(judged.plant)
    if not rows:
        return []
    known = judged.known_all(rows)
    if not known[judged.skip :].any():
        return []
    total = judged.known_kw[rows].sum(axis=0)
    return [judged.fact(ENERGY_FACT, "", block_means(total, known, judged.skip))]


def daily_kwh(table: FactTable) -> NDArray[np.float64]:
    """Energy of each day, filled up to 24 h; NaN where less than 80 % is known [days]."""
    known = np.isfinite(table.values).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(table.values, axis=1, dtype=np.float64) / known
    return np.where(known >= LEAST_COVERAGE * BLOCKS, 24.0 * mean, np.nan)


def is_declared(plant: Plant, day: date) -> bool:
    """Whether an accepted declaration touches this local day."""
    return any(
        d.status is DeclarationStatus.ACCEPTED
        and d.from_.astimezone(plant.zone).date() <= day <= d.to.astimezone(plant.zone).date()
        for d in plant.declarations
    )
