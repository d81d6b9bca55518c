"""`capacity_growth` (用电规模增长, information): production grew by a fifth without a filing.

Method: the median daily energy of the last 30 days against that of the 30 days before (of what
there is, at least 40 days in all); days of rest are left out on both sides, declared days as well.
The difference has to stand out from the spread of the days themselves: steel works whose days
differ by a third grow by a fifth every other month. The reference of a grown plant is the time
before it grew: growth is told once, from the day on which the energy left the band of the earlier
days to the last one above it.
"""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.plant_energy import ENERGY_FACT, daily_kwh, energy_rows, is_declared
from analytics.detectors.stages import History
from analytics.episodes.plain import evidence_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import day_bounds
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

KIND = "capacity_growth"
REST_SHARE = 0.25  # of the upper quartile: a day below is a day of rest
LEAST_WORKDAYS = 12
SMOOTH_DAYS = 7
LEAST_Z = 3.0  # of the difference of two medians
MEDIAN_SPREAD = 1.25 * 1.4826  # × median deviation ÷ √n: standard error of a median
CONFIDENCE = 0.8


def _working(kwh: NDArray[np.float64]) -> NDArray[np.bool_]:
    known = np.isfinite(kwh)
    if not known.any():
        return known
    working: NDArray[np.bool_] = known & (
        np.nan_to_num(kwh) >= REST_SHARE * np.nanquantile(kwh, 0.75)
    )
    return working


def _z(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """How far two medians are apart, in standard errors."""
    variance = sum(
        (MEDIAN_SPREAD * float(np.median(np.abs(x - np.median(x))))) ** 2 / len(x)
        for x in (before, after)
    )
    difference = float(np.median(after) - np.median(before))
    return difference / variance**0.5 if variance > 0 else np.inf


def episodes(history: History) -> list[Episode]:
    """One per growth; what stays grown is not told again."""
    parameters = CATALOGUE[KIND].parameters
    table = history.facts_of(ENERGY_FACT, "")
    if not table.days or (table.days[-1] - table.days[0]).days + 1 < parameters["least_days"]:
        return []
    kwh = daily_kwh(table)
    use = _working(kwh)
    use &= np.array([not is_declared(history.plant, d) for d in table.days], dtype=np.bool_)
    days = [d for d, ok in zip(table.days, use, strict=True) if ok]
    own = kwh[use]
    if not days or (days[-1] - days[0]).days + 1 < parameters["least_days"]:
        return []
    for n in range(2 * LEAST_WORKDAYS, len(days) + 1):
        if (days[n - 1] - days[0]).days + 1 < parameters["least_days"]:
            continue
        newest = days[n - 1]
        border = newest - timedelta(days=int(parameters["window_days"]))
        late = np.array([d > border for d in days[:n]], dtype=np.bool_)
        early = ~late & np.array(
            [d > border - timedelta(days=int(parameters["window_days"])) for d in days[:n]]
        )
        if late.sum() < LEAST_WORKDAYS or early.sum() < LEAST_WORKDAYS // 2:
            continue
        before, after = float(np.median(own[:n][early])), float(np.median(own[:n][late]))
        grown = before > 0 and after > parameters["share"] * before
        if grown and _z(own[:n][early], own[:n][late]) >= LEAST_Z:
            return [_episode(history, days, own, n, before, after)]
    return []


def _episode(
    history: History,
    days: list[date],
    own: NDArray[np.float64],
    n: int,
    before: float,
    after: float,
) -> Episode:
    halfway = before + 0.25 * (after - before)
    smooth = np.array([np.median(own[max(0, k - SMOOTH_DAYS) : k + 1]) for k in range(n)])
    below = np.flatnonzero(smooth < halfway)
    first = days[min(int(below[-1]) + 1 if len(below) else 0, n - 1)]
    later = np.array([np.median(own[k : k + SMOOTH_DAYS]) for k in range(n - 1, len(own))])
    above = np.flatnonzero(later >= halfway)
    last = days[n - 1 + (int(above[-1]) if len(above) else 0)]
    zone = history.plant.zone
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=day_bounds(first, zone)[0],
        to=day_bounds(last, zone)[1],
        detected_at=day_bounds(days[n - 1], zone)[1],
        circuits=tuple(history.plant.circuits[k].circuit_id for k in energy_rows(history.plant)),
        pairing_id=None,
        confidence=CONFIDENCE,
        evidence=evidence_of(
            {
                "daily_energy": (after, "kWh/d"),
                "daily_energy_before": (before, "kWh/d"),
                "growth": (100.0 * (after / before - 1.0), "%"),
            }
        ),
        rule_version=RULE_VERSION,
    )
