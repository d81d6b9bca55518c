"""Hours in which an energy register counts other than the power beside it.

Part of `counter_anomaly`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.register_steps import KIND, SLACK_STEPS, Steps, limit_kw, register_spell
from analytics.detectors.stages import RawDay
from analytics.episodes.plain import Joined
from analytics.grid import BRIDGED_INTERVALS
from wattwitness.domain.instants import US_PER_HOUR
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.spells import ConditionSpell

HOURS = 25  # a local day has at most so many
LEAST_STEPS = 50.0  # of the register in an hour, or nothing is compared
LEAST_COVERAGE = 0.8
COARSE_STEPS = 10.0  # power below so many of its own steps is too coarse to integrate


def shown_step_kw(p_kw: NDArray[np.float64]) -> float:
    """The step in which power is shown, whatever is registered: 1, 0.1, or finer (0) [kW]."""
    own = p_kw[np.isfinite(p_kw)]
    for step, parts in ((1.0, 1.0), (0.1, 10.0)):
        if np.abs(own * parts - np.rint(own * parts)).max(initial=0.0) < 1e-4 * parts:
            return step
    return 0.0


def _opening(hour: int, sound: NDArray[np.intp]) -> dict[str, float]:
    """Minutes of the day around an hour in which no sound hour lies."""
    before, after = sound[sound < hour], sound[sound > hour]
    open_before = hour - (int(before[-1]) + 1 if len(before) else 0)
    open_after = (int(after[0]) if len(after) else HOURS) - hour - 1
    return {"open_before_min": 60.0 * open_before, "open_after_min": 60.0 * open_after}


def hour_spells(raw: RawDay, steps: Steps) -> list[ConditionSpell]:
    """Hours of the day whose register counts other than the power."""
    parameters = CATALOGUE[KIND].parameters
    interval_us = int(raw.plant.interval_us[steps.row])
    if interval_us > parameters["longest_interval_s"] * 1_000_000:
        return []
    own_step = raw.plant.circuits[steps.row].register_resolution_kwh
    gap_us = np.diff(steps.ts)
    mean_kw = 0.5 * (steps.p_kw[1:] + steps.p_kw[:-1])
    hour = (steps.ts[:-1] - raw.bounds[0]) // US_PER_HOUR
    use = (gap_us <= BRIDGED_INTERVALS * interval_us) & np.isfinite(mean_kw) & (hour >= 0)
    use &= np.abs(steps.step_kwh) <= 2.0 * limit_kw(raw, steps) * steps.hours + 1.0
    hour, weight = hour[use], steps.hours[use]

    def per_hour(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(hour, weights=values, minlength=HOURS).astype(np.float64)

    covered, power_kwh = per_hour(weight), per_hour(mean_kw[use] * weight)
    counted_kwh = per_hour(steps.step_kwh[use])
    moving = per_hour((np.diff(steps.p_kw)[use] != 0).astype(np.float64)) > 0
    moving |= counted_kwh > 0
    resolution = max(float(raw.plant.resolution_kw[steps.row]), shown_step_kw(steps.p_kw))
    fine = power_kwh >= COARSE_STEPS * resolution * covered
    least = np.maximum(power_kwh, counted_kwh) >= LEAST_STEPS * own_step
    # a reading may stand for the time before it or after it: half of every change is in doubt
    doubt = per_hour(0.5 * np.abs(np.diff(steps.p_kw)[use]) * weight) + SLACK_STEPS * own_step
    differs = np.abs(counted_kwh - power_kwh) > doubt + parameters["energy_share"] * power_kwh
    compared = (covered >= LEAST_COVERAGE) & fine & least & moving
    bad = np.flatnonzero(compared & differs)
    sound = np.flatnonzero(compared & (doubt <= parameters["energy_share"] * power_kwh))
    found = []
    for k in bad.tolist():
        sums = {"power_kwh": float(power_kwh[k]), "register_kwh": float(counted_kwh[k])}
        sums |= _opening(k, sound)
        hour_us = raw.bounds[0] + k * US_PER_HOUR
        found.append(
            register_spell(raw, steps.row, hour_us, min(hour_us + US_PER_HOUR, raw.bounds[1]), sums)
        )
    return found


def joined_hours(spells: Sequence[ConditionSpell]) -> list[Joined]:
    """Hours that belong together: neither end of the hole between two of them is a sound hour."""
    parameters = CATALOGUE[KIND].parameters
    groups: list[list[ConditionSpell]] = []
    for spell in spells:
        last = groups[-1][-1] if groups else None
        if last is not None:
            hole_min = (spell.from_ - last.to).total_seconds() / 60.0
            open_min = last.sums["open_after_min"] + spell.sums["open_before_min"]
            blind = hole_min <= min(open_min, parameters["bridge_blind_min"])
            if blind or hole_min <= parameters["bridge_min"]:
                groups[-1].append(spell)
                continue
        groups.append([spell])
    return [Joined(tuple(group)) for group in groups]
