"""Values of the registry as rows of its tables, and back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from wattwitness.domain.instants import format_instant
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
    Registry,
    Role,
)

_Row = asyncpg.Record


def _named(row: _Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def enterprise_of(row: _Row) -> Enterprise:
    """A row of `enterprises`."""
    names = ("enterprise_id", "name", "credit_code", "district", "industry", "lon", "lat",
             "positive_list", "verified_from", "verified_to")  # fmt: skip
    return Enterprise(grade=Grade(row["grade"]), **_named(row, names))


def gateway_of(row: _Row) -> Gateway:
    """A row of `gateways`, with its enterprise."""
    names = ("gateway_id", "enterprise_id", "interval_s", "mn")
    return Gateway(protocol=Protocol(row["protocol"]), **_named(row, names))


def circuit_of(row: _Row) -> Circuit:
    """A row of `circuits`, with its gateway."""
    names = ("circuit_id", "gateway_id", "channel", "name", "line", "rated_kw", "resolution_kw",
             "register_resolution_kwh", "nominal_v", "parent_circuit_id")  # fmt: skip
    return Circuit(role=Role(row["role"]), **_named(row, names))


def pairing_of(row: _Row) -> Pairing:
    """A row of `pairings`."""
    names = ("pairing_id", "require", "lead_min", "start_lag_min", "stop_lag_min", "duty_cycled")
    return Pairing(
        production=tuple(row["production"]), treatment=tuple(row["treatment"]), **_named(row, names)
    )


def measure_of(row: _Row) -> Measure:
    """A row of `measures`."""
    hours = (row["hours_from"], row["hours_to"]) if row["hours_from"] is not None else None
    return Measure(
        enterprise_id=row["enterprise_id"],
        level=AlertLevel(row["level"]),
        action=MeasureAction(row["action"]),
        scope=tuple(row["scope"]),
        limit_pct=row["limit_pct"],
        hours=hours,
        grace_min=row["grace_min"],
    )


def alert_of(row: _Row, changes: Iterable[_Row] = ()) -> Alert:
    """A row of `alerts`, with its rows of `alert_changes` by response."""
    return Alert(
        level=AlertLevel(row["level"]),
        districts=tuple(row["districts"]),
        changes=tuple(
            AlertChange(
                level=AlertLevel(change["level"]),
                issued_at=change["issued_at"],
                response_from=change["response_from"],
            )
            for change in changes
        ),
        **_named(row, ("alert_id", "issued_at", "response_from", "lifted_at")),
    )


def alerts_of(rows: Iterable[_Row], changes: Iterable[_Row]) -> dict[str, Alert]:
    """Alert id → alert; the changes are in the order of their response."""
    by_alert: dict[str, list[_Row]] = {}
    for change in changes:
        by_alert.setdefault(change["alert_id"], []).append(change)
    return {row["alert_id"]: alert_of(row, by_alert.get(row["alert_id"], ())) for row in rows}


def declaration_of(row: _Row) -> Declaration:
    """A row of `declarations`."""
    return Declaration(
        enterprise_id=row["enterprise_id"],
        from_=row["from_at"],
        to=row["to_at"],
        reason=DeclarationReason(row["reason"]),
        circuits=tuple(row["circuits"]),
        status=DeclarationStatus(row["status"]),
    )


def inspection_of(row: _Row) -> Inspection:
    """A row of `inspections`."""
    return Inspection(enterprise_id=row["enterprise_id"], from_=row["from_at"], to=row["to_at"])


def documents(registry: Registry) -> Mapping[str, list[dict[str, Any]]]:
    """Noun → rows as JSON documents, in the order in which they depend on each other."""

    def rows(values: Iterable[Any], document: Callable[[Any], dict[str, Any]]) -> list[Any]:
        return [document(value) for value in values]

    return {
        "enterprises": rows(registry.enterprises.values(), _plain),
        "gateways": rows(registry.gateways.values(), _plain),
        "circuits": rows(registry.circuits.values(), _plain),
        "pairings": rows(registry.pairings.values(), _plain),
        "measures": rows(registry.measures, measure_document),
        "alerts": rows(registry.alerts.values(), alert_document),
        "alert_changes": [
            change_document(alert.alert_id, change)
            for alert in registry.alerts.values()
            for change in alert.changes
        ],
        "declarations": rows(registry.declarations, _spanned),
        "inspections": rows(registry.inspections, _spanned),
    }


def _plain(value: Any) -> dict[str, Any]:
    """A frozen value → its fields as JSON values."""
    found = {name: getattr(value, name) for name in value.__dataclass_fields__}
    return {
        name: format_instant(item)
        if isinstance(item, datetime)
        else list(item)
        if isinstance(item, tuple)
        else item
        for name, item in found.items()
    }


def measure_document(measure: Measure) -> dict[str, Any]:
    """The row of a measure."""
    document = _plain(measure)
    hours = document.pop("hours")
    first, last = hours or (None, None)
    return document | {
        "hours_from": first and first.isoformat(),
        "hours_to": last and last.isoformat(),
    }


def alert_document(alert: Alert) -> dict[str, Any]:
    """The row of an alert, without its changes."""
    document = _plain(alert)
    del document["changes"]
    return document


def change_document(alert_id: str, change: AlertChange) -> dict[str, Any]:
    """The row of a change in course."""
    return {"alert_id": alert_id, **_plain(change)}


def _spanned(value: Declaration | Inspection) -> dict[str, Any]:
    document = _plain(value)
    return document | {"from_at": document.pop("from_"), "to_at": document.pop("to")}
