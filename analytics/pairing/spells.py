"""Condition spells of pairings: maximal intervals of a day in which a condition is known to hold.

A spell says how long the open minutes (not known, or production pausing while treatment stays off)
around it are, so that spells can be joined later, across midnights as well, without looking at the
minutes again.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import JudgedDay
from analytics.grid import Power
from analytics.pairing.condition import Condition, PairMinutes
from analytics.states.dwell import runs
from wattwitness.domain.instants import US_PER_MINUTE, from_us
from wattwitness.domain.registry import Pairing, Role
from wattwitness.domain.spells import ConditionSpell
from wattwitness.domain.states import Thresholds


def _kwh(power: Power, rows: list[int], span: slice) -> float:
    """Energy of some circuits over a span of minutes; unknown minutes count nothing [kWh]."""
    return float(np.nansum(power[rows, span], dtype=np.float64)) / 60.0


def _opening(
    minutes: PairMinutes, condition: NDArray[np.int8], span: slice, day_from: int
) -> dict[str, float]:
    """The open minutes of the day on both sides of a spell, and how production stood there."""
    open_ = condition == Condition.OPEN
    before = open_[day_from : span.start][::-1]
    after = open_[span.stop :]
    n_before = len(before) if before.all() else int(np.argmin(before))
    n_after = len(after) if after.all() else int(np.argmin(after))
    unknown_before = minutes.unknown[span.start - n_before : span.start]
    unknown_after = minutes.unknown[span.stop : span.stop + n_after]
    ran_before = span.start > 0 and minutes.running[span.start - 1]
    ran_after = span.stop < len(minutes.running) and minutes.running[span.stop]
    return {
        "open_before_min": float(n_before),
        "open_after_min": float(n_after),
        "unknown_before_min": float(unknown_before.sum()),
        "unknown_after_min": float(unknown_after.sum()),
        "begins_with_production": float(not ran_before),
        "ends_with_production": float(not ran_after),
    }


def _evidence(
    power: Power, rows: dict[str, list[int]], thresholds: Sequence[Thresholds], span: slice
) -> dict[str, float]:
    """Additive evidence of one spell; a level times the minutes is an energy."""
    hours = (span.stop - span.start) / 60.0
    production = [thresholds[row] for row in rows["production"]]
    treatment = [thresholds[row] for row in rows["treatment"]]
    nameplate = any(t.basis == "nameplate" for t in production + treatment)
    main = power[rows["main"], span]
    main_known = np.isfinite(main).all(axis=0) if len(main) else np.zeros(0, dtype=np.bool_)
    return {
        "known_min": hours * 60.0,
        "production_kwh": _kwh(power, rows["production"], span),
        "treatment_kwh": _kwh(power, rows["treatment"], span),
        "treatment_level_kwh": sum(t.running_level_kw for t in treatment) * hours,
        "production_level_kwh": sum(t.running_level_kw for t in production) * hours,
        "production_threshold_kwh": min(t.running_kw for t in production) * hours,
        "treatment_threshold_kwh": sum(t.running_kw for t in treatment) * hours,
        "nameplate_min": hours * 60.0 * nameplate,
        "main_min": float(main_known.sum()),
        "main_kwh": float(main[:, main_known].sum(dtype=np.float64)) / 60.0 if len(main) else 0.0,
        "production_main_kwh": float(
            np.nansum(power[rows["production"], span][:, main_known], dtype=np.float64)
        )
        / 60.0
        if len(main)
        else 0.0,
    }


def _tidy(sums: dict[str, float]) -> dict[str, float]:
    """Rounded to the µWh, and without what is not known."""
    return {name: round(value, 6) for name, value in sums.items() if np.isfinite(value)}


def pairing_spells(
    judged: JudgedDay, kind: str, pairing: Pairing, condition: NDArray[np.int8]
) -> list[ConditionSpell]:
    """Spells of the local day in which a condition of a pairing holds, with additive evidence.

    Args:
        judged: the day.
        kind: the code under which they are kept.
        pairing: with circuits on both sides.
        condition: `Condition` per minute of the grid.
    """
    plant, minutes = judged.plant, judged.pairs[pairing.pairing_id]
    rows = {
        "production": plant.rows(pairing.production),
        "treatment": plant.rows(pairing.treatment),
        "main": plant.rows_of(Role.MAIN),
    }
    holds: NDArray[np.bool_] = condition == Condition.HOLDS
    holds[: judged.skip] = False
    found = []
    for start, end in runs(holds):
        span = slice(start, end)
        opening = _opening(minutes, condition, span, judged.skip)
        found.append(
            ConditionSpell(
                enterprise_id=plant.enterprise_id,
                kind=kind,
                subject=pairing.pairing_id,
                from_=from_us(judged.start_us + start * US_PER_MINUTE),
                to=from_us(judged.start_us + end * US_PER_MINUTE),
                sums=_tidy(opening | _evidence(judged.power, rows, judged.thresholds, span)),
            )
        )
    return found
