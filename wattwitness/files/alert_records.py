"""Alerts, their log and the plan check as records of exports and the API."""

from wattwitness.domain.plan_check import PlanFinding
from wattwitness.domain.registry import Enterprise, Measure
from wattwitness.files.records import Record


def hours_text(measure: Measure) -> str | None:
    """The allowed hours of a measure as the registry files write them; None = none."""
    if measure.hours is None:
        return None
    first, last = measure.hours
    return f"{first:%H:%M}-{last:%H:%M}"


def plan_record(finding: PlanFinding, enterprise: Enterprise) -> Record:
    """A finding of the plan check, with whose plan it is."""
    measure = finding.measure
    return {
        "enterprise_id": finding.enterprise_id,
        "name": enterprise.name,
        "district": enterprise.district,
        "industry": enterprise.industry,
        "grade": enterprise.grade.value,
        "level": finding.level.value,
        "action": None if measure is None else measure.action.value,
        "scope": [] if measure is None else list(measure.scope),
        "limit_pct": None if measure is None else measure.limit_pct,
        "hours": None if measure is None else hours_text(measure),
        "grace_min": None if measure is None else measure.grace_min,
        "circuits": list(finding.circuits),
        "standing": finding.standing.value,
        "why": list(finding.why),
        "parts": {part: list(codes) for part, codes in finding.parts.items()},
    }
