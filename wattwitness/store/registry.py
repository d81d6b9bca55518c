"""The registry in the store: load it whole, save any part of it, watch its revision.

What is saved is marked for analysis no further than it reaches: who measures what may change any
day of an enterprise; a declaration the days that it touches; measures, alerts and inspections no
day at all, only what is concluded from all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg

from wattwitness.domain.instants import local_day
from wattwitness.domain.registry import Registry
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.registry_rows import (
    alerts_of,
    circuit_of,
    declaration_of,
    documents,
    enterprise_of,
    gateway_of,
    inspection_of,
    measure_of,
    pairing_of,
)
from wattwitness.store.statements import statements

_Row = asyncpg.Record
_DAY: Final = timedelta(days=1)
_LOGGED: Final = frozenset({"measures", "alerts", "alert_changes"})
_CONCLUDED: Final = _LOGGED | {"inspections"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCount:
    """What became of the rows of one registry file."""

    read: int
    stored: int  # new or changed

    @property
    def unchanged(self) -> int:
        """Rows that the store already had as they are."""
        return self.read - self.stored


@dataclass(slots=True)
class _Touched:
    """What has to be analysed again."""

    zone: ZoneInfo
    whole: set[int] = field(default_factory=set)  # enterprises: all their days
    newest: set[int] = field(default_factory=set)  # enterprises: one day, to conclude again
    spans: set[tuple[int, date, date]] = field(default_factory=set)  # and days of one

    def add(self, noun: str, rows: Iterable[_Row]) -> None:
        """Count in what saving a noun touched."""
        for row in rows:
            keys = _keys(row)
            if noun == "declarations":
                first, last = (local_day(row[at], self.zone) for at in ("from_at", "to_at"))
                self.spans |= {(key, first - _DAY, last + _DAY) for key in keys}
            (self.newest if noun in _CONCLUDED | {"declarations"} else self.whole).update(keys)


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
    circuits = [circuit_of(row) for row in rows["circuits"]]
    return Registry(
        enterprises={e.enterprise_id: e for e in map(enterprise_of, rows["enterprises"])},
        gateways={g.gateway_id: g for g in map(gateway_of, rows["gateways"])},
        circuits={c.circuit_id: c for c in circuits},
        pairings={p.pairing_id: p for p in map(pairing_of, rows["pairings"])},
        measures=tuple(map(measure_of, rows["measures"])),
        alerts=alerts_of(rows["alerts"], rows["alert_changes"]),
        declarations=tuple(map(declaration_of, rows["declarations"])),
        inspections=tuple(map(inspection_of, rows["inspections"])),
        circuit_keys={row["circuit_id"]: row["circuit_key"] for row in rows["circuits"]},
        revision=revision,
    )


async def save_registry(
    db: Database, registry: Registry, *, actor: str = "wattwitness", reason: str = "registry saved"
) -> dict[str, SaveCount]:
    """Save what is there, changing only what differs; nothing is ever removed.

    Days whose findings may change are marked for analysis. What differs in alerts and measures
    leaves an entry in their logs.

    Args:
        db: the database.
        registry: any part of it.
        actor: who saves it, for the logs.
        reason: why.

    Returns:
        counts per noun (`enterprises`, `gateways`, …), for the nouns that had rows.
    """
    signed = ("imported", actor, reason, datetime.now(UTC))
    counts: dict[str, SaveCount] = {}
    touched = _Touched(db.zone)
    async with db.transaction() as connection:
        owners = await _owners(connection, registry)
        for noun, rows in documents(registry).items():
            if rows:
                extra = signed if noun in _LOGGED else ()
                sql = statements("registry")[f"save_{noun}"]
                saved = await connection.fetch(sql, rows, *extra)
                counts[noun] = SaveCount(read=len(rows), stored=len(saved))
                touched.add(noun, saved)
        touched.whole.update(await _move_history(connection, owners))
        if any(count.stored for count in counts.values()):
            await _tell(connection, touched)
    db.facts = None
    return counts


async def concluded_again(connection: Connection, enterprise_keys: Iterable[int]) -> None:
    """Tell that alerts or measures of these enterprises changed, inside a transaction."""
    touched = _Touched(ZoneInfo("UTC"), newest=set(enterprise_keys))
    await _tell(connection, touched)


async def _tell(connection: Connection, touched: _Touched) -> None:
    sql = statements("registry")
    await connection.execute(sql["bump_revision"])
    spans = sorted(touched.spans)
    keys, firsts, lasts = ([span[part] for span in spans] for part in range(3))
    await connection.execute(
        sql["mark_changed"], sorted(touched.whole), sorted(touched.newest), keys, firsts, lasts
    )


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


def _keys(row: _Row) -> list[int]:
    if "enterprise_keys" in row:
        return list(row["enterprise_keys"] or ())
    return [row["enterprise_key"]]


_LOADS = {
    "enterprises": "SELECT * FROM enterprises ORDER BY enterprise_id",
    "gateways": "SELECT * FROM gateways JOIN enterprises USING (enterprise_key) ORDER BY 1, 2",
    "circuits": "SELECT * FROM circuits JOIN gateways USING (gateway_key) ORDER BY circuit_id",
    "pairings": "SELECT * FROM pairings ORDER BY pairing_id",
    "measures": "SELECT * FROM measures ORDER BY enterprise_id, level, action, scope",
    "alerts": "SELECT * FROM alerts ORDER BY response_from, alert_id",
    "alert_changes": "SELECT * FROM alert_changes ORDER BY alert_id, response_from, issued_at",
    "declarations": "SELECT * FROM declarations ORDER BY enterprise_id, from_at, reason, circuits",
    "inspections": "SELECT * FROM inspections ORDER BY enterprise_id, from_at",
}
