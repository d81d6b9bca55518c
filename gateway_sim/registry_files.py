"""The registry as the CSV files of the import contract."""

import csv
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import NoneType, SimpleNamespace
from typing import Any, Final

from wattwitness.domain.instants import format_instant
from wattwitness.domain.registry import Registry

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "enterprises": (
        "enterprise_id", "name", "credit_code", "district", "industry", "grade", "lon", "lat",
        "positive_list", "verified_from", "verified_to",
    ),
    "gateways": ("gateway_id", "enterprise_id", "protocol", "interval_s", "mn"),
    "circuits": (
        "circuit_id", "gateway_id", "channel", "role", "name", "line", "rated_kw",
        "resolution_kw", "register_resolution_kwh", "nominal_v", "parent_circuit_id",
    ),
    "pairings": (
        "pairing_id", "production", "treatment", "require", "lead_min", "start_lag_min",
        "stop_lag_min", "duty_cycled",
    ),
    "measures": (
        "enterprise_id", "level", "action", "scope", "limit_pct", "hours", "grace_min",
    ),
    "alerts": ("alert_id", "level", "issued_at", "response_from", "lifted_at", "districts"),
    "alert_changes": ("alert_id", "level", "issued_at", "response_from"),
    "declarations": ("enterprise_id", "from", "to", "reason", "circuits", "status"),
    "inspections": ("enterprise_id", "from", "to"),
}  # fmt: skip
_ROWS: Final[Mapping[str, Callable[[Registry], Iterable[object]]]] = {
    "enterprises": lambda r: r.enterprises.values(),
    "gateways": lambda r: r.gateways.values(),
    "circuits": lambda r: r.circuits.values(),
    "pairings": lambda r: r.pairings.values(),
    "measures": lambda r: r.measures,
    "alerts": lambda r: r.alerts.values(),
    "alert_changes": lambda r: [
        SimpleNamespace(
            alert_id=alert.alert_id,
            level=change.level,
            issued_at=change.issued_at,
            response_from=change.response_from,
        )
        for alert in r.alerts.values()
        for change in alert.changes
    ],
    "declarations": lambda r: r.declarations,
    "inspections": lambda r: r.inspections,
}


def write_registry(registry: Registry, folder: Path) -> list[Path]:
    """Write one CSV per kind into `folder`; returns their paths. Existing files are replaced.

    `alert_changes` is written only if an alert changes in its course.
    """
    paths = []
    for name, columns in _COLUMNS.items():
        if name == "alert_changes" and not any(a.changes for a in registry.alerts.values()):
            continue
        path = folder / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(
                [_cell(column, getattr(value, _attribute(column))) for column in columns]
                for value in _ROWS[name](registry)
            )
        paths.append(path)
    return paths


def _attribute(column: str) -> str:
    return "from_" if column == "from" else column


def _cell(column: str, value: Any) -> str:
    if column == "hours" and value is not None:
        return f"{value[0]:%H:%M}-{value[1]:%H:%M}"
    for kind, text in _TEXTS:
        if isinstance(value, kind):
            return text(value)
    return str(value)


_TEXTS: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (NoneType, lambda _: ""),
    (bool, lambda flag: str(int(flag))),
    (tuple, ";".join),
    (datetime, format_instant),
    (float, lambda number: f"{number:.10g}"),
)
"""Type → text, the first that fits."""
