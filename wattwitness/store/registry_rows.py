"""Values of the registry as rows of its tables, and back."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_origin, get_type_hints

import asyncpg

from wattwitness.domain.instants import format_instant
from wattwitness.domain.registry import (
    Alert,
    AlertChange,
    Circuit,
    Declaration,
    Enterprise,
    Gateway,
    Inspection,
    Measure,
    Pairing,
    Registry,
)

_Row = asyncpg.Record
_Value = TypeVar("_Value")


@cache
def _columns(kind: Callable[..., Any]) -> Mapping[str, Callable[[Any], Any]]:
    """Fields of a value → how their columns are read: words, arrays, or as they are."""

    def read(hint: Any) -> Callable[[Any], Any]:
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return hint
        return tuple if get_origin(hint) is tuple else lambda value: value

    return {name: read(hint) for name, hint in get_type_hints(kind).items()}


def _value(kind: Callable[..., _Value], row: _Row, **known: Any) -> _Value:
    """The value in a row whose columns are named as its fields, but for those that are known."""
    read = {name: parse(row[name]) for name, parse in _columns(kind).items() if name not in known}
    return kind(**read, **known)


def enterprise_of(row: _Row) -> Enterprise:
    """A row of `enterprises`."""
    return _value(Enterprise, row)


def gateway_of(row: _Row) -> Gateway:
    """A row of `gateways`, with its enterprise."""
    return _value(Gateway, row)


def circuit_of(row: _Row) -> Circuit:
    """A row of `circuits`, with its gateway."""
    return _value(Circuit, row)


def pairing_of(row: _Row) -> Pairing:
    """A row of `pairings`."""
    return _value(Pairing, row)


def measure_of(row: _Row) -> Measure:
    """A row of `measures`."""
    hours = (row["hours_from"], row["hours_to"]) if row["hours_from"] is not None else None
    return _value(Measure, row, hours=hours)


def alert_of(row: _Row, changes: Iterable[_Row] = ()) -> Alert:
    """A row of `alerts`, with its rows of `alert_changes` by response."""
    return _value(Alert, row, changes=tuple(_value(AlertChange, c) for c in changes))


def alerts_of(rows: Iterable[_Row], changes: Iterable[_Row]) -> dict[str, Alert]:
    """Alert id → alert; the changes are in the order of their response."""
    by_alert: dict[str, list[_Row]] = {}
    for change in changes:
        by_alert.setdefault(change["alert_id"], []).append(change)
    return {row["alert_id"]: alert_of(row, by_alert.get(row["alert_id"], ())) for row in rows}


def declaration_of(row: _Row) -> Declaration:
    """A row of `declarations`."""
    return _value(Declaration, row, from_=row["from_at"], to=row["to_at"])


def inspection_of(row: _Row) -> Inspection:
    """A row of `inspections`."""
    return _value(Inspection, row, from_=row["from_at"], to=row["to_at"])


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
