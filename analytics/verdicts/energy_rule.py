"""`limit`: energy against the frozen baseline, with the plant's own uncertainty.

The share of the cut that was missed is (used - allowed) / (baseline - allowed). Each ratio of
actual to usual on a placebo day is one baseline that could have been; a word is said when enough
of them agree. Energy that is not known could be anything up to the circuits' highest level: it
counts in full against `complied`, and not at all against the plant.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.baselines.frozen import Floats, FrozenBaseline
from analytics.baselines.horizons import DayPart, Usual, View, usual_in, usual_rows, view_of
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.orders import Order, Plan
from analytics.verdicts.ruling import Ruling
from analytics.verdicts.uncertainty import Spread
from analytics.verdicts.whole_plant import own_doing
from analytics.verdicts.windows import Segment, Tally, day_parts, tally_of
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.verdicts import VerdictCode

FEW_DAYS = 5  # below: no baseline; from here to ten: one twice as uncertain
DECIDES = 0.85  # probability of a word that is said
NOT_CUT = 0.97  # probability that the cut was not made, without saying by how much it was missed
WENT_ON = 0.5  # of its usual minutes: a circuit that was not stopped
RUNS_LESS = 0.1  # running share below what ran now, from which a past window is another case
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


def _consistent(
    baseline: FrozenBaseline, view: View, parts: Sequence[DayPart], usual: Usual, tally: Tally
) -> Floats:
    """Ratios of the past windows that what ran does not contradict.

    Nobody runs more because of a cut. A past window in which less ran than now (a day without
    orders, a breakdown) is none that could have been instead.
    """
    known = tally.known_min.sum() >= _PARAMETERS["least_coverage"] * tally.span_min.sum()
    if not known:
        return usual.ratios
    # circuits that went on tell more than those that were stopped
    own = usual_rows(baseline, view, view.running_min, parts)
    went_on = np.flatnonzero((own > 0) & (tally.running_min >= WENT_ON * own))
    if len(went_on) == 0:
        return usual.ratios
    kept_on = set(went_on.tolist())
    narrowed = [replace(p, rows=tuple(r for r in p.rows if r in kept_on)) for p in parts]
    runs = usual_in(baseline, view, view.running_min, narrowed)
    if not runs.amount > 0:
        return usual.ratios
    ran = float(tally.running_min[went_on].sum()) / runs.amount
    at = dict(zip(runs.starts.tolist(), runs.ratios.tolist(), strict=True))
    kept = np.array([at.get(start, ran) >= ran - RUNS_LESS for start in usual.starts.tolist()])
    return usual.ratios[kept] if kept.sum() >= FEW_DAYS else usual.ratios


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
    if usual.like_days < FEW_DAYS or len(usual.ratios) < FEW_DAYS:
        return _undecided("few_like_days", used, usual)
    if not usual.amount > 0:
        return _undecided("usually_idle", used, usual)
    few = usual.like_days < _PARAMETERS["least_like_days"]
    ratios = _consistent(baseline, view, parts, usual, tally)
    spread = Spread(ratios, 2.0 if few else 1.0)
    code, sure, why = said(words(used, usual.amount, limit, spread), used.coverage)
    if code is VerdictCode.COMPLIED and plan.whole_plant_only:
        own = own_doing(baseline, view, view.energy_kwh, parts, used.likely)
        code, sure, why = (VerdictCode.INSUFFICIENT_DATA, 0.0, (own,)) if own else (code, sure, why)
    if order.unresolved and code is VerdictCode.COMPLIED:
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
    )
