"""The columns of every exported record kind, in the contract's order, each with its type."""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType


class Kind(Enum):
    """What the values of a column are."""

    TEXT = auto()
    NUMBER = auto()
    WHOLE = auto()
    FLAG = auto()
    INSTANT = auto()  # RFC 3339 text in records
    DAY = auto()  # ISO text in records
    IDS = auto()  # a list of texts
    NESTED = auto()  # an object


Columns = Mapping[str, Kind]

_EPISODE = {
    "episode_id": Kind.TEXT,
    "enterprise_id": Kind.TEXT,
    "kind": Kind.TEXT,
    "from": Kind.INSTANT,
    "to": Kind.INSTANT,
    "detected_at": Kind.INSTANT,
    "circuits": Kind.IDS,
    "pairing_id": Kind.TEXT,
    "confidence": Kind.NUMBER,
    "evidence": Kind.NESTED,
    "rule_version": Kind.TEXT,
    "suppressed_by": Kind.TEXT,
}
_LEAD = {
    "lead_id": Kind.TEXT,
    "enterprise_id": Kind.TEXT,
    "rank": Kind.WHOLE,
    "score": Kind.NUMBER,
    "confidence": Kind.NUMBER,
    "level": Kind.TEXT,
    "kinds": Kind.IDS,
    "from": Kind.INSTANT,
    "to": Kind.INSTANT,
    "episodes": Kind.IDS,
    "reason": Kind.NESTED,
    "status": Kind.TEXT,
    "testable": Kind.FLAG,
    "registration_check": Kind.IDS,  # pairings that miss from the first day on
}
_STATE = {
    "circuit_id": Kind.TEXT,
    "from": Kind.INSTANT,
    "to": Kind.INSTANT,
    "state": Kind.TEXT,
}
_QUALITY = {
    "circuit_id": Kind.TEXT,
    "day": Kind.DAY,
    "expected": Kind.WHOLE,
    "received": Kind.WHOLE,
    "valid": Kind.WHOLE,
    "transmission_rate": Kind.NUMBER,
    "validity_rate": Kind.NUMBER,
    "effective_rate": Kind.NUMBER,
    "effective_rate_in_time": Kind.NUMBER,
}
_TESTABILITY = {
    "enterprise_id": Kind.TEXT,
    "kind": Kind.TEXT,
    "pairing_id": Kind.TEXT,
    "testable": Kind.FLAG,
    "why": Kind.TEXT,
}
_PLAN_CHECK = {
    "enterprise_id": Kind.TEXT,
    "name": Kind.TEXT,
    "district": Kind.TEXT,
    "industry": Kind.TEXT,
    "grade": Kind.TEXT,
    "level": Kind.TEXT,
    "action": Kind.TEXT,  # empty = no measure at this level
    "scope": Kind.IDS,
    "limit_pct": Kind.NUMBER,
    "hours": Kind.TEXT,
    "grace_min": Kind.NUMBER,
    "circuits": Kind.IDS,
    "standing": Kind.TEXT,
    "why": Kind.IDS,
    "parts": Kind.NESTED,  # circuit, or part of the scope → which of these codes come from it
}

_VERDICT = {
    "alert_id": Kind.TEXT,
    "enterprise_id": Kind.TEXT,
    "verdict": Kind.TEXT,
    "confidence": Kind.NUMBER,
    "as_of": Kind.INSTANT,
    "measures": Kind.NESTED,  # one object per measure
    "level": Kind.TEXT,
    "now_kw": Kind.NUMBER,
    "baseline_kw": Kind.NUMBER,
    "required_kw": Kind.NUMBER,
    "grace_until": Kind.INSTANT,
    "why": Kind.IDS,
    "notes": Kind.IDS,
    "rule_version": Kind.TEXT,
}

RECORD_COLUMNS: Mapping[str, Columns] = MappingProxyType(
    {
        "leads": _LEAD,
        "episodes": _EPISODE,
        "states": _STATE,
        "quality": _QUALITY,
        "testability": _TESTABILITY,
        "verdicts": _VERDICT,
        "plan_check": _PLAN_CHECK,
    }
)
"""Name of an export → its columns."""
