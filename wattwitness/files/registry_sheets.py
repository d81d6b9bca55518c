"""The registry files of contract §3: per file its columns, its natural key and its own checks."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from wattwitness.domain.alerts import Complaint, complaint_of_alert, complaint_of_id
from wattwitness.domain.plans import complaint_of_measure
from wattwitness.domain.registry import (
    Alert,
    AlertChange,
    AlertLevel,
    Circuit,
    Declaration,
    DeclarationReason,
    DeclarationStatus,
    Enterprise,
    Gateway,
    Grade,
    Inspection,
    Measure,
    MeasureAction,
    Pairing,
    Protocol,
    Role,
)
from wattwitness.files.registry_cells import (
    Parser,
    clock_hours,
    flag,
    gateway_id,
    identifier,
    instant,
    many,
    number,
    one_of,
    required_units,
    whole,
    words,
)

_DAY_S: Final = 86_400
_POSITIVE: Final = number(0, 1e9, above=True)
_MINUTES: Final = number(0, 1e6)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its cells are read; an empty cell gives the field's default."""

    name: str
    parse: Parser
    required: bool = False
    field: str = ""

    @property
    def target(self) -> str:
        """The field of the value that this column fills."""
        return self.field or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChangeRow:
    """A change in course with the alert that it belongs to."""

    alert_id: str
    level: AlertLevel
    issued_at: datetime
    response_from: datetime

    @property
    def change(self) -> AlertChange:
        """The change by itself."""
        return AlertChange(
            level=self.level, issued_at=self.issued_at, response_from=self.response_from
        )


@dataclass(frozen=True, slots=True)
class SheetKind:
    """One registry file."""

    noun: str  # the file's name without its ending
    value: Callable[..., Any]
    columns: tuple[Column, ...]
    key: tuple[str, ...]  # fields that tell rows apart
    complaint: Callable[[Any], Complaint | None] = lambda _: None

    def key_of(self, value: Any) -> Hashable:
        """What two rows of the file may not have in common."""
        return tuple(getattr(value, name) for name in self.key)


def _enterprise(it: Enterprise) -> Complaint | None:
    if (it.verified_from is None) != (it.verified_to is None):
        missing = "verified_from" if it.verified_from is None else "verified_to"
        return missing, "verified_from and verified_to are given together, or neither is"
    if it.verified_from and it.verified_to and it.verified_to <= it.verified_from:
        return "verified_to", "verified_to is not after verified_from"
    return None


def _pairing(it: Pairing) -> Complaint | None:
    for column in ("production", "treatment"):
        if not getattr(it, column):
            return column, f"{column} names no circuit"
    both = sorted(set(it.production) & set(it.treatment))
    if both:
        return "treatment", f"{both[0]} is production and treatment at once"
    if it.require.isdigit() and int(it.require) > len(it.treatment):
        return "require", f"{it.require} units are required, {len(it.treatment)} are named"
    return None


def _alert(it: Alert) -> Complaint | None:
    return complaint_of_id(it.alert_id) or complaint_of_alert(it)


def _span(it: Declaration | Inspection) -> Complaint | None:
    return ("to", "to is not after from") if it.to <= it.from_ else None


_KINDS = (
    SheetKind(
        "enterprises",
        Enterprise,
        (
            Column("enterprise_id", identifier, required=True),
            Column("name", words, required=True),
            Column("credit_code", words),
            Column("district", words),
            Column("industry", words),
            Column("grade", one_of(Grade)),
            Column("lon", number(-180, 180)),
            Column("lat", number(-90, 90)),
            Column("positive_list", flag),
            Column("verified_from", instant),
            Column("verified_to", instant),
        ),
        ("enterprise_id",),
        _enterprise,
    ),
    SheetKind(
        "gateways",
        Gateway,
        (
            Column("gateway_id", gateway_id, required=True),
            Column("enterprise_id", identifier, required=True),
            Column("protocol", one_of(Protocol)),
            Column("interval_s", whole(1, _DAY_S)),
            Column("mn", words),
        ),
        ("gateway_id",),
    ),
    SheetKind(
        "circuits",
        Circuit,
        (
            Column("circuit_id", identifier, required=True),
            Column("gateway_id", gateway_id, required=True),
            Column("channel", identifier, required=True),
            Column("role", one_of(Role), required=True),
            Column("name", words),
            Column("line", words),
            Column("rated_kw", _POSITIVE),
            Column("resolution_kw", _POSITIVE),
            Column("register_resolution_kwh", _POSITIVE),
            Column("nominal_v", _POSITIVE),
            Column("parent_circuit_id", identifier),
        ),
        ("circuit_id",),
    ),
    SheetKind(
        "pairings",
        Pairing,
        (
            Column("pairing_id", identifier, required=True),
            Column("production", many, required=True),
            Column("treatment", many, required=True),
            Column("require", required_units),
            Column("lead_min", _MINUTES),
            Column("start_lag_min", _MINUTES),
            Column("stop_lag_min", _MINUTES),
            Column("duty_cycled", flag),
        ),
        ("pairing_id",),
        _pairing,
    ),
    SheetKind(
        "measures",
        Measure,
        (
            Column("enterprise_id", identifier, required=True),
            Column("level", one_of(AlertLevel), required=True),
            Column("action", one_of(MeasureAction), required=True),
            Column("scope", many),
            Column("limit_pct", number(0, 100)),
            Column("hours", clock_hours),
            Column("grace_min", _MINUTES),
        ),
        ("enterprise_id", "level", "action", "scope"),
        complaint_of_measure,
    ),
    SheetKind(
        "alerts",
        Alert,
        (
            Column("alert_id", identifier, required=True),
            Column("level", one_of(AlertLevel), required=True),
            Column("issued_at", instant, required=True),
            Column("response_from", instant, required=True),
            Column("lifted_at", instant),
            Column("districts", many),
        ),
        ("alert_id",),
        _alert,
    ),
    SheetKind(
        "alert_changes",
        AlertChangeRow,
        (
            Column("alert_id", identifier, required=True),
            Column("level", one_of(AlertLevel), required=True),
            Column("issued_at", instant, required=True),
            Column("response_from", instant, required=True),
        ),
        ("alert_id", "issued_at"),
    ),
    SheetKind(
        "declarations",
        Declaration,
        (
            Column("enterprise_id", identifier, required=True),
            Column("from", instant, required=True, field="from_"),
            Column("to", instant, required=True),
            Column("reason", one_of(DeclarationReason), required=True),
            Column("circuits", many),
            Column("status", one_of(DeclarationStatus)),
        ),
        ("enterprise_id", "from_", "reason", "circuits"),
        _span,
    ),
    SheetKind(
        "inspections",
        Inspection,
        (
            Column("enterprise_id", identifier, required=True),
            Column("from", instant, required=True, field="from_"),
            Column("to", instant, required=True),
        ),
        ("enterprise_id", "from_"),
        _span,
    ),
)

SHEET_KINDS: Mapping[str, SheetKind] = MappingProxyType({kind.noun: kind for kind in _KINDS})
"""Noun → file, in the order in which they refer to each other."""
