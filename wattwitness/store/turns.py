"""Turns of verdicts, damped: a word that goes back and forth is one row, not one a minute.

A turn belongs to the row before it if that one is not older than a quarter of an hour, the word was
said in this unrest already, and time alone caused it, or the same as there. The minutes themselves
are in the course (`courses`), so nothing that was said is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wattwitness.domain.verdicts import Verdict, VerdictCode
from wattwitness.store.mode import Connection
from wattwitness.store.statements import statements
from wattwitness.store.verdict_rows import verdict_document

QUIET: Final = timedelta(minutes=15)
"""After so long without a turn, the next one is news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A verdict that says something else than the one before."""

    alert_id: str
    key: int  # of the enterprise
    cause: str
    before: VerdictCode | None
    as_of: datetime
    verdict: Verdict | None  # None = withdrawn

    @property
    def after(self) -> VerdictCode | None:
        """The new word."""
        return None if self.verdict is None else self.verdict.verdict


async def note_turns(connection: Connection, turns: Sequence[Turn], changed_at: datetime) -> None:
    """Note turns, inside the caller's transaction; one of each alert and enterprise at most."""
    if not turns:
        return
    sql = statements("verdicts")
    rows = await connection.fetch(
        sql["newest_changes"],
        [turn.alert_id for turn in turns],
        [turn.key for turn in turns],
        changed_at - QUIET,
    )
    recent = {(row["alert_id"], row["enterprise_key"]): row for row in rows}
    for turn in turns:
        row = recent.get((turn.alert_id, turn.key))
        said = _said(turn, changed_at)
        words = [turn.before] if row is None else list(row["words"])
        if row is not None and turn.after in words and turn.cause in {"time", row["cause"]}:
            await connection.execute(sql["extend_change"], row["change_id"], *said)
            continue
        words = list(dict.fromkeys([*words, turn.after]))
        await connection.execute(
            sql["note_change"], *said, turn.alert_id, turn.key, turn.cause, turn.before, words
        )


def _said(turn: Turn, changed_at: datetime) -> tuple[object, ...]:
    verdict = turn.verdict
    if verdict is None:
        return changed_at, turn.as_of, None, 0.0, None
    return changed_at, turn.as_of, turn.after, verdict.confidence, verdict_document(verdict)
