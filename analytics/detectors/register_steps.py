"""The steps of an energy register, one by one: what each can have counted at most.

Part of `counter_anomaly`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import RawDay
from analytics.quantiles import lower_quantile
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE, from_us
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.spells import ConditionSpell

KIND = "counter_anomaly"
LASTS_US = 15 * US_PER_MINUTE  # what comes back sooner was a glitch
LASTS_READINGS = 3
SLACK_STEPS = 2.0  # of the register: what two roundings explain
UNSEEN_FACTOR = 1.5  # × the largest power of the day, where no nameplate is known
NEIGHBOURS = 2  # steps on each side that a jump has to exceed
BINARY_DIGITS = (16, 20, 22, 23, 24, 31, 32)
COUNTER_STEPS_KWH = (0.001, 0.01, 0.1, 1.0)  # what one count of a binary counter may stand for
LEAST_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps between neighbouring sound registers of one circuit."""

    row: int
    ts: NDArray[np.int64]  # of all sound registers [m]
    e_kwh: NDArray[np.float64]  # [m]
    p_kw: NDArray[np.float64]  # NaN where it is not sound [m]

    @property
    def step_kwh(self) -> NDArray[np.float64]:
        """Energy of each step [m - 1]."""
        found: NDArray[np.float64] = np.diff(self.e_kwh)
        return found

    @property
    def hours(self) -> NDArray[np.float64]:
        """Time of each step [m - 1]."""
        found: NDArray[np.float64] = np.diff(self.ts) / US_PER_HOUR
        return found


def registers(raw: RawDay, circuits: Iterable[int]) -> Iterator[Steps]:
    """The sound registers of each of these circuits that has two or more."""
    for row in circuits:
        part = raw.rows.part(row)
        ts, e_kwh, p_kw = raw.rows.ts[part], raw.rows["e_kwh"][part], raw.rows["p_kw"][part]
        sound = np.isfinite(e_kwh) & ~raw.invalid[part]
        if np.count_nonzero(sound) > 1:
            yield Steps(row, ts[sound], e_kwh[sound], p_kw[sound])


def rolls_over(before_kwh: float, after_kwh: float, most_kwh: float, step_kwh: float) -> bool:
    """Whether a step down is a full register that began again.

    Args:
        before_kwh: register before.
        after_kwh: register after.
        most_kwh: what can have been used in between.
        step_kwh: the register's own step.
    """
    decimal = [10.0**k for k in range(LEAST_DIGITS, 10)]
    binary = [2.0**k * count for k in BINARY_DIGITS for count in {*COUNTER_STEPS_KWH, step_kwh}]
    return any(
        before_kwh <= modulus and after_kwh + modulus - before_kwh <= most_kwh + SLACK_STEPS
        for modulus in decimal + binary
    )


def limit_kw(raw: RawDay, steps: Steps) -> float:
    """What the circuit draws at most: its nameplate, or more where the day itself shows more."""
    counted = steps.step_kwh / steps.hours
    seen = np.concatenate((steps.p_kw[np.isfinite(steps.p_kw)], counted[counted >= 0]))
    usual = lower_quantile(seen, 0.99) if len(seen) else 0.0
    rated = float(raw.plant.rated_kw[steps.row])
    return max(rated, usual) if rated > 0 else UNSEEN_FACTOR * usual


def _possible_kwh(raw: RawDay, steps: Steps) -> NDArray[np.float64]:
    """What each step can have counted at most [m - 1]."""
    rated = raw.plant.rated_kw[steps.row] > 0
    counted = np.maximum(steps.step_kwh / steps.hours, 0.0)
    beside = np.fmax(np.nan_to_num(steps.p_kw[1:]), np.nan_to_num(steps.p_kw[:-1]))
    most = np.maximum(beside, limit_kw(raw, steps))
    for apart in range(1, NEIGHBOURS + 1):
        most[apart:] = np.maximum(most[apart:], counted[:-apart])
        most[:-apart] = np.maximum(most[:-apart], counted[apart:])
    if not rated:  # a machine that starts with the last reading of the day is no jump
        blind = np.isnan(steps.p_kw[-1]) and steps.step_kwh[-1] > 0
        most[-1] = np.inf if blind else most[-1]
    factor = CATALOGUE[KIND].parameters["jump_factor"]
    return np.asarray(factor * most * steps.hours)


def _lasts(steps: Steps, k: int) -> bool:
    """Whether the register stays on the new side of step k."""
    before, after = steps.e_kwh[k], steps.e_kwh[k + 1]
    later = (steps.ts > steps.ts[k + 1]) & (steps.ts <= steps.ts[k + 1] + LASTS_US)
    later[k + 1 : k + 1 + LASTS_READINGS] = True
    follow = steps.e_kwh[later & (np.arange(len(steps.ts)) > k)]
    middle = 0.5 * (before + after)
    return bool((follow < middle).all() if after < before else (follow > middle).all())


def register_spell(
    raw: RawDay, row: int, from_us_: int, to_us_: int, sums: dict[str, float]
) -> ConditionSpell:
    """A finding about one register."""
    return ConditionSpell(
        enterprise_id=raw.plant.enterprise_id,
        kind=KIND,
        subject=raw.plant.circuits[row].circuit_id,
        from_=from_us(from_us_),
        to=from_us(to_us_),
        sums={name: round(value, 6) for name, value in sums.items()},
    )


def _lasting(steps: Steps, sudden: NDArray[np.intp], most: NDArray[np.float64]) -> list[int]:
    """Of sudden steps those that last, without the ways back of those that do not."""
    step, found = steps.step_kwh, []
    glitches: list[int] = []
    for k in sudden.tolist():
        if not _lasts(steps, k):
            glitches.append(k)
            continue
        way_back = any(
            steps.ts[k + 1] - steps.ts[g + 1] <= LASTS_US
            and abs(step[k] + step[g]) <= most[g : k + 1].sum()
            for g in glitches
        )
        if not way_back:
            found.append(k)
    return found


def sudden_spells(raw: RawDay, steps: Steps) -> list[ConditionSpell]:
    """Steps back and impossible steps up.

    The last quarter of an hour of a day is judged on the next one, when it is known what lasts.
    """
    own_step = raw.plant.circuits[steps.row].register_resolution_kwh
    slack = SLACK_STEPS * own_step + 1e-9
    most = _possible_kwh(raw, steps) + slack
    first_us, end_us = raw.bounds[0] - LASTS_US, raw.bounds[1] - LASTS_US
    step = steps.step_kwh
    found = []
    for k in _lasting(steps, np.flatnonzero((step < -slack) | (step > most)), most):
        back = step[k] < 0
        if not first_us <= steps.ts[k + 1] < end_us:
            continue
        before, after = float(steps.e_kwh[k]), float(steps.e_kwh[k + 1])
        if back and rolls_over(before, after, float(most[k]), own_step):
            continue
        sums = {"before_kwh": before, "after_kwh": after}
        sums["back_kwh" if back else "jump_kwh"] = abs(float(step[k]))
        sums["silent_min"] = 60.0 * float(steps.hours[k])
        found.append(
            register_spell(
                raw,
                steps.row,
                int(steps.ts[k]),
                int(steps.ts[k + 1]) + int(raw.plant.interval_us[steps.row]),
                sums,
            )
        )
    return found
