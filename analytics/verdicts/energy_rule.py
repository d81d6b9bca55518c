"""`limit`: energy against the frozen baseline, with the plant's own uncertainty.

The share of the cut that was missed is (used - allowed) / (baseline - allowed). Each ratio of
actual to usual on a placebo day is one baseline that could have been; a word is said when enough
of them agree. Energy that is not known could be anything up to the circuits' highest level: it
counts in full against `complied`, and not at all against the plant.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from analytics.baselines.frozen import FrozenBaseline
from analytics.baselines.horizons import DayPart, Usual, View, usual_in, view_of
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.line_counts import ByHours, by_hours, consistent, count_lines
from analytics.verdicts.orders import Order, Plan
from analytics.verdicts.ruling import Ruling
from analytics.verdicts.running_rule import sure_of_rest, unproven
from analytics.verdicts.uncertainty import Spread
from analytics.verdicts.whole_plant import own_doing
from analytics.verdicts.windows import Segment, Tally, day_parts, tally_of
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.verdicts import VerdictCode

FEW_DAYS = 5  # below: no baseline; from here to ten: one twice as uncertain
DECIDES = 0.85  # probability of a word that is said
NOT_CUT = 0.97  # probability that the cut was not made, without saying by how much it was missed
LEANS = 0.6  # probability of `complied` that running hours and line counts may decide
SURE = 0.985
_PARAMETERS = CATALOGUE["curtailment_violation"].parameters
_Words = dict[VerdictCode, float]


@dataclass(frozen=True, slots=True)
class Used:
    """Energy of the judged time [kWh]: what is known, what it comes to, what it can be at most."""

    least: float
    likely: float
    most: float
    coverage: float


def used_of(tally: Tally, baseline: FrozenBaseline, rows: tuple[int, ...]) -> Used:
    """Energy of circuits, and what the missing minutes leave open."""
    known = float(tally.energy_kwh.sum())
    missing = tally.span_min - tally.energy_min
    rate = tally.energy_kwh / np.maximum(tally.energy_min, 1.0)
    peak = np.maximum(baseline.peak_kw[list(rows)] / 60.0, rate)
    return Used(
        least=known,
        likely=known + float((missing * rate).sum()),
        most=known + float((missing * peak).sum()),
        coverage=float(tally.energy_min.sum() / max(1.0, tally.span_min.sum())),
    )


def missed_share(used_kwh: float, usual_kwh: float, limit: float) -> float:
    """Share of the ordered cut that was missed: 0 = all was made, 1 = none.

    Args:
        used_kwh: in the judged time.
        usual_kwh: of the same time on like days, above 0.
        limit: share of the usual that may still be used, below 1.
    """
    return (used_kwh - limit * usual_kwh) / ((1.0 - limit) * usual_kwh)


def _ratio_at(used_kwh: float, usual_kwh: float, limit: float, missed: float) -> float:
    """The actual ÷ usual at which exactly this share would have been missed."""
    return used_kwh / (usual_kwh * (limit + missed * (1.0 - limit)))


def words(used: Used, usual_kwh: float, limit: float, spread: Spread) -> _Words:
    """Probability of each word; they need not add up where minutes are missing."""

    def below(used_kwh: float, missed: float) -> float:
        bound = limit + missed * (1.0 - limit)
        return (
            1.0
            if bound <= 0 and used_kwh > 0
            else spread.below(_ratio_at(used_kwh, usual_kwh, limit, missed))
        )

    complied = 1.0 - below(used.most, _PARAMETERS["missed_complied"])
    violated = below(used.least, _PARAMETERS["missed_violated"])
    not_complied = below(used.least, _PARAMETERS["missed_complied"])
    return {
        VerdictCode.COMPLIED: complied,
        VerdictCode.VIOLATED: violated,
        VerdictCode.PARTIAL: max(0.0, not_complied - violated),
    }


def said(found: _Words, coverage: float) -> tuple[VerdictCode, float, tuple[str, ...]]:
    """The word that enough of the placebo days agree on."""
    covered = coverage >= _PARAMETERS["least_coverage"]
    best = max(found, key=lambda code: found[code])
    against = found[VerdictCode.VIOLATED] + found[VerdictCode.PARTIAL]
    if best is VerdictCode.COMPLIED:
        if covered and found[best] >= DECIDES:
            return best, SURE * found[best], ()
    elif found[best] >= DECIDES or against >= NOT_CUT:
        return best, SURE * found[best], () if covered else ("low_coverage",)
    why = "wide_interval" if covered else "low_coverage"
    return VerdictCode.INSUFFICIENT_DATA, 0.0, (why,)


def _lines_show_the_cut(hours: ByHours, limit: float, widened: float) -> bool:
    """Whether running hours and line counts alone are sure that the cut was made.

    They excuse and never accuse: a cut by load they do not see.
    """
    if min(hours.usual.like_days, len(hours.usual.ratios)) < FEW_DAYS or not hours.usual.amount > 0:
        return False
    used = Used(hours.most, hours.most, hours.most, 1.0)
    lines = words(used, hours.usual.amount, limit, Spread(hours.usual.ratios, widened))
    return lines[VerdictCode.COMPLIED] >= DECIDES


def _undecided(why: str, used: Used, usual: Usual | None = None) -> Ruling:
    baseline = None if usual is None or not math.isfinite(usual.amount) else usual.amount
    return Ruling(
        code=VerdictCode.INSUFFICIENT_DATA,
        confidence=0.0,
        why=(why,),
        coverage=round(used.coverage, 4),
        energy_kwh=used.likely if used.coverage > 0 else None,
        baseline_kwh=baseline,
        like_days=0 if usual is None else usual.like_days,
    )


def _at_rest(plan: Plan, order: Order, tally: Tally) -> bool:
    """Whether none of the named circuits ran: that keeps any limit."""
    named = not plan.whole_plant_only and len(order.rows) > 0
    rested = float(tally.running_min.max(initial=0.0)) <= _PARAMETERS["allowed_min"]
    return named and rested and not unproven(order, tally)


def rule_energy(
    plan: Plan, order: Order, baseline: FrozenBaseline, conduct: Conduct, segments: list[Segment]
) -> Ruling:
    """Judge a `limit` over its segments, of which there is at least one."""
    tally = tally_of(conduct, order, segments)
    used = used_of(tally, baseline, order.rows)
    limit = (order.measure.limit_pct or 0.0) / 100.0
    if order.measure.limit_pct is None or limit >= 1.0:
        return _undecided("no_cut", used)
    view = view_of(baseline, order.rows, energy=True)
    parts = day_parts(plan, segments)
    usual = usual_in(baseline, view, view.energy_kwh, parts)
    ruling = _weighed(_Asked(plan, order, limit, baseline, view, parts), usual, used, tally)
    if _at_rest(plan, order, tally):
        sure = sure_of_rest(tally)
        return replace(ruling, code=VerdictCode.COMPLIED, confidence=sure, why=())
    return ruling


@dataclass(frozen=True, slots=True)
class _Asked:
    """A limit, and what is compared with."""

    plan: Plan
    order: Order
    limit: float  # share of the usual that may still be used
    baseline: FrozenBaseline
    view: View
    parts: list[DayPart]


def _weighed(asked: _Asked, usual: Usual, used: Used, tally: Tally) -> Ruling:
    """Energy and line counts against the baseline."""
    baseline, view, parts, limit = asked.baseline, asked.view, asked.parts, asked.limit
    if usual.like_days < FEW_DAYS or len(usual.ratios) < FEW_DAYS:
        return _undecided("few_like_days", used, usual)
    if not usual.amount > 0:
        return _undecided("usually_idle", used, usual)
    few = usual.like_days < _PARAMETERS["least_like_days"]
    widened = 2.0 if few else 1.0
    lines = count_lines(baseline, view, parts, tally)
    ratios = usual.ratios
    if lines is not None:
        ratios = consistent(lines, baseline, view, parts, usual, tally)
    spread = Spread(ratios, widened)
    found = words(used, usual.amount, limit, spread)
    code, sure, why = said(found, used.coverage)
    leans = why == ("wide_interval",) and found[VerdictCode.COMPLIED] >= LEANS
    if leans and lines is not None and not asked.plan.whole_plant_only:
        hours = by_hours(lines, baseline, view, parts, tally)
        if _lines_show_the_cut(hours, limit, widened):
            code, sure, why = VerdictCode.COMPLIED, SURE * DECIDES, ("line_count",)
    if code is VerdictCode.COMPLIED and asked.plan.whole_plant_only:
        own = own_doing(baseline, view, view.energy_kwh, parts, used.likely)
        code, sure, why = (VerdictCode.INSUFFICIENT_DATA, 0.0, (own,)) if own else (code, sure, why)
    if asked.order.unresolved and code is VerdictCode.COMPLIED:
        code, sure, why = VerdictCode.INSUFFICIENT_DATA, 0.0, ("unknown_scope",)
    low, high = spread.interval()
    return Ruling(
        code=code,
        confidence=sure,
        why=(*why, "few_like_days") if few else why,
        coverage=round(used.coverage, 4),
        energy_kwh=used.likely,
        baseline_kwh=usual.amount,
        interval_kwh=(low * usual.amount, high * usual.amount),
        missed_share=missed_share(used.likely, usual.amount, limit),
        like_days=usual.like_days,
        circuits_ran=None if lines is None else lines.ran,
        circuits_usual=None if lines is None else lines.usual,
    )
