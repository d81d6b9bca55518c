"""The level of each treatment unit, block by block, against its own verified level.

Fan load does not follow production load (correlations of −0.2 and −0.4 on a real factory), so a
unit is held against its own level for the same duty: the number of production circuits that ran,
where the reference shows that it matters. A ratio below 0.85 gave 0 false of 767 blocks there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, JudgedDay
from analytics.pairing.blocks import block_means
from analytics.quantiles import median, quantile
from analytics.references import Period, reference_period, within
from analytics.states.runs import runs_of
from wattwitness.domain.facts import BLOCKS, DayFact, FactTable

LEVEL_FACT = "treatment_level"  # per unit: mean kW of each block in which it worked through [96],
#                                 production circuits of its pairings that ran in it [96]
LEAST_BLOCKS = 12
ROUNDING = 1e-9
LEAST_DUTY_BLOCKS = 8
DUTY_STEADY = 0.07  # of a circuit: a minute of the block
DUTY_MATTERS = 0.02  # of the level, per circuit: units that follow the lines differ by more
DUTY_OTHER = 0.25  # of a circuit away from the usual duty
LEAST_OTHER_BLOCKS = 3
LOWEST_SHARE = 0.2  # of the level: no unit is expected below
LEAST_WORK_MIN = 6  # of a block, for a unit that comes and goes
FULL_PRODUCTION = 0.85  # of the block's minutes


def settled(works: NDArray[np.bool_], margin_min: Sequence[int]) -> NDArray[np.bool_]:
    """Minutes around which a unit works for so long on both sides [units, minutes].

    A reading of many minutes in which the unit was switched on or off shows a part of its level.

    Args:
        works: [units, minutes].
        margin_min: of each unit, 0 or more.
    """
    found, minutes = np.zeros_like(works), works.shape[1]
    runs = runs_of(works)
    for row, start, end in zip(
        runs.row.tolist(), runs.start.tolist(), runs.end.tolist(), strict=True
    ):
        first = start + margin_min[row] if start > 0 else 0
        last = end - margin_min[row] if end < minutes else minutes
        found[row, first : max(first, last)] = True
    return found


def _unit_blocks(judged: JudgedDay, rows: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    """Row of each unit → its mean power while it works, block by block [96]."""
    margin_min = [max(1, judged.plant.intervals_s[row] // 60 - 1) for row in rows]
    works = settled(judged.pairs.treats[rows], margin_min)
    means = block_means(judged.power[rows], works, judged.skip, LEAST_WORK_MIN)
    return dict(zip(rows, means, strict=True))


def level_facts(judged: JudgedDay) -> list[DayFact]:
    """Levels of all units of steady pairings while production runs."""
    found: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    pairs = judged.pairs
    steady = [k for k, pair in enumerate(pairs.pairs) if not pair.pairing.duty_cycled]
    if not steady:
        return []
    every = np.ones(pairs.running.shape, dtype=np.bool_)
    shares, duties = block_means(np.stack((pairs.running, pairs.lines)), every, judged.skip)
    units = _unit_blocks(judged, sorted({row for k in steady for row in pairs.pairs[k].treatment}))
    for k in steady:
        ran, duty = shares[k] >= FULL_PRODUCTION, duties[k]
        for row in pairs.pairs[k].treatment:
            mean = np.where(ran, units[row], np.nan)
            before = found.get(row)
            if before is not None:  # a unit of several pairings: whatever ran
                mean = np.where(np.isnan(mean), before[0], mean)
                duty = np.nansum([duty, before[1]], axis=0)
            found[row] = (mean, duty)
    return [
        judged.fact(LEVEL_FACT, judged.plant.circuits[row].circuit_id, np.concatenate(columns))
        for row, columns in found.items()
        if np.isfinite(columns[0]).any()
    ]


@dataclass(frozen=True, eq=False)
class Levels:
    """A unit's blocks over all days, relative to its reference; worked out when it is asked for."""

    circuit_id: str
    table: FactTable
    period: Period

    @property
    def day_numbers(self) -> NDArray[np.int64]:
        """Ordinal of each day [days]."""
        return self.table.ordinals

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """Days of the reference [days]."""
        return within(self.table, self.period)

    @cached_property
    def _own(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Levels of the reference [kW], and the duty of each [n]."""
        days = self.table.values[self._known]
        finite = np.isfinite(days[:, :BLOCKS])
        duty = days[:, BLOCKS:][finite]
        duty[np.isnan(duty)] = 0.0
        return days[:, :BLOCKS][finite], duty

    @property
    def is_enough(self) -> bool:
        """Whether the reference holds enough."""
        return len(self._own[0]) >= LEAST_BLOCKS

    @cached_property
    def kw(self) -> NDArray[np.float64]:
        """Level of each block, NaN = not known [days, 96]."""
        return self.table.values[:, :BLOCKS].astype(np.float64)

    @cached_property
    def level_kw(self) -> float:
        """Median of the reference."""
        return median(self._own[0])

    @cached_property
    def ratio(self) -> NDArray[np.float64]:
        """Level ÷ reference of the same duty [days, 96]."""
        duty = self.table.values[:, BLOCKS:].astype(np.float64)
        duty[np.isnan(duty)] = 0.0
        return np.asarray(self.kw / _reference(duty, *self._own, self.level_kw))

    @cached_property
    def lawful_low(self) -> float:
        """1 % quantile of the reference's own ratios."""
        own = self.ratio[self._known]
        own = own[np.isfinite(own)]
        return quantile(own, 0.01) if len(own) else float("nan")

    def may_be_below(self, share: float) -> NDArray[np.bool_]:
        """Blocks whose ratio may be as low as this; that of all others is not [days, 96].

        A quick look: the reference of no duty is above the highest level that it rests on.
        """
        kw, own = self.table.values[:, :BLOCKS], self._own[0]
        if own.min() <= 0.0:
            return np.isfinite(kw)
        found: NDArray[np.bool_] = kw <= np.float64(share * float(own.max()) * (1.0 + ROUNDING))
        return found


def _reference(
    duty: NDArray[np.float64],
    own_kw: NDArray[np.float32],
    own_duty: NDArray[np.float32],
    level_kw: float,
) -> NDArray[np.float64]:
    """What a unit draws at each duty [shape of `duty`].

    A duty that the reference never showed is taken from its other duties. In a block in which the
    number changed the lower one of the two levels is enough.

    Args:
        duty: mean number of production circuits that ran in each block.
        own_kw: blocks of the reference [n].
        own_duty: their duty, which is part of `duty` [n].
        level_kw: their median.
    """
    count = np.rint(own_duty).astype(np.float64)
    steady = np.abs(own_duty - count) <= DUTY_STEADY
    steady_kw, steady_count = own_kw[steady], count[steady].astype(np.intp)
    known = {
        c: median(steady_kw[steady_count == c])
        for c in np.flatnonzero(np.bincount(steady_count) >= LEAST_DUTY_BLOCKS).tolist()
    }
    counts = np.arange(int(duty.max()) + 2, dtype=np.float64)
    table = np.minimum(level_kw, _line(own_kw, own_duty, level_kw, counts))
    for c, kw in known.items():
        table[c] = kw
    fewer, more = np.floor(duty + DUTY_STEADY), np.ceil(duty - DUTY_STEADY)
    found: NDArray[np.float64] = np.minimum(
        table[fewer.astype(np.intp)], table[more.astype(np.intp)]
    )
    return found


def _line(
    own_kw: NDArray[np.float32],
    own_duty: NDArray[np.float32],
    level_kw: float,
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Levels at duties that the reference hardly showed, where it shows that duty matters [kW].

    By the median slope (Sen 1968) of its other blocks against the usual duty.
    """
    usual = median(own_duty)
    away = own_duty.astype(np.float64) - usual
    other = np.abs(away) >= DUTY_OTHER
    if np.count_nonzero(other) < LEAST_OTHER_BLOCKS:
        return np.full(counts.shape, level_kw)
    slope = median((own_kw[other].astype(np.float64) - level_kw) / away[other])
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
    found = Levels(circuit_id, table, period)
    return found if found.is_enough else None
