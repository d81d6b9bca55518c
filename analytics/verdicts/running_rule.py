"""`stop` and `hours`: running minutes of the named circuits outside what is allowed.

Up to 20 minutes per circuit is complied; from 60 % of the usual running minutes of that time on it
is violated; partial between. Minutes that are not known could have been running: they stand in the
way of `complied`, never in the way of a finding that the known ones prove.
"""

import math
from dataclasses import dataclass

import numpy as np

from analytics.baselines.frozen import FrozenBaseline
from analytics.baselines.horizons import Usual, usual_in, usual_rows, view_of
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.orders import Order, Plan
from analytics.verdicts.ruling import Ruling
from analytics.verdicts.uncertainty import Spread
from analytics.verdicts.whole_plant import own_doing
from analytics.verdicts.windows import Segment, Tally, day_parts, tally_of
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.verdicts import VerdictCode

LEAST_LIKE_DAYS = 5  # for a share of the usual
FEW_LIKE_DAYS = 2  # from here to five: a share of the usual that is far from the border
FEW_BORDERS = (0.45, 0.75)  # in place of the one border
FEW_SURE = (0.8, 0.87)
WHOLE_PLANT_SHARE = 0.15  # of the usual, below which a main meter takes fans for production
YOUNG_MIN = 60.0  # judged time in which running right now says that it is not over yet
HELD_MIN = 120.0  # of standing still that leave no doubt
SURE = 0.985  # nothing electric is ever certain
_PARAMETERS = CATALOGUE["curtailment_violation"].parameters


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the known minutes say of an order."""

    tally: Tally
    usual: Usual
    usual_worst_min: float | None

    @property
    def worst(self) -> int:
        """The circuit that ran longest."""
        return int(np.argmax(self.tally.running_min))

    @property
    def running_min(self) -> float:
        """Of all circuits together."""
        return float(self.tally.running_min.sum())

    @property
    def share(self) -> float | None:
        """Running ÷ usual minutes, all circuits together; None = no like days."""
        if self.usual.like_days < LEAST_LIKE_DAYS or not math.isfinite(self.usual.amount):
            return None
        return self.running_min / max(1.0, self.usual.amount)


def _seen(
    plan: Plan, order: Order, baseline: FrozenBaseline, conduct: Conduct, segments: list[Segment]
) -> _Seen:
    tally = tally_of(conduct, order, segments)
    view = view_of(baseline, order.rows, energy=False)
    parts = day_parts(plan, segments)
    usual = usual_in(baseline, view, view.running_min, parts)
    worst = int(np.argmax(tally.running_min))
    by_row = usual_rows(baseline, view, view.running_min, parts)
    return _Seen(tally, usual, float(by_row[worst]) if usual.like_days else None)


def _sure_of_share(seen: _Seen, share: float, *, above: bool) -> float:
    """Probability that the share of what would have run lies on the side it seems to."""
    ratios = seen.usual.ratios
    limit = share / _PARAMETERS["violated_share"]
    if len(ratios) < LEAST_LIKE_DAYS:
        distance = abs(math.log(max(limit, 1e-3))) / 0.25
        return 0.5 + 0.5 * math.tanh(distance)
    below = Spread(ratios).below(limit)
    return below if above else 1.0 - below


def _among_few(seen: _Seen, proven: float) -> tuple[VerdictCode, float, tuple[str, ...]]:
    """More than allowed ran, and the usual is hardly known."""
    # nothing runs longer than the time there is
    whole = seen.running_min / max(1.0, float(seen.tally.span_min.sum()))
    if whole >= _PARAMETERS["violated_share"]:
        return VerdictCode.VIOLATED, SURE * proven, ("few_like_days",)
    if seen.usual.like_days >= FEW_LIKE_DAYS and seen.usual.amount > 0:
        share = seen.running_min / seen.usual.amount
        if share >= FEW_BORDERS[1]:
            return VerdictCode.VIOLATED, FEW_SURE[1] * proven, ("few_like_days",)
        if share <= FEW_BORDERS[0]:
            return VerdictCode.PARTIAL, FEW_SURE[0] * proven, ("few_like_days",)
    return VerdictCode.INSUFFICIENT_DATA, 0.0, ("few_like_days",)


def _accused(plan: Plan, seen: _Seen) -> tuple[VerdictCode, float, tuple[str, ...]]:
    """More than allowed ran: how much of the usual was it?"""
    allowed = _PARAMETERS["allowed_min"]
    most = float(seen.tally.running_min.max())
    proven = 1.0 - math.exp(-(most - allowed + 1.0) / 12.0)  # a state is right to some minutes
    share = seen.share
    if share is None:
        return _among_few(seen, proven)
    if plan.whole_plant_only and share < WHOLE_PLANT_SHARE:
        return VerdictCode.INSUFFICIENT_DATA, 0.0, ("near_allowed",)
    if share >= _PARAMETERS["violated_share"]:
        return VerdictCode.VIOLATED, SURE * _sure_of_share(seen, share, above=True), ()
    could = share + float(seen.tally.unknown_min.sum()) / max(1.0, seen.usual.amount)
    open_end = could >= _PARAMETERS["violated_share"]
    sure = _sure_of_share(seen, share, above=False) * proven * (0.8 if open_end else 1.0)
    return VerdictCode.PARTIAL, SURE * sure, ("missing_minutes",) if open_end else ()


def unproven(order: Order, tally: Tally, *, running_now: bool = False) -> str:
    """Why little running is no proof that all stood still; empty = it is one."""
    allowed = _PARAMETERS["allowed_min"]
    if order.unresolved:
        return "unknown_scope"
    if tally.coverage < _PARAMETERS["least_coverage"]:
        return "low_coverage"
    if float((tally.running_min + tally.unknown_min).max()) > allowed:
        return "missing_minutes"
    young = float(tally.span_min.max()) < YOUNG_MIN
    return "just_begun" if running_now and young else ""


def sure_of_rest(tally: Tally) -> float:
    """How sure it is that all stood still: by the minutes that are left, and how long it held."""
    allowed = _PARAMETERS["allowed_min"]
    slack = (allowed + 1.0 - float((tally.running_min + tally.unknown_min).max())) / allowed
    held = min(1.0, float(tally.span_min.max()) / HELD_MIN)
    return SURE * (0.8 + 0.2 * held * min(1.0, slack * 2.0))


def rule_running(
    plan: Plan, order: Order, baseline: FrozenBaseline, conduct: Conduct, segments: list[Segment]
) -> Ruling:
    """Judge a `stop` or `hours` over its segments, of which there is at least one."""
    seen = _seen(plan, order, baseline, conduct, segments)
    last = max(0, conduct.place(segments[-1].to_us) - 1)
    running_now = conduct.running[list(order.rows), max(0, last - 4) : last + 1].any()
    why: tuple[str, ...]
    if float(seen.tally.running_min.max()) > _PARAMETERS["allowed_min"]:
        code, sure, why = _accused(plan, seen)
    else:
        limit = unproven(order, seen.tally, running_now=bool(running_now))
        if not limit and plan.whole_plant_only:
            view = view_of(baseline, order.rows, energy=False)
            parts = day_parts(plan, segments)
            limit = own_doing(baseline, view, view.running_min, parts, seen.running_min)
        code = VerdictCode.INSUFFICIENT_DATA if limit else VerdictCode.COMPLIED
        sure, why = (0.0, (limit,)) if limit else (sure_of_rest(seen.tally), ())
    tally = seen.tally
    return Ruling(
        code=code,
        confidence=sure,
        why=why,
        coverage=round(tally.coverage, 4),
        running_minutes=float(tally.running_min[seen.worst]),
        allowed_minutes=_PARAMETERS["allowed_min"],
        usual_minutes=seen.usual_worst_min,
        running_share=seen.share,
        energy_kwh=float(tally.energy_kwh.sum()) if tally.energy_min.any() else None,
        like_days=seen.usual.like_days,
    )
