"""What main meters saw beside their sub-meters while the named circuits seemed to rest.

Sub-meters that read nothing prove nothing where the main meter goes on as usual: production may run
on a feeder that has no meter. The difference of main and sub-meters, beyond what it usually is in
that time, is set against what the named circuits usually use. Asked only where a rule says
`complied`: it takes the word back, or turns it where the whole of the usual energy reappears.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analytics.baselines.frozen import Floats, FrozenBaseline
from analytics.baselines.horizons import Amounts, Usual, usual_in, view_of
from analytics.detectors.unmetered_production import children
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.energy_rule import missed_share
from analytics.verdicts.orders import Order, Plan
from analytics.verdicts.ruling import Ruling
from analytics.verdicts.windows import Segment, day_parts
from wattwitness.domain.registry import MeasureAction, Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.verdicts import VerdictCode

WHY = "shifted_unmetered"
DOUBTFUL = 0.15  # of the usual energy of the named circuits
LEAST_PEAK_SHARE = 0.1  # of their highest power, in the mean
LEAST_PLACEBO = 5  # past days that tell how far the difference strays by itself
SURE = 0.85
_PARAMETERS = CATALOGUE["curtailment_violation"].parameters


def _mains(plan: Plan, order: Order) -> Iterator[tuple[int, list[int]]]:
    """(row of a main meter, rows of its sub-meters) over any named circuit."""
    for row in plan.plant.rows_of(Role.MAIN):
        subs = plan.plant.rows(children(plan.plant, plan.plant.circuits[row].circuit_id))
        if row not in order.rows and set(subs) & set(order.rows):
            yield row, subs


def _difference(
    conduct: Conduct, main: int, subs: Sequence[int], segments: Sequence[Segment]
) -> float | None:
    """Energy of the main without that of its sub-meters [kWh]; None = too little is known."""
    total, known, minutes = 0.0, 0, 0
    for segment in segments:
        part = slice(conduct.place(segment.from_us), conduct.place(segment.to_us))
        beside = conduct.energy_kwh[main, part] - conduct.energy_kwh[list(subs), part].sum(axis=0)
        told = np.isfinite(beside)
        total += float(beside[told].sum(dtype=np.float64))
        known += int(told.sum())
        minutes += len(told)
    if known == 0 or known < _PARAMETERS["least_coverage"] * minutes:
        return None
    return total * minutes / known


@dataclass(frozen=True, slots=True)
class _Beside:
    """Energy of the first row without that of the others."""

    energy_kwh: Amounts

    def at(self, block: int) -> Floats:
        """What had come together when a block began, 0-96 [days, 1]."""
        energy = self.energy_kwh.at(block).astype(np.float64)
        return np.asarray(energy[:, :1] - energy[:, 1:].sum(axis=1, keepdims=True))


def _usual_difference(
    plan: Plan, baseline: FrozenBaseline, main: int, subs: Sequence[int], segments: list[Segment]
) -> Usual:
    view = view_of(baseline, (main, *subs), energy=True)
    parts = [replace(part, rows=(0,)) for part in day_parts(plan, segments)]
    return usual_in(baseline, view, _Beside(view.energy_kwh), parts)


def extra_kwh(
    plan: Plan, order: Order, baseline: FrozenBaseline, conduct: Conduct, segments: list[Segment]
) -> float:
    """Energy beside the sub-meters beyond what is usual; 0 = none, or nobody can tell."""
    extra = 0.0
    for main, subs in _mains(plan, order):
        used = _difference(conduct, main, subs, segments)
        usual = _usual_difference(plan, baseline, main, subs, segments)
        if used is None or not np.isfinite(usual.amount) or len(usual.ratios) < LEAST_PLACEBO:
            continue
        strays = max(1.0, float(usual.ratios.max())) * max(0.0, usual.amount)
        if used > strays:
            extra += used - usual.amount
    return extra


def without_unmetered(
    ruling: Ruling,
    plan: Plan,
    order: Order,
    baseline: FrozenBaseline,
    conduct: Conduct,
    segments: list[Segment],
) -> Ruling:
    """A ruling that stands up to what the main meters saw."""
    if ruling.code is not VerdictCode.COMPLIED:
        return ruling
    extra = extra_kwh(plan, order, baseline, conduct, segments)
    hours = sum(s.to_us - s.from_us for s in segments) / 3.6e9
    if extra <= LEAST_PEAK_SHARE * float(baseline.peak_kw[list(order.rows)].sum()) * hours:
        return ruling
    view = view_of(baseline, order.rows, energy=True)
    usual = usual_in(baseline, view, view.energy_kwh, day_parts(plan, segments)).amount
    if not usual > 0 or extra < DOUBTFUL * usual:
        return ruling
    if _as_missed(ruling, order, extra, usual):
        return replace(ruling, code=VerdictCode.VIOLATED, confidence=SURE, why=(WHY,))
    return replace(
        ruling, code=VerdictCode.INSUFFICIENT_DATA, confidence=0.0, why=(*ruling.why, WHY)
    )


def _as_missed(ruling: Ruling, order: Order, extra: float, usual: float) -> bool:
    """Whether the cut was not made if the extra energy is production of the named circuits."""
    if order.measure.action is not MeasureAction.LIMIT:
        return extra >= _PARAMETERS["violated_share"] * usual
    limit = (order.measure.limit_pct or 0.0) / 100.0
    missed = missed_share((ruling.energy_kwh or 0.0) + extra, usual, limit)
    return missed >= _PARAMETERS["missed_violated"]
