"""Notes of calls to enterprises under an alert; only ever added to."""

from dataclasses import replace

import asyncpg

from wattwitness.domain.call_notes import CallNote
from wattwitness.domain.errors import InputRefusedError
from wattwitness.store.database import Database
from wattwitness.store.statements import statements


def _note(row: asyncpg.Record) -> CallNote:
    return CallNote(**dict(row))


async def add_call_note(db: Database, note: CallNote) -> CallNote:
    """Keep a note; its number is given here.

    Raises:
        InputRefusedError: no such alert, or the enterprise is not under it, or a promise that
            was past when it was given.
    """
    if note.promised_at is not None and note.promised_at <= note.at:
        raise InputRefusedError("the promised time is past", "write when it will be done")
    sql = statements("call_notes")
    async with db.transaction() as connection:
        if not await connection.fetchval(sql["is_concerned"], note.alert_id, note.enterprise_id):
            raise InputRefusedError(
                "{name!r} is not under an alert {alert_id!r}",
                "see wattwitness alert list",
                name=note.enterprise_id,
                alert_id=note.alert_id,
            )
        number = await connection.fetchval(
            sql["insert_note"], note.alert_id, note.enterprise_id, note.at, note.actor, note.text,
            note.promised_at,
        )  # fmt: skip
    return replace(note, note_id=number)


async def list_call_notes(
    db: Database, alert_id: str, enterprise_id: str | None = None
) -> list[CallNote]:
    """Notes of an alert, by enterprise, oldest first; of one enterprise or all."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("call_notes")["list_notes"], alert_id, enterprise_id
        )
    return [_note(row) for row in rows]
