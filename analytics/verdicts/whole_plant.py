"""Plants with a main meter only: would it be as low without any order?

Such a meter tells that little was used, not what stood still. What is low on days on which it
always is, or falls as low by itself now and then, is no proof of a cut: better nothing is said.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.baselines.frozen import FrozenBaseline
from analytics.baselines.horizons import Amounts, DayPart, View, usual_in
from analytics.verdicts.uncertainty import Spread

IDLE_SHARE = 0.3  # of what is usual on a working day: a rest day
BY_ITSELF = 0.05  # probability of being as low without an order that is still no doubt
LEAST_RATIOS = 5
WORKING_KIND = 0  # of `calendar.weekday_kinds`
_WEEK = 7


def _working(baseline: FrozenBaseline, part: DayPart) -> DayPart:
    """The same part of the nearest working day."""
    days = (part.ordinal + n for n in range(_WEEK))
    day = next((d for d in days if baseline.kind(d) == WORKING_KIND), part.ordinal)
    return replace(part, ordinal=day)


def own_doing(
    baseline: FrozenBaseline,
    view: View,
    amounts: Amounts,
    parts: Sequence[DayPart],
    amount: float,
) -> str:
    """Why so small an amount may be the plant's own doing; empty = it hardly is.

    Args:
        baseline: of the alert.
        view: of the circuits.
        amounts: accumulated over the day, of the view.
        parts: of the judged window.
        amount: what was used in it, or ran.
    """
    usual = usual_in(baseline, view, amounts, parts)
    working = usual_in(baseline, view, amounts, [_working(baseline, part) for part in parts])
    if len(usual.ratios) < LEAST_RATIOS or usual.like_days < LEAST_RATIOS:
        return "few_like_days"
    if not usual.amount > IDLE_SHARE * working.amount:
        return "usually_idle"
    ratio = max(amount / usual.amount, float(np.finfo(float).tiny))
    low = np.count_nonzero(usual.ratios <= max(ratio, 0.1)) / len(usual.ratios)
    chance = max(low, Spread(usual.ratios).below(ratio))
    return "own_swing" if chance > BY_ITSELF else ""
