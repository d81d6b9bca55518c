"""Plan, frozen baseline and conduct → a verdict. Pure, and cheap enough for every minute.

plan_of      what an alert demands of a plant              (registry)
freeze       what the plant usually does, before the issue (history, once per alert)
conduct_of   what it did, minute by minute                 (history, or live minutes)
judge        the verdict at an instant
verdicts_of  all of it, for every alert of a history
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from analytics.baselines.frozen import FrozenBaseline, freeze
from analytics.calibration import CALIBRATION, Calibration
from analytics.detectors.stages import History
from analytics.verdicts.combining import combined
from analytics.verdicts.conduct import Conduct, conduct_of
from analytics.verdicts.measured import GRAVITY, judged, rounded
from analytics.verdicts.notes import beside, notes_of, shifted_to_night
from analytics.verdicts.orders import Plan, plan_of, undeclared
from analytics.verdicts.present import present_of
from wattwitness.domain.alerts import level_at
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.registry import VOLUNTARY, Alert
from wattwitness.domain.rules import RULE_VERSION
from wattwitness.domain.verdicts import Verdict, VerdictCode

__all__ = [
    "Case",
    "case_of",
    "cases_of",
    "conduct_of",
    "freeze",
    "judge",
    "plan_of",
    "rejudged",
    "verdicts_of",
]


def _exempt_why(plan: Plan, until_us: int) -> str:
    """Why nothing is demanded of this enterprise at all; empty = something is."""
    if plan.ends_us <= plan.begins_us:
        return "called_off"
    begun = [o for o in plan.orders if o.response_us < max(until_us, plan.begins_us + 1)]
    if not begun:
        return "voluntary" if plan.grade in VOLUNTARY else "no_measure"
    if any(a <= plan.begins_us and b >= until_us for a, b in plan.everything_declared):
        return "declared"
    return ""


def judge(
    plan: Plan,
    baseline: FrozenBaseline,
    conduct: Conduct,
    as_of_us: int,
    notes: Sequence[str] = (),
    calibration: Calibration = CALIBRATION,
) -> Verdict:
    """The verdict on an enterprise under an alert.

    Args:
        plan: from `plan_of`.
        baseline: from `freeze`.
        conduct: minutes from the first response (or earlier) to `as_of_us` (or later); what it does
            not reach counts as not known.
        as_of_us: data time up to which is judged; after the lift the lift is taken [µs].
        notes: what the history tells beside it (`notes_of`).
        calibration: what confidence is worth.
    """
    until = min(as_of_us, plan.ends_us)
    why = _exempt_why(plan, until)
    if why:
        return replace(_blank(plan, until, why, notes), verdict=VerdictCode.EXEMPT, confidence=1.0)
    blank = _blank(plan, until, "not_begun", notes)
    if until <= plan.begins_us:
        return blank
    begun = [order for order in plan.orders if order.response_us < until]
    measures = [judged(plan, o, baseline, conduct, as_of_us, calibration) for o in begun]
    code, confidence, reasons = combined(measures)
    power = present_of(plan, baseline, conduct, until)
    graces = [o.from_us for o in plan.orders if o.response_us < until < min(o.from_us, o.to_us)]
    missed = [o for o, m in zip(begun, measures, strict=True) if m.verdict in GRAVITY]
    told = dict.fromkeys((*notes, *shifted_to_night(plan, baseline, conduct, until, missed)))
    return replace(
        blank,
        verdict=code,
        confidence=confidence,
        measures=tuple(measures),
        now_kw=rounded(power.now_kw, 2),
        baseline_kw=rounded(power.baseline_kw, 2),
        required_kw=rounded(power.required_kw, 2),
        grace_until=from_us(max(graces)) if graces else None,
        why=reasons,
        notes=tuple(told),
    )


def _blank(plan: Plan, until_us: int, why: str, notes: Sequence[str]) -> Verdict:
    """A verdict without any measure judged."""
    return Verdict(
        alert_id=plan.alert.alert_id,
        enterprise_id=plan.plant.enterprise_id,
        level=level_at(plan.alert, from_us(until_us)),
        verdict=VerdictCode.INSUFFICIENT_DATA,
        confidence=0.0,
        as_of=from_us(until_us),
        why=(why,),
        notes=tuple(notes),
        rule_version=RULE_VERSION,
        basis=plan.basis,
    )


@dataclass(frozen=True, eq=False)
class Case:
    """An enterprise under an alert: all that a verdict at any instant rests on."""

    plan: Plan
    baseline: FrozenBaseline
    conduct: Conduct
    notes: Sequence[str] = ()

    def verdict(self, as_of_us: int, calibration: Calibration = CALIBRATION) -> Verdict:
        """The verdict at an instant."""
        return judge(self.plan, self.baseline, self.conduct, as_of_us, self.notes, calibration)

    @cached_property
    def undeclared(self) -> "Case":
        """The same, had nothing been declared."""
        return replace(self, plan=undeclared(self.plan))


def case_of(history: History, alert: Alert, episodes: Sequence[Episode] = ()) -> Case:
    """The case of an enterprise under one alert.

    Args:
        history: of the enterprise.
        alert: that concerns it.
        episodes: of the enterprise, for the notes.
    """
    plan = plan_of(history.plant, history.measures, history.grade, alert)
    until = min(history.watermark_us, plan.ends_us)
    return Case(
        plan,
        freeze(history, alert),
        conduct_of(history, min(plan.begins_us, until), until),
        notes_of(history, alert, episodes),
    )


def cases_of(history: History, episodes: Sequence[Episode] | None = None) -> list[Case]:
    """The cases of an enterprise, by response and alert id.

    Args:
        history: of the enterprise.
        episodes: of the enterprise, for the notes; None = those are looked for here.
    """
    ordered = sorted(history.alerts, key=lambda a: (a.response_from, a.alert_id))
    if not ordered:
        return []
    told = beside(history) if episodes is None else episodes
    return [case_of(history, alert, told) for alert in ordered]


def verdicts_of(
    history: History,
    episodes: Sequence[Episode] | None = None,
    calibration: Calibration = CALIBRATION,
) -> list[Verdict]:
    """Verdicts of an enterprise at the newest data, by response and alert id."""
    cases = cases_of(history, episodes)
    return [case.verdict(history.watermark_us, calibration) for case in cases]


def rejudged(
    cases: Sequence[Case], judged_until: Mapping[str, datetime]
) -> dict[str, tuple[datetime, VerdictCode]]:
    """What is said today of the instants that were judged before, by alert id.

    Where it is another word than was said then, late data turned it and not the time that passed.
    """
    found = {}
    for case in cases:
        at = judged_until.get(case.plan.alert.alert_id)
        if at is not None:
            found[case.plan.alert.alert_id] = (at, case.verdict(to_us(at)).verdict)
    return found
