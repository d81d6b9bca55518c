"""Forward-only numbered migrations under an advisory lock.

Files are `NNNN_name.sql`, or `NNNN_name.plain.sql` and `NNNN_name.timescale.sql` where the two
differ. Each runs in one transaction and is recorded by number.
"""

from dataclasses import dataclass

import asyncpg

from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.store.database import SQL, Database
from wattwitness.store.mode import Connection, Mode

_LOCK = 0x57617474  # "Watt"
_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number     int PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step."""

    number: int
    name: str
    sql: str


def load_migrations(mode: Mode) -> list[Migration]:
    """All steps for a mode, in order."""
    variant = "timescale" if mode.hypertable else "plain"
    found = []
    for file in sorted((SQL / "migrations").iterdir(), key=lambda f: f.name):
        stem, *rest = file.name.removesuffix(".sql").split(".")
        if file.name.endswith(".sql") and (not rest or rest == [variant]):
            number, _, name = stem.partition("_")
            found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return found


async def applied(db: Database) -> set[int]:
    """Numbers of the steps that this database has."""
    async with db.connection() as connection:
        if not await connection.fetchval("SELECT to_regclass('migrations') IS NOT NULL"):
            return set()
        return {row["number"] for row in await connection.fetch("SELECT number FROM migrations")}


async def pending(db: Database) -> list[Migration]:
    """Steps still to be applied."""
    done = await applied(db)
    return [step for step in load_migrations(db.mode) if step.number not in done]


async def upgrade(db: Database) -> list[Migration]:
    """Apply what is pending; returns it. Safe to call from several processes at once.

    Raises:
        StoreUnavailableError: the database is newer than this program, or a step failed.
    """
    steps = load_migrations(db.mode)
    async with db.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        try:
            await connection.execute(_TABLE)
            rows = await connection.fetch("SELECT number FROM migrations")
            done = {row["number"] for row in rows}
            unknown = done - {step.number for step in steps}
            if unknown:
                raise StoreUnavailableError(
                    f"the database has migration {max(unknown)}, newer than this program",
                    "upgrade wattwitness",
                )
            return [
                step for step in steps if step.number not in done and await _run(connection, step)
            ]
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _run(connection: Connection, step: Migration) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(step.sql)
            await connection.execute(
                "INSERT INTO migrations (number, name) VALUES ($1, $2)", step.number, step.name
            )
    except asyncpg.PostgresError as error:
        raise StoreUnavailableError(
            f"migration {step.number:04d}_{step.name} failed: {error}",
            "nothing of it was kept; mend the cause and run wattwitness db upgrade again",
        ) from error
    return True
