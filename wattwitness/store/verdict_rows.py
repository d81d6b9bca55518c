"""Verdicts as JSON documents of their table, and back."""

import json
from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from typing import Any

from wattwitness.domain.registry import AlertLevel, MeasureAction
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode

Document = dict[str, Any]


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, date):  # instants, too
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, MeasureVerdict | Verdict):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def verdict_document(verdict: Verdict) -> Document:
    """All of a verdict."""
    found = _plain(verdict)
    return dict(found)


def document_text(verdict: Verdict) -> str:
    """All of a verdict, as text."""
    return json.dumps(_plain(verdict))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _measure(held: Document) -> MeasureVerdict:
    interval = held["interval_kwh"]
    changed = {
        "action": MeasureAction(held["action"]),
        "level": AlertLevel(held["level"]),
        "verdict": VerdictCode(held["verdict"]),
        "scope": tuple(held["scope"]),
        "circuits": tuple(held["circuits"]),
        "why": tuple(held["why"]),
        "from_": _instant(held["from_"]),
        "to": _instant(held["to"]),
        "compared_days": tuple(map(date.fromisoformat, held.get("compared_days", ()))),
        "interval_kwh": None if interval is None else (interval[0], interval[1]),
    }
    return MeasureVerdict(**{**held, **changed})


def stored_verdict(held: Document) -> Verdict:
    """A verdict from its document."""
    changed = {
        "level": AlertLevel(held["level"]),
        "verdict": VerdictCode(held["verdict"]),
        "as_of": _instant(held["as_of"]),
        "grace_until": _instant(held["grace_until"]),
        "measures": tuple(_measure(m) for m in held["measures"]),
        "why": tuple(held["why"]),
        "notes": tuple(held["notes"]),
    }
    return Verdict(**{**held, **changed})
