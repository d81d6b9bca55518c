"""One order → the verdict on its measure: the rule that fits it, and what stands in its way."""

from dataclasses import replace
from datetime import date

import numpy as np

from analytics.baselines.frozen import FrozenBaseline
from analytics.baselines.horizons import compared_days
from analytics.calibration import Calibration
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.energy_rule import rule_energy
from analytics.verdicts.orders import Order, Plan, undeclared
from analytics.verdicts.ruling import Ruling
from analytics.verdicts.running_rule import rule_running
from analytics.verdicts.unmetered import without_unmetered
from analytics.verdicts.usual_energy import with_usual_energy
from analytics.verdicts.windows import segments_of
from wattwitness.domain.instants import US_PER_MINUTE, from_us, local_day
from wattwitness.domain.registry import MeasureAction
from wattwitness.domain.verdicts import MeasureVerdict, VerdictCode

ON_ITS_WAY_MIN = 15  # newest minutes that none of the circuits has sent yet are not missing
GRAVITY = {VerdictCode.PARTIAL: 1, VerdictCode.VIOLATED: 2}
"""Words that accuse, the graver the higher."""


def _nothing_sent(conduct: Conduct, order: Order, end_us: int) -> int:
    """Where the order's circuits stop being known, if that is only minutes before `end_us`."""
    end = conduct.place(end_us)
    rows = list(order.rows)
    tail = slice(max(0, end - ON_ITS_WAY_MIN), end)
    told = conduct.known[rows, tail] | np.isfinite(conduct.energy_kwh[rows, tail])
    last = np.flatnonzero(told.any(axis=0))
    if len(last) == 0:
        return end_us
    return min(end_us, conduct.start_us + (tail.start + int(last[-1]) + 1) * US_PER_MINUTE)


def _unjudged(code: VerdictCode, why: str) -> Ruling:
    return Ruling(code=code, confidence=1.0 if code is VerdictCode.EXEMPT else 0.0, why=(why,))


def _ruled(
    plan: Plan, order: Order, baseline: FrozenBaseline, conduct: Conduct, end_us: int
) -> Ruling:
    if end_us <= order.from_us:
        return _unjudged(VerdictCode.INSUFFICIENT_DATA, "grace")
    if not order.rows:
        why = "no_circuits" if not plan.plant.circuits else "unknown_scope"
        return _unjudged(VerdictCode.INSUFFICIENT_DATA, why)
    segments = segments_of(plan, order, order.from_us, end_us)
    if not segments:
        within = segments_of(undeclared(plan), order, order.from_us, end_us)
        if within:
            return _unjudged(VerdictCode.EXEMPT, "declared")
        return _unjudged(VerdictCode.INSUFFICIENT_DATA, "grace")  # its hours have not ended yet
    rule = rule_energy if order.measure.action is MeasureAction.LIMIT else rule_running
    ruling = rule(plan, order, baseline, conduct, segments)
    ruling = without_unmetered(ruling, plan, order, baseline, conduct, segments)
    if GRAVITY.get(ruling.code, 0) and not plan.declared.keys().isdisjoint(order.rows):
        # what is declared may excuse, never accuse: the rest alone is judged no worse than all
        bare = _ruled(undeclared(plan), order, baseline, conduct, end_us)
        if GRAVITY.get(bare.code, 0) < GRAVITY[ruling.code]:
            return replace(ruling, code=bare.code, confidence=bare.confidence, why=bare.why)
    return ruling


def _compared(plan: Plan, order: Order, baseline: FrozenBaseline) -> tuple[date, ...]:
    energy = order.measure.action is MeasureAction.LIMIT
    day = local_day(from_us(order.from_us), plan.plant.zone)
    return compared_days(baseline, order.rows, day, energy=energy)


def _measure(
    plan: Plan, order: Order, baseline: FrozenBaseline, ruling: Ruling, end_us: int, sure: float
) -> MeasureVerdict:
    circuits = plan.plant.circuits
    return MeasureVerdict(
        action=order.measure.action,
        scope=order.measure.scope,
        level=order.measure.level,
        circuits=tuple(circuits[row].circuit_id for row in order.rows),
        verdict=ruling.code,
        confidence=round(sure, 4),
        from_=from_us(order.from_us),
        to=from_us(max(order.response_us, end_us)),
        running_minutes=rounded(ruling.running_minutes, 1),
        allowed_minutes=rounded(ruling.allowed_minutes, 1),
        usual_minutes=rounded(ruling.usual_minutes, 1),
        energy_kwh=rounded(ruling.energy_kwh, 2),
        baseline_kwh=rounded(ruling.baseline_kwh, 2),
        interval_kwh=None
        if ruling.interval_kwh is None
        else (round(ruling.interval_kwh[0], 2), round(ruling.interval_kwh[1], 2)),
        missed_share=rounded(ruling.missed_share, 4),
        coverage=ruling.coverage,
        why=ruling.why,
        running_share=rounded(ruling.running_share, 4),
        circuits_ran=ruling.circuits_ran,
        circuits_usual=ruling.circuits_usual,
        like_days=ruling.like_days,
        compared_days=_compared(plan, order, baseline) if order.rows else (),
    )


def judged(
    plan: Plan,
    order: Order,
    baseline: FrozenBaseline,
    conduct: Conduct,
    as_of_us: int,
    calibration: Calibration,
) -> MeasureVerdict:
    """The verdict on one order that has begun.

    Args:
        plan: that it belongs to.
        order: of the plan.
        baseline: of the alert.
        conduct: minutes since the first response.
        as_of_us: judged up to here, or to the order's own end [µs].
        calibration: what confidence is worth.
    """
    end = min(order.to_us, as_of_us)
    if order.rows and order.to_us > as_of_us:
        end = _nothing_sent(conduct, order, end)
    ruling = _ruled(plan, order, baseline, conduct, end)
    ruling = with_usual_energy(ruling, plan, order, baseline, conduct, as_of_us)
    sure = calibration.verdict(order.measure.action, ruling.code, round(ruling.confidence, 4))
    return _measure(plan, order, baseline, ruling, end, sure)


def rounded(value: float | None, digits: int) -> float | None:
    """A number as it is told; None for what is not known."""
    return None if value is None or not np.isfinite(value) else round(value, digits)
