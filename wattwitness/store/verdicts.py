"""Verdicts on alerts in the store, and the trace of how they turned.

Who writes: the analysis of an enterprise (`replace_verdicts`) and the live one of many
(`save_live_verdicts`). Of two verdicts judged under the same orders the one that saw more data
holds, of equals the analysis'. Every turn of the word is kept with its cause and the whole verdict
of then; whoever listens is told which alerts moved.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from wattwitness.domain.instants import from_us
from wattwitness.domain.verdicts import Verdict, VerdictChange, VerdictCode
from wattwitness.store.courses import note as note_said
from wattwitness.store.database import Database
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements
from wattwitness.store.turns import Turn, note_turns
from wattwitness.store.verdict_rows import document_text, stored_verdict, verdict_document
from wattwitness.store.watching import keys_resting_on

CHANNEL = "verdicts"
_ALIVE_S = 15.0  # how often a listener makes sure that its connection lives

Rejudged = Mapping[str, tuple[datetime, VerdictCode]]
"""Alert id → (an instant judged before, what is said of it today)."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the table holds of one alert and enterprise."""

    as_of: datetime
    verdict: VerdictCode
    basis: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Written:
    """A verdict that is to be written, and the word it replaces."""

    key: int
    verdict: Verdict
    before: VerdictCode | None
    cause: str

    @property
    def turn(self) -> Turn:
        """As a turn of the word."""
        v = self.verdict
        return Turn(
            alert_id=v.alert_id,
            key=self.key,
            cause=self.cause,
            before=self.before,
            as_of=v.as_of,
            verdict=v,
        )


def _cause(before: _Stored | None, new: Verdict, rejudged: Rejudged) -> str:
    if before is None:
        return "time"
    if before.basis != new.basis:
        return "registry"
    again = rejudged.get(new.alert_id)
    if again is not None and again[0] == before.as_of:
        return "late_data" if again[1] is not before.verdict else "time"
    return "late_data" if new.as_of <= before.as_of else "time"


def _written(
    key: int, new: Verdict, before: _Stored | None, rejudged: Rejudged, *, live: bool
) -> _Written | None:
    """What to write of a verdict; None = what is stored holds."""
    if before is not None and before.basis == new.basis:
        older = new.as_of < before.as_of or (live and new.as_of == before.as_of)
        if older or verdict_document(new) == before.record:
            return None
    word = None if before is None else before.verdict
    return _Written(key, new, word, _cause(before, new, rejudged))


async def _write(connection: Connection, written: Sequence[_Written], changed_at: datetime) -> None:
    """Write verdicts, note their minute and those whose word turned, tell who listens."""
    if not written:
        return
    found = [one.verdict for one in written]
    await connection.execute(
        statements("verdicts")["save"],
        [v.alert_id for v in found],
        [one.key for one in written],
        [v.as_of for v in found],
        [v.verdict.value for v in found],
        [v.confidence for v in found],
        [v.basis for v in found],
        [document_text(v) for v in found],
        changed_at,
    )
    said = [(one.verdict.alert_id, one.key, one.verdict) for one in written]
    await note_said(connection, said, changed_at)
    turned = [one.turn for one in written if one.before is not one.verdict.verdict]
    await note_turns(connection, turned, changed_at)
    await _tell(connection, [v.alert_id for v in found])


async def _tell(connection: Connection, alert_ids: Sequence[str]) -> None:
    """Heard when the transaction is committed; equal ones of one transaction are heard once."""
    for alert_id in sorted(set(alert_ids)):
        await connection.execute(statements("verdicts")["notify"], alert_id)


def _stored(row: asyncpg.Record) -> _Stored:
    return _Stored(row["as_of"], VerdictCode(row["verdict"]), row["basis"], row["record"])


async def replace_verdicts(
    connection: Connection,
    enterprise_key: int,
    verdicts: Sequence[Verdict],
    changed_at: datetime,
    rejudged: Rejudged | None = None,
) -> None:
    """Replace the verdicts of an enterprise where they differ, inside the caller's transaction.

    Args:
        connection: in a transaction.
        enterprise_key: of the enterprise.
        verdicts: all of it; those of other alerts are withdrawn.
        changed_at: wall clock.
        rejudged: what today's data say of the instants judged before, to tell late data from time.
    """
    sql = statements("verdicts")
    rows = await connection.fetch(sql["of_enterprise"], enterprise_key)
    before = {row["alert_id"]: _stored(row) for row in rows}
    known = rejudged or {}
    written = [
        _written(enterprise_key, v, before.get(v.alert_id), known, live=False) for v in verdicts
    ]
    await _write(connection, [one for one in written if one is not None], changed_at)
    gone = sorted(before.keys() - {v.alert_id for v in verdicts})
    if gone:
        await connection.execute(sql["delete"], enterprise_key, gone)
        turns = [
            Turn(
                alert_id=alert_id,
                key=enterprise_key,
                cause="registry",
                before=before[alert_id].verdict,
                as_of=before[alert_id].as_of,
                verdict=None,
            )
            for alert_id in gone
        ]
        await note_said(connection, [(a, enterprise_key, None) for a in gone], changed_at)
        await note_turns(connection, turns, changed_at)
        await _tell(connection, gone)


async def save_live_verdicts(
    db: Database,
    verdicts: Sequence[Verdict],
    changed_at: datetime,
    rests_on: Mapping[str, datetime] | None = None,
) -> None:
    """Save verdicts of many enterprises that saw more than what is stored, in one transaction.

    Args:
        db: the database.
        verdicts: any; those of enterprises that are not in the registry are left out.
        changed_at: wall clock.
        rests_on: enterprise → the analysis (its wall clock) that its verdict goes on from: if it is
            still the newest, the verdict saw at least as much as the analysis', and holds at an
            equal `as_of` as well; if not, it is left out. None = nothing is known about that.
    """
    sql = statements("verdicts")
    async with db.transaction() as connection:
        keys = await keys_resting_on(connection, {v.enterprise_id for v in verdicts}, rests_on)
        # rows are locked in one order, whoever writes
        own = sorted(
            (v for v in verdicts if v.enterprise_id in keys),
            key=lambda v: (keys[v.enterprise_id], v.alert_id),
        )
        held = await connection.fetch(
            sql["of_pairs"], [v.alert_id for v in own], [keys[v.enterprise_id] for v in own]
        )
        before = {(row["alert_id"], row["enterprise_key"]): _stored(row) for row in held}
        written = []
        for v in own:
            key = keys[v.enterprise_id]
            one = _written(key, v, before.get((v.alert_id, key)), {}, live=rests_on is None)
            written += [] if one is None else [one]
        await _write(connection, written, changed_at)


async def list_verdicts(
    db: Database,
    alert_id: str | None = None,
    enterprise_ids: Sequence[str] | None = None,
    from_us_: int | None = None,
    to_us_: int | None = None,
) -> list[Verdict]:
    """Verdicts of alerts that overlap [from, to), by response, alert and enterprise."""
    start = None if from_us_ is None else from_us(from_us_)
    end = None if to_us_ is None else from_us(to_us_)
    chosen = None if enterprise_ids is None else list(enterprise_ids)
    async with db.connection() as connection:
        rows = await connection.fetch(statements("verdicts")["list"], alert_id, chosen, start, end)
    return [stored_verdict(row["record"]) for row in rows]


def verdict_change(row: asyncpg.Record) -> VerdictChange:
    """A turn from its row."""
    return VerdictChange(
        alert_id=row["alert_id"],
        enterprise_id=row["enterprise_id"],
        changed_at=row["changed_at"],
        as_of=row["as_of"],
        cause=row["cause"],
        before=None if row["before"] is None else VerdictCode(row["before"]),
        after=VerdictCode(row["after"]),
        confidence=row["confidence"],
        since=row["since"],
        turns=row["turns"],
    )


async def list_verdict_changes(
    db: Database, alert_id: str, enterprise_id: str | None = None
) -> list[VerdictChange]:
    """How verdicts of an alert turned, newest first."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            statements("verdicts")["list_changes"], alert_id, enterprise_id
        )
    return [verdict_change(row) for row in rows]


async def judged_until(db: Database, enterprise_id: str) -> dict[str, datetime]:
    """Alert id → data time up to which the stored verdict of an enterprise was judged."""
    async with db.connection() as connection:
        rows = await connection.fetch(statements("verdicts")["judged_until"], enterprise_id)
    return {row["alert_id"]: row["as_of"] for row in rows}


async def listen_verdicts(db: Database) -> AsyncGenerator[str, None]:
    """Ids of alerts whose verdicts were written, as they are; on a connection of its own.

    Raises:
        StoreUnavailableError: the connection was lost; what happened since is not told.
    """
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with db.dedicated() as connection:
        await connection.add_listener(CHANNEL, lambda *told: heard.put_nowait(str(told[3])))
        while True:
            try:
                yield await asyncio.wait_for(heard.get(), _ALIVE_S)
            except TimeoutError:
                await connection.execute("SELECT 1")  # says so if nobody is there any more
