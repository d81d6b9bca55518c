"""Courses: what was said of an enterprise under an alert, minute by minute.

Two are kept. *As known then* is written with each verdict, by whoever writes it, in the same
transaction: what the board showed at the end of a minute of the wall clock. *Late* is judged
afterwards by the analysis: what is said of a minute of data time by all that came. A row holds half
an hour: what many minutes share as JSON (all of a verdict but its measures), and 39 bytes a minute.
A minute that nobody judged has none.

    entry   number of its words int16, newest reading int64 [µs; 0 = never], minute of the half hour
            uint8, as_of int64 [µs], confidence float64, now, baseline, required int32 [0.01 kW;
            least = not known]; big-endian
"""

import json
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from wattwitness.domain.courses import PIECE_US, LateStand, Moment, Piece
from wattwitness.domain.instants import US_PER_MINUTE, from_us, to_us
from wattwitness.domain.verdicts import Verdict
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements
from wattwitness.store.verdict_rows import stored_verdict, verdict_document

_ENTRY: Final = struct.Struct(">hqBqdiii")
_OWN: Final = struct.Struct(">Bqdiii")  # what a note carries; the rest is found in the store
_NO_KW: Final = -(2**31)
_KW: Final = ("now_kw", "baseline_kw", "required_kw")
_NUMBERS: Final = ("as_of", "confidence", *_KW)
_ELSEWHERE: Final = ("alert_id", "enterprise_id", "measures")


def _words(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    held = verdict_document(verdict)
    for name in (*_NUMBERS, *_ELSEWHERE):
        del held[name]
    return json.dumps(held)


def _centi_kw(kw: float | None) -> int:
    return _NO_KW if kw is None else max(_NO_KW + 1, min(-_NO_KW - 1, round(100 * kw)))


def _own(verdict: Verdict | None, minute_us: int) -> tuple[Any, ...]:
    place = minute_us % PIECE_US // US_PER_MINUTE
    if verdict is None:
        return place, 0, 0.0, _NO_KW, _NO_KW, _NO_KW
    kw = (_centi_kw(getattr(verdict, name)) for name in _KW)
    return place, to_us(verdict.as_of), verdict.confidence, *kw


async def note(
    connection: Connection,
    said: Sequence[tuple[str, int, Verdict | None]],
    changed_at: datetime,
) -> None:
    """Note what is said now, inside the caller's transaction.

    Args:
        connection: in a transaction.
        said: alert id, key of the enterprise, verdict; None = withdrawn.
        changed_at: wall clock; it stands for the minute that ends at it or next.
    """
    minute_us = -(-to_us(changed_at) // US_PER_MINUTE) * US_PER_MINUTE
    await connection.execute(
        statements("courses")["note"],
        [alert_id for alert_id, _, _ in said],
        [key for _, key, _ in said],
        [_words(verdict) for _, _, verdict in said],
        [_OWN.pack(*_own(verdict, minute_us)) for _, _, verdict in said],
        from_us(minute_us // PIECE_US * PIECE_US),
    )


def _moment(row: asyncpg.Record, alert_id: str, entry: tuple[Any, ...]) -> Moment | None:
    """An entry of a row of the table; None = the verdict was withdrawn then."""
    number, heard_us, place, as_of_us, confidence, *kw = entry
    if not row["words"][number]:
        return None
    told = [None if centi == _NO_KW else centi / 100.0 for centi in kw]
    held = {
        **json.loads(row["words"][number]),
        **dict(zip(_KW, told, strict=True)),
        "alert_id": alert_id,
        "enterprise_id": row["enterprise_id"],
        "as_of": from_us(as_of_us).isoformat(),
        "confidence": confidence,
        "measures": (),
    }
    minute_us = to_us(row["begins_at"]) + place * US_PER_MINUTE
    return Moment(minute_us=minute_us, verdict=stored_verdict(held), heard_us=heard_us)


async def moments_at(
    db: Database, alert_id: str, minute_us: int, *, late: bool = False
) -> dict[str, Moment]:
    """What was said of each enterprise at a minute: its newest moment that is no later.

    Args:
        db: the database.
        alert_id: any.
        minute_us: a whole minute.
        late: of the late courses, by data time; else as known then, by the wall clock.
    """
    query = statements("courses")["at"]
    async with db.connection() as connection:
        rows = await connection.fetch(query, alert_id, late, from_us(minute_us))
    found = {}
    for row in rows:  # two of each enterprise at most, the older one first
        last = (minute_us - to_us(row["begins_at"])) // US_PER_MINUTE
        entries = [entry for entry in _ENTRY.iter_unpack(row["entries"]) if entry[2] <= last]
        if entries:
            found[row["enterprise_id"]] = _moment(row, alert_id, entries[-1])
    return {enterprise: moment for enterprise, moment in found.items() if moment is not None}


async def late_stand(db: Database, enterprise_id: str, alert_ids: Sequence[str]) -> LateStand:
    """The late courses of an enterprise that are kept."""
    sql = statements("courses")
    pieces: dict[str, dict[int, bytes]] = {}
    async with db.connection() as connection:
        since = await connection.fetchval(sql["courses_from"])
        for row in await connection.fetch(sql["late_stand"], enterprise_id, list(alert_ids)):
            own = pieces.setdefault(row["alert_id"], {})
            own[to_us(row["begins_at"])] = row["rests_on"]
    return LateStand(since=since, pieces=pieces)


async def save_late(
    db: Database,
    enterprise_id: str,
    alert_id: str,
    kept: Sequence[int],
    pieces: Sequence[Piece],
) -> None:
    """Replace a late course.

    Args:
        db: the database.
        enterprise_id: of the registry.
        alert_id: any.
        kept: begins of the pieces that hold still [µs]; all others go.
        pieces: what is new.
    """
    sql = statements("courses")
    packed = [_packed(piece) for piece in pieces]
    async with db.transaction() as connection:
        key = await connection.fetchval(sql["key"], enterprise_id)
        await connection.execute(sql["forget_late"], key, alert_id, [from_us(us) for us in kept])
        await connection.execute(
            sql["save_late"],
            key,
            alert_id,
            [from_us(piece.begins_us) for piece in pieces],
            [json.dumps(words) for words, _ in packed],
            [entries for _, entries in packed],
            [piece.rests_on for piece in pieces],
        )


def _packed(piece: Piece) -> tuple[list[str], bytes]:
    words: dict[str, int] = {}
    entries = []
    for moment in piece.moments:
        number = words.setdefault(_words(moment.verdict), len(words))
        own = _own(moment.verdict, moment.minute_us)
        entries.append(_ENTRY.pack(number, moment.heard_us, *own))
    return list(words), b"".join(entries)
