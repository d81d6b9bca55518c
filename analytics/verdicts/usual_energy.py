"""What the circuits of a `stop` or `hours` order would have used, once its time is over.

These are judged by minutes; the energy is told beside the word, for the assessment after the lift.
It is found when the order has ended and not minute by minute: nobody needs it while it runs, and
the live re-verdict of a city stays as fast as it is.
"""

from dataclasses import replace

from analytics.baselines.frozen import FrozenBaseline
from analytics.baselines.horizons import usual_in, view_of
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.energy_rule import FEW_DAYS, used_of
from analytics.verdicts.orders import Order, Plan
from analytics.verdicts.ruling import Ruling
from analytics.verdicts.uncertainty import Spread
from analytics.verdicts.windows import day_parts, segments_of, tally_of
from wattwitness.domain.verdicts import VerdictCode

LEAST_COVERAGE = 0.9
_DECIDED = {VerdictCode.COMPLIED, VerdictCode.PARTIAL, VerdictCode.VIOLATED}


def with_usual_energy(
    ruling: Ruling,
    plan: Plan,
    order: Order,
    baseline: FrozenBaseline,
    conduct: Conduct,
    as_of_us: int,
) -> Ruling:
    """The ruling on an order that has ended, with its energy, baseline and interval [kWh].

    As it was while the order runs, where the ruling holds a baseline or decides nothing, and where
    the energy of the time, or of like days, is not known well enough.
    """
    told = ruling.baseline_kwh is not None or ruling.code not in _DECIDED
    if told or as_of_us < order.to_us:
        return ruling
    segments = segments_of(plan, order, order.from_us, order.to_us)
    used = used_of(tally_of(conduct, order, segments), baseline, order.rows)
    if used.coverage < LEAST_COVERAGE:
        return ruling
    view = view_of(baseline, order.rows, energy=True)
    usual = usual_in(baseline, view, view.energy_kwh, day_parts(plan, segments))
    if min(usual.like_days, len(usual.ratios)) < FEW_DAYS or not usual.amount > 0:
        return ruling
    low, high = Spread(usual.ratios).interval()
    return replace(
        ruling,
        energy_kwh=used.likely,
        baseline_kwh=usual.amount,
        interval_kwh=(low * usual.amount, high * usual.amount),
    )
