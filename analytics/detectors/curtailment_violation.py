"""`curtailment_violation` (应急减排未落实): an ordered cut that the meters do not show.

Method: `analytics.verdicts`. A verdict `partial` or `violated` is one episode, from the first
judged minute of a measure that was not kept to the newest judged one, with the verdict's
confidence. Time and circuits under accepted declarations were left out before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from analytics.calibration import Calibration
from analytics.episodes.plain import evidence_of
from analytics.verdicts.judging import Case
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import DeclarationStatus, MeasureAction
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode

KIND = "curtailment_violation"
ACCUSING = (VerdictCode.PARTIAL, VerdictCode.VIOLATED)
Numbers = dict[str, tuple[float | str, str]]


def _gravest(measures: Sequence[MeasureVerdict]) -> MeasureVerdict:
    """The measure that is told: violated before partial, then the surest."""
    return min(measures, key=lambda m: (m.verdict is VerdictCode.PARTIAL, -m.confidence, m.from_))


def _numbers(verdict: Verdict, measure: MeasureVerdict) -> Numbers:
    found: Numbers = {
        "alert": (verdict.alert_id, ""),
        "alert_level": (verdict.level.value, ""),
        "verdict": (verdict.verdict.value, ""),
        "ordered": (measure.action.value, ""),
        "coverage": (100.0 * measure.coverage, "%"),
        "like_days": (float(measure.like_days), "d"),
    }
    told = {
        "running_minutes": (measure.running_minutes, "min"),
        "allowed_minutes": (measure.allowed_minutes, "min"),
        "usual_minutes": (measure.usual_minutes, "min"),
        "energy_used": (measure.energy_kwh, "kWh"),
        "usual_energy": (measure.baseline_kwh, "kWh"),
    }
    found |= {name: (value, unit) for name, (value, unit) in told.items() if value is not None}
    if measure.running_share is not None and measure.action is not MeasureAction.LIMIT:
        found["running_share"] = (100.0 * measure.running_share, "%")
    if measure.missed_share is not None:
        found["missed_share"] = (100.0 * measure.missed_share, "%")
    if measure.circuits_ran is not None and measure.circuits_usual is not None:
        found["circuits_ran"] = (float(measure.circuits_ran), "")
        found["circuits_usual"] = (float(measure.circuits_usual), "")
    if measure.interval_kwh is not None:
        found["usual_energy_low"] = (measure.interval_kwh[0], "kWh")
        found["usual_energy_high"] = (measure.interval_kwh[1], "kWh")
    return found


def _at_stake_kwh(measures: Sequence[MeasureVerdict]) -> float | None:
    """Energy that was used although it was to be cut."""
    excess = [
        m.energy_kwh if m.action is not MeasureAction.LIMIT else _above_limit(m)
        for m in measures
        if m.energy_kwh is not None
    ]
    known = [value for value in excess if value is not None]
    return max(known) if known else None


def _above_limit(measure: MeasureVerdict) -> float | None:
    if measure.energy_kwh is None or measure.missed_share is None or not measure.baseline_kwh:
        return None
    # missed = (used - p·usual) / ((1 - p)·usual), solved for p·usual
    usual, missed = measure.baseline_kwh, measure.missed_share
    if missed >= 1.0:
        return measure.energy_kwh
    limit = (measure.energy_kwh - missed * usual) / (1.0 - missed)
    return max(0.0, measure.energy_kwh - limit)


def _episode(verdict: Verdict, declaration_id: str | None = None) -> Episode | None:
    accused = [m for m in verdict.measures if m.verdict in ACCUSING]
    if verdict.verdict not in ACCUSING or not accused:
        return None
    main = _gravest(accused)
    begins, ends = min(m.from_ for m in accused), max(m.to for m in accused)
    numbers = _numbers(verdict, main)
    stake = _at_stake_kwh(accused)
    if stake is not None:
        numbers["production_energy"] = (stake, "kWh")
    least = timedelta(minutes=CATALOGUE[KIND].parameters["allowed_min"])
    return Episode(
        enterprise_id=verdict.enterprise_id,
        kind=KIND,
        from_=begins,
        to=ends,
        detected_at=min(begins + least, ends),
        circuits=tuple(sorted({c for m in accused for c in m.circuits})),
        pairing_id=None,
        confidence=verdict.confidence,
        evidence=evidence_of(numbers),
        rule_version=RULE_VERSION,
        suppressed_by=declaration_id,
    )


def _declared(case: Case, calibration: Calibration, as_of: datetime) -> Episode | None:
    """What would be found, had nothing been declared."""
    declaration = next(
        (
            d
            for d in case.plan.plant.declarations
            if d.status is DeclarationStatus.ACCEPTED
            and d.from_ < as_of
            and d.to > case.plan.alert.response_from
        ),
        None,
    )
    if declaration is None:
        return None
    bare = case.undeclared.verdict(to_us(as_of), calibration)
    return _episode(bare, declaration.declaration_id)


def episodes(
    cases: Sequence[Case], verdicts: Sequence[Verdict], calibration: Calibration
) -> list[Episode]:
    """At most one per alert: accusing, or, where only declarations excuse it, suppressed by one.

    Args:
        cases: of an enterprise.
        verdicts: on them, case by case.
        calibration: what confidence is worth.
    """
    found = [
        _episode(verdict) or _declared(case, calibration, verdict.as_of)
        for case, verdict in zip(cases, verdicts, strict=True)
    ]
    return [episode for episode in found if episode is not None]
