"""Findings as the records of contract §6: plain values, ready for JSON, names as the outside knows.

Used by the export and by the pages' API, so that both always say the same.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import format_instant
from wattwitness.domain.leads import Lead
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.states import StateSpell
from wattwitness.domain.testability import Testability
from wattwitness.domain.verdicts import MeasureVerdict, Verdict

Record = dict[str, Any]
"""One exported object, in the contract's order of names."""


def episode_record(it: Episode) -> Record:
    """An episode."""
    return {
        "episode_id": it.episode_id,
        "enterprise_id": it.enterprise_id,
        "kind": it.kind,
        "from": _instant(it.from_),
        "to": _instant(it.to),
        "detected_at": _instant(it.detected_at),
        "circuits": list(it.circuits),
        "pairing_id": it.pairing_id,
        "confidence": _number(it.confidence),
        "evidence": _plain(it.evidence),
        "rule_version": it.rule_version,
        "suppressed_by": it.suppressed_by,
    }


def lead_record(it: Lead) -> Record:
    """A lead."""
    return {
        "lead_id": it.lead_id,
        "enterprise_id": it.enterprise_id,
        "rank": it.rank,
        "score": _number(it.score),
        "confidence": _number(it.confidence),
        "level": it.level.value,
        "kinds": list(it.kinds),
        "from": _instant(it.from_),
        "to": _instant(it.to),
        "episodes": list(it.episodes),
        "reason": _plain(it.reason),
        "status": it.status,
        "testable": it.testable,
        "registration_check": [pair.pairing_id for pair in it.registration_check],
    }


def state_record(it: StateSpell) -> Record:
    """A spell of one state."""
    return {
        "circuit_id": it.circuit_id,
        "from": _instant(it.from_),
        "to": _instant(it.to),
        "state": it.state.word,
    }


def quality_record(it: DayQuality) -> Record:
    """The quality of one circuit on one local day; null where a rate is not known."""
    return {
        "circuit_id": it.circuit_id,
        "day": it.day.isoformat(),
        "expected": it.expected,
        "received": it.received,
        "valid": it.valid,
        "transmission_rate": _number(it.transmission_rate),
        "validity_rate": _number(it.validity_rate),
        "effective_rate": _number(it.effective_rate),
        "effective_rate_in_time": _number(it.effective_rate_in_time),
    }


def testability_record(it: Testability) -> Record:
    """Whether a rule can be judged; `pairing_id` null = for the enterprise."""
    return {
        "enterprise_id": it.enterprise_id,
        "kind": it.kind,
        "pairing_id": it.pairing_id or None,
        "testable": it.testable,
        "why": it.why,
    }


def verdict_record(it: Verdict) -> Record:
    """A verdict: the contract's names first, what the board shows beside it after them."""
    return {
        "alert_id": it.alert_id,
        "enterprise_id": it.enterprise_id,
        "verdict": it.verdict.value,
        "confidence": _number(it.confidence),
        "as_of": _instant(it.as_of),
        "measures": [_measure_record(measure) for measure in it.measures],
        "level": it.level.value,
        "now_kw": _number(it.now_kw),
        "baseline_kw": _number(it.baseline_kw),
        "required_kw": _number(it.required_kw),
        "grace_until": None if it.grace_until is None else _instant(it.grace_until),
        "why": list(it.why),
        "notes": list(it.notes),
        "rule_version": it.rule_version,
    }


def _measure_record(it: MeasureVerdict) -> Record:
    return {
        "action": it.action.value,
        "scope": ";".join(it.scope),
        "verdict": it.verdict.value,
        "running_minutes": _number(it.running_minutes),
        "allowed_minutes": _number(it.allowed_minutes),
        "energy_kwh": _number(it.energy_kwh),
        "baseline_kwh": _number(it.baseline_kwh),
        "interval_kwh": _plain(it.interval_kwh),
        "coverage": _number(it.coverage),
        "level": it.level.value,
        "circuits": list(it.circuits),
        "confidence": _number(it.confidence),
        "from": _instant(it.from_),
        "to": _instant(it.to),
        "usual_minutes": _number(it.usual_minutes),
        "running_share": _number(it.running_share),
        "missed_share": _number(it.missed_share),
        "circuits_ran": it.circuits_ran,
        "circuits_usual": it.circuits_usual,
        "like_days": it.like_days,
        "why": list(it.why),
    }


def _instant(instant: datetime) -> str:
    return format_instant(instant)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    """Nested values as JSON has them; JSON knows no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return _number(value) if isinstance(value, float) else value
