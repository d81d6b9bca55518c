"""Entries of the logs of alerts and plans, as pages show them: what differs, in typed values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from wattwitness.domain.alerts import Signature, SignedEntry

_TIMES: Final = frozenset({"issued_at", "response_from", "lifted_at"})
_FIELDS: Final = (
    "level", "action", "scope", "limit_pct", "hours_from", "hours_to", "grace_min", "issued_at",
    "response_from", "lifted_at", "districts",
)  # fmt: skip
_MEASURE: Final = frozenset({"level", "action", "scope"})  # by which a measure is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that an act changed, or by which it is known; None = there was (is) nothing."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEntry:
    """One entry of a log."""

    subject: str  # alert or enterprise
    act: str
    signature: Signature
    differences: tuple[Difference, ...]


def _typed(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name in _TIMES and value is not None else value


def _differences(entry: SignedEntry) -> tuple[Difference, ...]:
    old, new = entry.before or {}, entry.after or {}
    always = _MEASURE if "action" in {*old, *new} else frozenset()
    return tuple(
        Difference(name=name, before=_typed(name, old.get(name)), after=_typed(name, new.get(name)))
        for name in _FIELDS
        if old.get(name) != new.get(name) or (name in always and name in new)
    )


def told(entries: Sequence[SignedEntry]) -> list[ToldEntry]:
    """Entries with what they changed, in their order."""
    return [
        ToldEntry(
            subject=entry.subject,
            act=entry.act.value,
            signature=entry.signature,
            differences=_differences(entry),
        )
        for entry in entries
    ]
