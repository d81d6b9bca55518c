"""The level of each treatment unit, block by block, against its own verified level.

Fan load does not follow production load (correlations of −0.2 and −0.4 on a real factory), so a
unit is held against its own level for the same duty: the number of production circuits that ran,
where the reference shows that it matters. A ratio below 0.85 gave 0 false of 767 blocks there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, JudgedDay
from analytics.pairing.blocks import block_means
from analytics.pairing.condition import treatment_works
from analytics.references import Period, reference_period, within
from wattwitness.domain.facts import BLOCKS, DayFact

LEVEL_FACT = "treatment_level"  # per unit: mean kW of each block in which it worked through [96],
#                                 production circuits of its pairings that ran in it [96]
LEAST_BLOCKS = 12
LEAST_DUTY_BLOCKS = 8
DUTY_STEADY = 0.07  # of a circuit: a minute of the block
DUTY_MATTERS = 0.02  # of the level, per circuit: units that follow the lines differ by more
DUTY_OTHER = 0.25  # of a circuit away from the usual duty
LEAST_OTHER_BLOCKS = 3
LOWEST_SHARE = 0.2  # of the level: no unit is expected below
LEAST_WORK_MIN = 6  # of a block, for a unit that comes and goes
FULL_PRODUCTION = 0.85  # of the block's minutes


def settled(works: NDArray[np.bool_], margin_min: int) -> NDArray[np.bool_]:
    """Minutes around which a unit works for so long on both sides [minutes].

    A reading of many minutes in which the unit was switched on or off shows a part of its level.
    """
    if margin_min <= 0:
        return works
    count = np.concatenate(([0], np.cumsum(works)))
    at = np.arange(len(works))
    first = np.maximum(at - margin_min, 0)
    end = np.minimum(at + margin_min + 1, len(works))
    found: NDArray[np.bool_] = count[end] - count[first] == end - first
    return found


def level_facts(judged: JudgedDay) -> list[DayFact]:
    """Levels of all units of steady pairings while production runs."""
    found: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    level = np.array([t.running_level_kw for t in judged.thresholds], dtype=np.float64)
    for pairing in judged.plant.pairings:
        minutes = judged.pairs.get(pairing.pairing_id)
        if minutes is None or pairing.duty_cycled:
            continue
        every = np.ones(minutes.running.shape, dtype=np.bool_)
        share = block_means(minutes.running.astype(np.float64), every, judged.skip)
        duty = block_means(minutes.lines.astype(np.float64), every, judged.skip)
        ran = share >= FULL_PRODUCTION
        for circuit_id in pairing.treatment:
            row = judged.plant.row.get(circuit_id)
            if row is None:
                continue
            works = treatment_works(judged.states[[row]], judged.power[[row]], level[[row]])[0]
            works = settled(works, max(1, judged.plant.intervals_s[row] // 60 - 1))
            kw = block_means(judged.power[row], works, judged.skip, LEAST_WORK_MIN)
            mean = np.where(ran, kw, np.nan)
            before = found.get(circuit_id)
            if before is not None:  # a unit of several pairings: whatever ran
                mean = np.where(np.isnan(mean), before[0], mean)
                duty = np.nansum([duty, before[1]], axis=0)
            found[circuit_id] = (mean, duty)
    return [
        judged.fact(LEVEL_FACT, circuit_id, np.concatenate(columns))
        for circuit_id, columns in found.items()
        if np.isfinite(columns[0]).any()
    ]


@dataclass(frozen=True, slots=True)
class Levels:
    """A unit's blocks over all days, relative to its reference."""

    circuit_id: str
    day_numbers: NDArray[np.int64]  # ordinal of each day [days]
    kw: NDArray[np.float64]  # [days, 96]
    ratio: NDArray[np.float64]  # kw ÷ reference of the same duty [days, 96]
    lawful_low: float  # 1 % quantile of the reference's own ratios
    level_kw: float  # median of the reference
    period: Period


def _reference(
    duty: NDArray[np.float64],
    own_kw: NDArray[np.float64],
    own_duty: NDArray[np.float64],
    level_kw: float,
) -> NDArray[np.float64]:
    """What a unit draws at each duty [shape of `duty`].

    A duty that the reference never showed is taken from its other duties. In a block in which the
    number changed the lower one of the two levels is enough.

    Args:
        duty: mean number of production circuits that ran in each block.
        own_kw: blocks of the reference [n].
        own_duty: their duty [n].
        level_kw: their median.
    """
    count = np.rint(own_duty)
    steady = np.abs(own_duty - count) <= DUTY_STEADY
    known = {
        int(c): float(np.median(own_kw[steady & (count == c)]))
        for c in np.unique(count[steady]).tolist()
        if (steady & (count == c)).sum() >= LEAST_DUTY_BLOCKS
    }
    counts = np.arange(int(max(duty.max(), own_duty.max())) + 2, dtype=np.float64)
    table = np.minimum(level_kw, _line(own_kw, own_duty, level_kw, counts))
    for c, kw in known.items():
        table[c] = kw
    fewer, more = np.floor(duty + DUTY_STEADY), np.ceil(duty - DUTY_STEADY)
    found: NDArray[np.float64] = np.minimum(table[fewer.astype(int)], table[more.astype(int)])
    return found


def _line(
    own_kw: NDArray[np.float64],
    own_duty: NDArray[np.float64],
    level_kw: float,
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Levels at duties that the reference hardly showed, where it shows that duty matters [kW].

    By the median slope (Sen 1968) of its other blocks against the usual duty.
    """
    usual = float(np.median(own_duty))
    other = np.abs(own_duty - usual) >= DUTY_OTHER
    if other.sum() < LEAST_OTHER_BLOCKS:
        return np.full(counts.shape, level_kw)
    slope = float(np.median((own_kw[other] - level_kw) / (own_duty[other] - usual)))
    if slope < DUTY_MATTERS * level_kw:
        return np.full(counts.shape, level_kw)
    return np.asarray(np.maximum(level_kw + slope * (counts - usual), LOWEST_SHARE * level_kw))


def levels_of(history: History, circuit_id: str) -> Levels | None:
    """Blocks of a unit against its reference; None where that holds too little."""
    return history.once(_levels_of, circuit_id)


def _levels_of(history: History, circuit_id: str) -> Levels | None:
    table = history.facts_of(LEVEL_FACT, circuit_id)
    period = reference_period(history, table.days)
    if period is None:
        return None
    kw = table.values[:, :BLOCKS].astype(np.float64)
    duty = np.nan_to_num(table.values[:, BLOCKS:]).astype(np.float64)
    known = within(table, period)
    own = kw[known]
    finite = np.isfinite(own)
    if finite.sum() < LEAST_BLOCKS:
        return None
    level = float(np.median(own[finite]))
    reference = _reference(duty, own[finite], duty[known][finite], level)
    ratio = kw / reference
    verified = ratio[known][finite]
    verified = verified[np.isfinite(verified)]
    low = float(np.quantile(verified, 0.01)) if len(verified) else float("nan")
    return Levels(circuit_id, table.ordinals, kw, ratio, low, level, period)
