"""The assessment of an alert as a record of exports and the API."""

from wattwitness.domain.assessed_energy import Saved
from wattwitness.domain.assessment import Assessment, Compliance, PlantLine
from wattwitness.domain.instants import format_instant
from wattwitness.files.records import Record


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def _saved(it: Saved | None) -> Record | None:
    if it is None:
        return None
    return {
        "avoided_kwh": _round(it.kwh),
        "interval_kwh": [_round(end) for end in it.interval_kwh],
        "widest_kwh": [_round(end) for end in it.widest_kwh],
        "baseline_kwh": _round(it.baseline_kwh),
        "used_kwh": _round(it.used_kwh),
        "achieved_cut": _round(it.achieved_cut, 4),
        "enterprises": it.enterprises,
    }


def _compliance(it: Compliance) -> Record:
    return {
        "name": it.name or None,
        "counts": {code.value: n for code, n in it.counts.items()},
        "ordered": it.ordered,
        "decided": it.decided,
        "decided_share": _round(it.decided_share, 4),
        "complied_share": _round(it.complied_share, 4),
    }


def _line(it: PlantLine) -> Record:
    plant, rebound = it.enterprise, it.rebound
    return {
        "enterprise_id": plant.enterprise_id,
        "name": plant.name,
        "district": plant.district,
        "industry": plant.industry,
        "grade": plant.grade.value,
        "verdict": it.code.value,
        "confidence": None if it.verdict is None else _round(it.verdict.confidence, 4),
        "required_cut": _round(it.required_cut, 4),
        "saved": _saved(it.saved),
        "avoidable_kwh": _round(it.avoidable_kwh),
        "only_main_meter": it.only_main_meter,
        "missed_before": list(it.missed_before),
        "before_late_data": it.late_turn.before.value
        if it.late_turn is not None and it.late_turn.before is not None
        else None,
        "rebound": None
        if rebound is None
        else {
            "kwh": _round(rebound.kwh),
            "usual_kwh": _round(rebound.usual_kwh),
            "most_kwh": _round(rebound.most_kwh),
            "like_days": rebound.like_days,
        },
        "why": list(it.why),
        "notes": list(it.notes),
    }


def _summary(it: Assessment) -> Record:
    alert, total = it.alert, it.rebound
    return {
        "alert_id": alert.alert_id,
        "phases": [
            {
                "level": phase.level.value,
                "from": format_instant(phase.from_),
                "to": None if phase.to is None else format_instant(phase.to),
            }
            for phase in it.phases
        ],
        "lifted_at": None if alert.lifted_at is None else format_instant(alert.lifted_at),
        "districts": list(alert.districts),
        "as_of": None if it.as_of is None else format_instant(it.as_of),
        "rebound_why": it.rebound_why or None,
        "rebound": None
        if total is None
        else {
            "enterprises": total.enterprises,
            "kwh": _round(total.kwh),
            "usual_kwh": _round(total.usual_kwh),
            "high": total.high,
        },
    }


def assessment_record(it: Assessment) -> Record:
    """The whole assessment; null = not measured."""
    known = it.caveats
    return {
        **_summary(it),
        "saved": _saved(it.saved),
        "all": _compliance(it.all),
        "by_district": [_compliance(group) for group in it.districts],
        "by_industry": [_compliance(group) for group in it.industries],
        "caveats": {
            "undecided": dict(known.undecided),
            "unmeasured": known.unmeasured,
            "silent_meters": known.silent_meters,
            "only_main_meter": known.only_main_meter,
            "turned_late": known.turned_late,
        },
        "repeated": [line.enterprise.enterprise_id for line in it.repeated],
        "top": [line.enterprise.enterprise_id for line in it.top],
        "enterprises": [_line(line) for line in it.lines],
    }
