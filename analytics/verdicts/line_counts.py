"""Running hours and line counts under a limit: how many of the named circuits ran, and how long.

Whole lines that stand still are the plainest way to keep a limit, and what ran is known better than
what a plant would have used. So it is evidence of its own beside the energy: nothing that ran keeps
any limit; energy by hours (usual energy of each circuit by its share of its usual minutes) may show
the cut where the energy only leans to it; and past days that ran less are no likeness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.baselines.frozen import Floats, FrozenBaseline
from analytics.baselines.horizons import Chosen, DayPart, Rows, Usual, View, usual_in, usual_rows
from analytics.verdicts.windows import Tally
from wattwitness.domain.rules import CATALOGUE

WENT_ON = 0.5  # of its usual minutes: a circuit that was not stopped
RUNS_LESS = 0.1  # running share below what ran now, from which a past window is another case
LEAST_LEFT = 5  # past windows
_PARAMETERS = CATALOGUE["curtailment_violation"].parameters


@dataclass(frozen=True, slots=True)
class LineCount:
    """Which of the named circuits ran, of those that usually do in that time."""

    usual_min: Floats  # of each [rows]
    went_on: Rows  # places of those that ran at least half of that

    @property
    def ran(self) -> int:
        """How many went on."""
        return len(self.went_on)

    @property
    def usual(self) -> int:
        """How many usually run."""
        return int(np.count_nonzero(self.usual_min > 0))


def count_lines(
    baseline: FrozenBaseline, view: View, parts: Sequence[DayPart], tally: Tally
) -> LineCount | None:
    """How many ran; None = too little is known of it, now or on like days.

    Args:
        baseline: of the alert.
        view: of the named circuits.
        parts: of the judged time.
        tally: what was done in it.
    """
    if tally.coverage < _PARAMETERS["least_coverage"]:
        return None
    usual = usual_rows(baseline, view, view.running_min, parts)
    if not usual.any():
        return None
    return LineCount(usual, np.flatnonzero((usual > 0) & (tally.running_min >= WENT_ON * usual)))


def consistent(
    lines: LineCount,
    baseline: FrozenBaseline,
    view: View,
    parts: Sequence[DayPart],
    usual: Usual,
    tally: Tally,
) -> Floats:
    """Ratios of the past windows that what ran does not contradict.

    Nobody runs more because of a cut. A past window in which less ran than now (a day without
    orders, a breakdown) is none that could have been instead. Circuits that went on tell more than
    those that were stopped.
    """
    if lines.ran == 0:
        return usual.ratios
    kept_on = set(lines.went_on.tolist())
    narrowed = [replace(p, rows=tuple(r for r in p.rows if r in kept_on)) for p in parts]
    runs = usual_in(baseline, view, view.running_min, narrowed)
    if not runs.amount > 0:
        return usual.ratios
    ran = float(tally.running_min[lines.went_on].sum()) / runs.amount
    at = dict(zip(runs.starts.tolist(), runs.ratios.tolist(), strict=True))
    kept = np.array([at.get(start, ran) >= ran - RUNS_LESS for start in usual.starts.tolist()])
    return usual.ratios[kept] if kept.sum() >= LEAST_LEFT else usual.ratios


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Running minutes as the energy that they usually take [kWh]."""

    running_min: Chosen
    kwh_per_min: Floats  # [rows]

    def at(self, block: int) -> Floats:
        """What had come together when a block began, 0-96 [days, rows]."""
        return np.asarray(self.running_min.at(block) * self.kwh_per_min)


@dataclass(frozen=True, slots=True)
class ByHours:
    """Energy by running hours [kWh]: at most, and usual."""

    most: float  # by all minutes that may have run
    usual: Usual


def by_hours(
    lines: LineCount, baseline: FrozenBaseline, view: View, parts: Sequence[DayPart], tally: Tally
) -> ByHours:
    """What the running minutes come to, at the power that each circuit usually takes."""
    energy = usual_rows(baseline, view, view.energy_kwh, parts)
    rate = np.where(lines.usual_min > 0, energy / np.maximum(lines.usual_min, 1.0), 0.0)
    # what never runs at that time has no usual power: as it was
    beside = float(tally.energy_kwh[lines.usual_min <= 0].sum())
    return ByHours(
        most=beside + float(((tally.running_min + tally.unknown_min) * rate).sum()),
        usual=usual_in(baseline, view, _Weighed(view.running_min, rate), parts),
    )
