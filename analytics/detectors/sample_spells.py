"""Condition spells from single readings: neighbouring readings that share a condition.

A reading stands for [ts, ts + interval); two are neighbours if no more than one is missing between.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import RawDay
from analytics.grid import BRIDGED_INTERVALS


@dataclass(frozen=True, slots=True)
class SampleSpell:
    """Neighbouring readings of one circuit, rows[first:end]."""

    row: int  # of the plant
    first: int
    end: int
    from_us: int
    to_us: int

    @property
    def part(self) -> slice:
        """Of the readings of the day."""
        return slice(self.first, self.end)


def neighbours(raw: RawDay, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each chosen reading follows the chosen one before it without a hole [len(chosen)]."""
    row, ts = raw.circuit_row[chosen], raw.rows["ts"][chosen]
    joined = np.zeros(len(chosen), dtype=np.bool_)
    reach = BRIDGED_INTERVALS * raw.plant.interval_us[row[1:]]
    joined[1:] = (row[1:] == row[:-1]) & (np.diff(ts) <= reach)
    return joined


def sample_spells(
    raw: RawDay,
    condition: NDArray[np.bool_],
    same: NDArray[np.bool_] | None = None,
    least_readings: int = 1,
) -> Iterator[SampleSpell]:
    """Maximal runs of readings of the day in which the condition holds.

    Args:
        raw: the day.
        condition: per reading [n].
        same: whether a reading may join the one before it [n]; None = always.
        least_readings: shorter runs are left out.
    """
    use = condition & raw.today
    if not use.any():
        return
    index = np.flatnonzero(use)
    joined = neighbours(raw, index) & np.concatenate(([False], np.diff(index) == 1))
    if same is not None:
        joined &= same[index]
    starts = np.flatnonzero(~joined)
    ends = np.append(starts[1:], len(index))
    long = ends - starts >= least_readings
    starts, ends = starts[long], ends[long]
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        first, last = int(index[a]), int(index[b - 1])
        row = int(raw.circuit_row[first])
        end_us = int(raw.rows["ts"][last]) + int(raw.plant.interval_us[row])
        yield SampleSpell(
            row, first, last + 1, int(raw.rows["ts"][first]), min(end_us, raw.bounds[1])
        )
