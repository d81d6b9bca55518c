"""The registry in the store: load it whole, save any part of it, watch its revision."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from wattwitness.domain.instants import format_instant
from wattwitness.domain.registry import (
    Alert,
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
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements

_Row = asyncpg.Record


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCount:
    """What became of the rows of one registry file."""

    read: int
    stored: int  # new or changed

    @property
    def unchanged(self) -> int:
        """Rows that the store already had as they are."""
        return self.read - self.stored


async def registry_revision(db: Database) -> int:
    """Counts up with every change of the registry; cheap enough to poll."""
    async with db.connection() as connection:
        return int(await connection.fetchval("SELECT revision FROM registry_state"))


async def load_registry(db: Database) -> Registry:
    """The whole registry as one consistent value."""
    async with db.connection() as connection, connection.transaction(isolation="repeatable_read"):
        revision = await connection.fetchval("SELECT revision FROM registry_state")
        rows = {noun: await connection.fetch(query) for noun, query in _LOADS.items()}
    db.facts = None  # the ingest looks at the circuits again, too
    circuits = [_circuit(row) for row in rows["circuits"]]
    return Registry(
        enterprises={e.enterprise_id: e for e in map(_enterprise, rows["enterprises"])},
        gateways={g.gateway_id: g for g in map(_gateway, rows["gateways"])},
        circuits={c.circuit_id: c for c in circuits},
        pairings={p.pairing_id: p for p in map(_pairing, rows["pairings"])},
        measures=tuple(map(_measure, rows["measures"])),
        alerts={a.alert_id: a for a in map(_alert, rows["alerts"])},
        declarations=tuple(map(_declaration, rows["declarations"])),
        inspections=tuple(map(_inspection, rows["inspections"])),
        circuit_keys={row["circuit_id"]: row["circuit_key"] for row in rows["circuits"]},
        revision=revision,
    )


async def save_registry(db: Database, registry: Registry) -> dict[str, SaveCount]:
    """Save what is there, changing only what differs; nothing is ever removed.

    Days with readings of every enterprise that was touched are marked for analysis.

    Returns:
        counts per noun (`enterprises`, `gateways`, …), for the nouns that had rows.
    """
    counts: dict[str, SaveCount] = {}
    touched: set[int] = set()
    async with db.transaction() as connection:
        owners = await _owners(connection, registry)
        for noun, rows in _documents(registry).items():
            if rows:
                saved = await connection.fetch(statements("registry")[f"save_{noun}"], rows)
                counts[noun] = SaveCount(read=len(rows), stored=len(saved))
                touched.update(_enterprise_keys(saved))
        touched.update(await _move_history(connection, owners))
        if any(count.stored for count in counts.values()):
            await connection.execute(statements("registry")["bump_revision"])
            await connection.execute(statements("registry")["mark_changed"], sorted(touched))
    db.facts = None
    return counts


async def _owners(connection: Connection, registry: Registry) -> dict[str, int]:
    """gateway_id → key of its enterprise, as stored now."""
    query = statements("registry")["gateway_owners"]
    rows = await connection.fetch(query, list(registry.gateways))
    return {row["gateway_id"]: row["enterprise_key"] for row in rows}


async def _move_history(connection: Connection, before: Mapping[str, int]) -> set[int]:
    """Follow gateways that changed their enterprise; the keys of both sides."""
    query = statements("registry")["gateway_owners"]
    touched: set[int] = set()
    for row in await connection.fetch(query, list(before)):
        former, owner = before[row["gateway_id"]], row["enterprise_key"]
        if former != owner:
            await connection.execute(statements("registry")["move_data_days"], former, owner)
            touched |= {former, owner}
    return touched


def _enterprise_keys(rows: Iterable[_Row]) -> Iterable[int]:
    for row in rows:
        if "enterprise_keys" in row:
            yield from row["enterprise_keys"] or ()
        else:
            yield row["enterprise_key"]


_LOADS = {
    "enterprises": "SELECT * FROM enterprises ORDER BY enterprise_id",
    "gateways": "SELECT * FROM gateways JOIN enterprises USING (enterprise_key) ORDER BY 1, 2",
    "circuits": "SELECT * FROM circuits JOIN gateways USING (gateway_key) ORDER BY circuit_id",
    "pairings": "SELECT * FROM pairings ORDER BY pairing_id",
    "measures": "SELECT * FROM measures ORDER BY enterprise_id, level, action, scope",
    "alerts": "SELECT * FROM alerts ORDER BY response_from, alert_id",
    "declarations": "SELECT * FROM declarations ORDER BY enterprise_id, from_at, reason, circuits",
    "inspections": "SELECT * FROM inspections ORDER BY enterprise_id, from_at",
}


def _named(row: _Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _enterprise(row: _Row) -> Enterprise:
    names = ("enterprise_id", "name", "credit_code", "district", "industry", "lon", "lat",
             "positive_list", "verified_from", "verified_to")  # fmt: skip
    return Enterprise(grade=Grade(row["grade"]), **_named(row, names))


def _gateway(row: _Row) -> Gateway:
    names = ("gateway_id", "enterprise_id", "interval_s", "mn")
    return Gateway(protocol=Protocol(row["protocol"]), **_named(row, names))


def _circuit(row: _Row) -> Circuit:
    names = ("circuit_id", "gateway_id", "channel", "name", "line", "rated_kw", "resolution_kw",
             "register_resolution_kwh", "nominal_v", "parent_circuit_id")  # fmt: skip
    return Circuit(role=Role(row["role"]), **_named(row, names))


def _pairing(row: _Row) -> Pairing:
    names = ("pairing_id", "require", "lead_min", "start_lag_min", "stop_lag_min", "duty_cycled")
    return Pairing(
        production=tuple(row["production"]), treatment=tuple(row["treatment"]), **_named(row, names)
    )


def _measure(row: _Row) -> Measure:
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


def _alert(row: _Row) -> Alert:
    return Alert(
        level=AlertLevel(row["level"]),
        districts=tuple(row["districts"]),
        **_named(row, ("alert_id", "issued_at", "response_from", "lifted_at")),
    )


def _declaration(row: _Row) -> Declaration:
    return Declaration(
        enterprise_id=row["enterprise_id"],
        from_=row["from_at"],
        to=row["to_at"],
        reason=DeclarationReason(row["reason"]),
        circuits=tuple(row["circuits"]),
        status=DeclarationStatus(row["status"]),
    )


def _inspection(row: _Row) -> Inspection:
    return Inspection(enterprise_id=row["enterprise_id"], from_=row["from_at"], to=row["to_at"])


def _documents(registry: Registry) -> Mapping[str, list[dict[str, Any]]]:
    """Rows as JSON documents, in the order in which they depend on each other."""

    def rows(values: Iterable[Any], document: Callable[[Any], dict[str, Any]]) -> list[Any]:
        return [document(value) for value in values]

    return {
        "enterprises": rows(registry.enterprises.values(), _plain),
        "gateways": rows(registry.gateways.values(), _plain),
        "circuits": rows(registry.circuits.values(), _plain),
        "pairings": rows(registry.pairings.values(), _plain),
        "measures": rows(registry.measures, _measure_document),
        "alerts": rows(registry.alerts.values(), _plain),
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


def _measure_document(measure: Measure) -> dict[str, Any]:
    document = _plain(measure)
    hours = document.pop("hours")
    first, last = hours or (None, None)
    return document | {
        "hours_from": first and first.isoformat(),
        "hours_to": last and last.isoformat(),
    }


def _spanned(value: Declaration | Inspection) -> dict[str, Any]:
    document = _plain(value)
    return document | {"from_at": document.pop("from_"), "to_at": document.pop("to")}
