"""A real PostgreSQL for a chapter, and its tables held against the books."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.fuzz import world
from benchmarks.fuzz.account import Books, counted
from wattwitness.domain.registry import Registry
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import read_block
from wattwitness.store.registry import load_registry, save_registry

_DAYS = """
SELECT gateway_id, sum(received)::bigint AS received, sum(stored)::bigint AS stored,
       sum(duplicate)::bigint AS duplicate, sum(revision)::bigint AS revision
FROM gateway_days GROUP BY gateway_id
"""
_REASONS = "SELECT gateway_id, code, sum(readings)::bigint AS n FROM gateway_rejects GROUP BY 1, 2"
_TABLES = """
SELECT (SELECT count(*) FROM revisions) AS revisions,
       (SELECT coalesce(sum(readings), 0) FROM rejects)
       + (SELECT coalesce(sum(readings), 0) FROM parked) AS kept,
       (SELECT count(*) FROM gateway_days
        WHERE received <> stored + duplicate + revision + rejected) AS crooked
"""


@asynccontextmanager
async def fresh_database() -> AsyncIterator[tuple[Database, Registry]]:
    """A new database with the world's registry."""
    with tempfile.TemporaryDirectory(prefix="wattwitness-fuzz-") as folder:
        async with (
            services(Settings(home=Path(folder)), database=True) as found,
            await Database.open(found.dsn, application="fuzz") as db,
        ):
            await upgrade(db)
            await save_registry(db, world.registry())
            yield db, await load_registry(db)


async def compare_tables(db: Database, registry: Registry, books: Books) -> list[str]:
    """What the tables hold and the counts say, against the books; one line per difference."""
    async with db.connection() as connection:
        days = await connection.fetch(_DAYS)
        reasons = await connection.fetch(_REASONS)
        tables = await connection.fetchrow(_TABLES)
    assert tables is not None  # noqa: S101 - a SELECT without FROM gives one row
    found = {
        row["gateway_id"]: {k: v for k, v in row.items() if v and k != "gateway_id"} for row in days
    }
    for row in reasons:
        if row["n"]:
            found.setdefault(row["gateway_id"], {})[row["code"]] = row["n"]
    wanted = {name: dict(+counts) for name, counts in books.by_gateway.items() if +counts}
    wrong = [
        f"gateway {name!r} counts {found.get(name)}, it has to be {wanted.get(name)}"
        for name in sorted(found.keys() | wanted.keys())
        if (found.get(name) or {}) != (wanted.get(name) or {})
    ]
    rows = await read_block(db, sorted(registry.circuit_keys.values()), 0, 2**52)
    stored = {(key, ts_us): counts for key, ts_us, counts in counted(rows)}
    if len(rows) != len(stored) or stored != books.rows:
        differ = {
            k for k in stored.keys() | books.rows.keys() if stored.get(k) != books.rows.get(k)
        }
        some = [(k, stored.get(k), books.rows.get(k)) for k in sorted(differ)[:3]]
        wrong.append(f"{len(differ)} of {len(books.rows)} stored readings differ, such as {some}")
    kept = books.total.rejected
    for name, n in (("revisions", len(books.revisions)), ("kept", kept), ("crooked", 0)):
        if tables[name] != n:
            wrong.append(f"{name}: {tables[name]} in the tables, it has to be {n}")
    return wrong
