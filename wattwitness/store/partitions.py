"""Pieces of the readings table: partitions in plain mode, chunks under TimescaleDB.

Near the present a piece is a day (a chunk: two, made by TimescaleDB itself). Far from it, where old
files and wandering clocks write, it is a whole month: a clock that names a thousand different days
makes some pieces, not a thousand, and none of its readings is lost.

A partition is made as a table of its own and then attached: that takes a weak lock on the parent,
so neither readers nor other writers wait or deadlock, as `CREATE … PARTITION OF` would make them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from wattwitness.domain.instants import to_us
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection, Mode
from wattwitness.store.statements import statements

_LOCK: Final = 0x57617450  # "WatP"
_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
DAYS_AHEAD: Final = 7
NEAR: Final = timedelta(days=40)
"""How far from the present a piece is a day."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A partition or a chunk of the readings: its name, and [start, end)."""

    name: str
    start: datetime
    end: datetime


_Span = tuple[date, date]  # [first, end)
_PREFIX: Final = "readings_"


def _name(span: _Span) -> str:
    return f"{_PREFIX}{span[0]:%Y%m%d}" if span[1] - span[0] == _DAY else f"{_PREFIX}{span[0]:%Y%m}"


def _span(name: str) -> _Span:
    digits = name.removeprefix(_PREFIX)
    if len(digits) == len("20260101"):
        first = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return first, first + _DAY
    return _month(date(int(digits[:4]), int(digits[4:]), 1))


def _month(day: date) -> _Span:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def piece_of(day: date, today: date, present: Iterable[_Span]) -> _Span:
    """The piece to make for a day that has none: its month if that is far and free, or the day."""
    first, end = _month(day)
    far = end <= today - NEAR or first > today + NEAR
    free = not any(start < end and stop > first for start, stop in present)
    return (first, end) if far and free else (day, day + _DAY)


async def ensure_partitions(
    db: Database, utc_days: Iterable[int], today: date | None = None
) -> None:
    """Make the pieces of these UTC days (days since 1970) where they are missing.

    Args:
        db: the database.
        utc_days: days since 1970.
        today: what is near is near to it; None = the server's date.
    """
    missing = sorted(set(utc_days) - db.known_partitions)
    if not missing:
        return
    async with db.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        try:
            present = today or (await connection.fetchval("SELECT now()")).date()
            for span in await _make(connection, db, missing, present):
                first = (span[0] - _EPOCH).days
                db.known_partitions.update(range(first, first + (span[1] - span[0]).days))
            db.known_partitions.update(missing)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _make(
    connection: Connection, db: Database, utc_days: Iterable[int], today: date
) -> list[_Span]:
    present = [span for _, span in await _present(connection, db)]
    made = []
    for utc_day in utc_days:
        day = _EPOCH + timedelta(days=utc_day)
        if any(first <= day < end for first, end in present):
            continue
        span = piece_of(day, today, present)
        if not db.mode.hypertable:
            await connection.execute(_attach(span))
        elif span[1] - span[0] > _DAY and db.mode is Mode.TIMESCALE_FULL:
            start, end = (to_us(_midnight(edge)) for edge in span)
            await connection.execute(statements("partitions")["month_chunk"], start, end)
        else:  # TimescaleDB makes it
            continue
        present.append(span)
        made.append(span)
    return made


async def _present(connection: Connection, db: Database) -> list[tuple[str, _Span]]:
    if db.mode.hypertable:
        rows = await connection.fetch(statements("partitions")["chunks"])
        return [(row["name"], (row["range_start"].date(), row["range_end"].date())) for row in rows]
    rows = await connection.fetch(statements("partitions")["partitions"])
    return [(row["name"], _span(row["name"])) for row in rows]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _attach(span: _Span) -> str:
    low, high = (f"'{edge:%Y-%m-%d}+00'" for edge in span)
    name = _name(span)
    return f"""
        CREATE TABLE {name} (LIKE readings INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        ALTER TABLE {name} ADD PRIMARY KEY (circuit_key, ts);
        ALTER TABLE readings ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high});
    """


async def make_partitions_ahead(db: Database, today: date) -> None:
    """Keep a week of partitions ready, so that no ingest ever waits for one."""
    first = (today - _EPOCH).days
    await ensure_partitions(db, range(first - 1, first + DAYS_AHEAD + 1), today)


async def partition_spans(connection: Connection, db: Database) -> list[Piece]:
    """Every piece, oldest first."""
    found = await _present(connection, db)
    pieces = [Piece(name, _midnight(first), _midnight(end)) for name, (first, end) in found]
    return sorted(pieces, key=lambda piece: piece.end)
