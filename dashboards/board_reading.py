"""What a board shows now, read from the store."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import HTTPException

from dashboards.board import BoardRow, board_rows
from dashboards.desk import Desk
from wattwitness.domain.call_notes import CallNote
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Alert
from wattwitness.domain.verdicts import Verdict, VerdictChange
from wattwitness.store.board import Written, turns_told, verdicts_written
from wattwitness.store.call_notes import list_call_notes
from wattwitness.store.database import Database
from wattwitness.store.latest import last_heard


async def known_alert(desk: Desk, alert_id: str) -> Alert:
    """The alert of an address.

    Raises:
        HTTPException: 404, there is none.
    """
    alert = (await desk.registry()).alerts.get(alert_id)
    if alert is None:
        raise HTTPException(404, f"no alert {alert_id!r}")
    return alert


@dataclass(frozen=True, slots=True)
class Look:
    """Rows that were looked at."""

    rows: list[BoardRow]
    only: Collection[str] | None  # enterprises; who has no row is not on the board. None = all


@dataclass
class Known:
    """What the rows of an alert's board rest on, as last read."""

    alert_id: str
    cursor: str | None = None  # where the next look begins
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    turns: dict[str, VerdictChange] = field(default_factory=dict)
    heard: dict[str, datetime] = field(default_factory=dict)
    calls: list[CallNote] = field(default_factory=list)

    async def look(self, desk: Desk, *, every: bool) -> Look:
        """Rows whose verdict was written since the last look.

        Args:
            desk: the store.
            every: all rows: calls, other readings and the time change them, too.
        """
        registry = await desk.registry()
        alert = registry.alerts.get(self.alert_id)
        if alert is None:
            return Look([], None)
        written = await self._written(desk.db)
        moved = written.verdicts.keys() | self._take(written)
        self.turns |= await turns_told(desk.db, self.alert_id, moved)
        self.heard |= await last_heard(desk.db, None if every else moved)
        if every:
            self.calls = await list_call_notes(desk.db, self.alert_id)
        self.cursor = written.cursor  # last: a look that failed is made again
        only = None if every else moved
        rows = board_rows(
            registry,
            alert,
            self.verdicts.values(),
            self.turns.values(),
            self.calls,
            from_us(desk.now_us()),
            self.heard,
            only=only,
        )
        return Look(rows, only)

    async def _written(self, db: Database) -> Written:
        """Verdicts written since; all of them, if some were withdrawn."""
        found = await verdicts_written(db, self.alert_id, self.cursor)
        if len(self.verdicts.keys() | found.verdicts.keys()) == found.stored:
            return found
        return await verdicts_written(db, self.alert_id, None)

    def _take(self, written: Written) -> set[str]:
        """Take verdicts in; whose are withdrawn."""
        self.verdicts |= written.verdicts
        if len(self.verdicts) == written.stored:
            return set()
        gone = self.verdicts.keys() - written.verdicts.keys()
        self.verdicts = dict(written.verdicts)
        return gone


async def read_board(desk: Desk, alert_id: str) -> list[BoardRow]:
    """All rows as they are now; none for an alert that is gone."""
    return (await Known(alert_id).look(desk, every=True)).rows
