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


def no_hole(raw: RawDay, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether each chosen reading follows the reading before it without a hole [len(chosen)]."""
    row = raw.circuit_row[chosen]
    reach = BRIDGED_INTERVALS * raw.plant.interval_us[row]
    step_us = raw.rows.ts[chosen] - raw.rows.ts[chosen - 1]
    joined: NDArray[np.bool_] = (row == raw.circuit_row[chosen - 1]) & (step_us <= reach)
    return joined


def spell_of(raw: RawDay, first: int, end: int) -> SampleSpell:
    """The readings [first, end) of one circuit as a spell of the day."""
    row = int(raw.circuit_row[first])
    to_us = int(raw.rows.ts[end - 1]) + int(raw.plant.interval_us[row])
    return SampleSpell(row, first, end, int(raw.rows.ts[first]), min(to_us, raw.bounds[1]))


def sample_spells(raw: RawDay, condition: NDArray[np.bool_]) -> Iterator[SampleSpell]:
    """Maximal runs of readings of the day in which the condition holds.

    Args:
        raw: the day.
        condition: per reading [n].
    """
    index = np.flatnonzero(condition)
    index = index[raw.today[index]]
    if not len(index):
        return
    starts = np.flatnonzero(~((np.diff(index, prepend=-2) == 1) & no_hole(raw, index)))
    ends = np.append(starts[1:], len(index))
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        yield spell_of(raw, int(index[a]), int(index[b - 1]) + 1)
