"""What a plant draws now, what is usual at this clock time, what the orders leave of it [kW]."""

from dataclasses import dataclass

import numpy as np

from analytics.baselines.frozen import Floats, FrozenBaseline
from analytics.baselines.horizons import between, view_of
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.orders import Plan, forbidden
from wattwitness.domain.instants import US_PER_MINUTE, day_bounds, from_us, local_day, to_us
from wattwitness.domain.registry import MeasureAction

NEWEST_MIN = 15
LOOK_BACK_MIN = 60  # older is not "now"
AROUND_MIN = 30.0  # of like days, on both sides of the clock time


@dataclass(frozen=True, slots=True)
class Present:
    """Power of the production; None = not known."""

    now_kw: float | None
    baseline_kw: float | None
    required_kw: float | None


def _now_kw(plan: Plan, conduct: Conduct, as_of_us: int) -> float | None:
    end = conduct.place(as_of_us)
    rows = list(plan.production)
    energy = conduct.energy_kwh[rows, max(0, end - LOOK_BACK_MIN) : end]
    told = np.flatnonzero(np.isfinite(energy).all(axis=0))[-NEWEST_MIN:]
    if len(told) == 0:
        return None
    return float(60.0 * energy[:, told].sum(axis=0, dtype=np.float64).mean())


def _usual_kw(plan: Plan, baseline: FrozenBaseline, as_of_us: int) -> Floats | None:
    """Per production circuit, around the clock time of like days."""
    view = view_of(baseline, plan.production, energy=True)
    day = local_day(from_us(as_of_us), plan.plant.zone)
    newest = view.newest.get(baseline.kind(day.toordinal()))
    if newest is None or len(newest) == 0:
        return None
    clock = (as_of_us - to_us(day_bounds(day, plan.plant.zone)[0])) / US_PER_MINUTE
    begin, end = max(0.0, clock - AROUND_MIN), min(1440.0, clock + AROUND_MIN)
    if end <= begin:
        return None
    kwh = between(view.energy_kwh, begin, end)[newest]
    return np.asarray(np.median(kwh, axis=0) * 60.0 / (end - begin))


def _left(plan: Plan, as_of_us: int) -> Floats:
    """Share of its usual power that the orders in force leave each production circuit."""
    share = np.ones(len(plan.production))
    place = {row: n for n, row in enumerate(plan.production)}
    for order in plan.orders:
        if not order.response_us <= as_of_us < order.to_us:
            continue
        own = [place[row] for row in order.rows if row in place]
        if order.measure.action is MeasureAction.LIMIT:
            kept = (order.measure.limit_pct or 0.0) / 100.0
        elif order.measure.action is MeasureAction.STOP:
            kept = 0.0
        else:
            kept = 0.0 if forbidden(order, as_of_us, as_of_us + 1, plan.plant) else 1.0
        share[own] = np.minimum(share[own], kept)
    return share


def present_of(plan: Plan, baseline: FrozenBaseline, conduct: Conduct, as_of_us: int) -> Present:
    """Power now, usual and required, at an instant within the conduct."""
    if not plan.production:
        return Present(None, None, None)
    usual = _usual_kw(plan, baseline, as_of_us)
    now = _now_kw(plan, conduct, as_of_us)
    if usual is None:
        return Present(now, None, None)
    return Present(now, float(usual.sum()), float((usual * _left(plan, as_of_us)).sum()))
