"""Warnings of rules that hold right now and are no episodes yet; see sql/early_warnings.sql."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements
from wattwitness.store.watching import keys_resting_on


async def replace_warnings(
    connection: Connection, enterprise_id: str, key: int, warnings: Sequence[EarlyWarning]
) -> None:
    """The warnings of an enterprise, within a transaction of the caller."""
    ordered = sorted(warnings, key=lambda w: (w.from_, w.kind, w.pairing_id))
    if ordered == await _stored(connection, enterprise_id):
        return
    sql = statements("early_warnings")
    await connection.execute(sql["delete_warnings"], key)
    await connection.executemany(
        sql["insert_warning"],
        [
            (key, w.kind, w.pairing_id, w.from_, w.to, w.known_minutes, w.required_minutes)
            for w in warnings
        ],
    )


async def save_live_warnings(
    db: Database, found: Mapping[str, Sequence[EarlyWarning]], rests_on: Mapping[str, datetime]
) -> None:
    """Replace the warnings of enterprises that nobody has analysed meanwhile, in one transaction.

    Args:
        db: the database.
        found: enterprise → all its warnings.
        rests_on: enterprise → the analysis (its wall clock) that these go on from.
    """
    async with db.transaction() as connection:
        keys = await keys_resting_on(connection, found.keys(), rests_on)
        for enterprise_id, key in keys.items():
            await replace_warnings(connection, enterprise_id, key, found[enterprise_id])


async def _stored(connection: Connection, enterprise_id: str | None) -> list[EarlyWarning]:
    rows = await connection.fetch(statements("early_warnings")["list_warnings"], enterprise_id)
    return [
        EarlyWarning(
            enterprise_id=row["enterprise_id"],
            kind=row["kind"],
            pairing_id=row["pairing_id"],
            from_=row["from_at"],
            to=row["to_at"],
            known_minutes=row["known_minutes"],
            required_minutes=row["required_minutes"],
        )
        for row in rows
    ]


async def list_warnings(db: Database, enterprise_id: str | None = None) -> list[EarlyWarning]:
    """Warnings, the oldest first; of one enterprise or of all."""
    async with db.connection() as connection:
        return await _stored(connection, enterprise_id)


async def warnings_mark(db: Database) -> str:
    """Another text whenever a warning came, went, or lasts longer."""
    async with db.connection() as connection:
        return str(await connection.fetchval(statements("early_warnings")["mark"]))
