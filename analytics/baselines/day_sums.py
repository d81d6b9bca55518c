"""What a plant did on single days, block by block: worked out once for all baselines of a history.

A day's minutes rest on its own facts and on silences that reach over its midnights. So a day with
others on both sides is the same in every baseline, and only the first and the last day of each
(nothing before, nothing after them is looked at) are worked out anew.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History
from analytics.verdicts.conduct import DAY_MIN, Conduct, conduct_of
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS
from wattwitness.domain.instants import US_PER_DAY, day_bounds, to_us

Floats = NDArray[np.float64]
_DAY = timedelta(days=1)


class BlockSums(NamedTuple):
    """Sums over the known minutes of each block, and how many these are [circuits, 96]."""

    run: Floats
    run_known: Floats
    kwh: Floats
    kwh_known: Floats


def block_sums(history: History, days: Sequence[date]) -> BlockSums:
    """The days of one baseline, oldest first [days, circuits, 96]."""
    inner: dict[date, BlockSums] = history.once(_none_yet, "")
    found = {day: inner[day] for day in days[1:-1] if day in inner}
    for first, last in _spans([day for day in days if day not in found], days[0], days[-1]):
        begin_us, end_us = _begin_us(history, first), _begin_us(history, last) + US_PER_DAY
        conduct = conduct_of(history, begin_us, end_us)
        for day in days:
            if first <= day <= last and day not in found:
                found[day] = _of_day(conduct, _begin_us(history, day))
    inner |= {day: found[day] for day in days[1:-1]}
    return BlockSums(*map(np.stack, zip(*(found[day] for day in days), strict=True)))


def _none_yet(_history: History, _subject: str) -> dict[date, BlockSums]:
    return {}


def _begin_us(history: History, day: date) -> int:
    return to_us(day_bounds(day, history.plant.zone)[0])


def _spans(missing: Sequence[date], first: date, last: date) -> Iterator[tuple[date, date]]:
    """Runs of days with a day more on both sides, within [first, last]; those that meet are one."""
    run: list[date] = []
    for day in missing:
        if run and day - run[-1] > 2 * _DAY:
            yield max(first, run[0] - _DAY), min(last, run[-1] + _DAY)
            run = []
        run.append(day)
    if run:
        yield max(first, run[0] - _DAY), min(last, run[-1] + _DAY)


def _of_day(conduct: Conduct, begin_us: int) -> BlockSums:
    own = slice(conduct.place(begin_us), conduct.place(begin_us) + DAY_MIN)
    running = conduct.running[:, own].astype(np.float32)
    energy = conduct.energy_kwh[:, own]
    run, run_known = _by_block(running, conduct.known[:, own])
    kwh, kwh_known = _by_block(energy, np.isfinite(energy))
    return BlockSums(run, run_known, kwh, kwh_known)


def _by_block(values: NDArray[np.floating], known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Sum and known minutes per block of minutes of a day [circuits, 1440] → [circuits, 96]."""
    shape = (len(values), BLOCKS, BLOCK_MIN)
    total = np.where(known, values, 0.0).reshape(shape).sum(axis=2, dtype=np.float64)
    return total, known.reshape(shape).sum(axis=2, dtype=np.float64)
