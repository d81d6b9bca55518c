"""Live boards: one reader of the store for each alert that is looked at, any number of listeners.

A notification from the store makes a board read the verdicts that were written since, a few seconds
make it look at everything; what differs from before is written out once and goes to everybody who
looks. A listener that comes (back) gets the whole state first, so a break loses nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from dashboards.api.board_records import BoardRowRecord
from dashboards.board import BoardRow, ToCall, Wish, alert_mark, counts, in_order
from dashboards.board_reading import Known, Look, read_board
from dashboards.desk import Desk
from dashboards.live import KEEP_ALIVE_S, RETRY_MS, event
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.instants import format_instant, from_us
from wattwitness.store.verdicts import listen_verdicts

log = structlog.get_logger()
EVERY_S = 4.0  # promised times end, calls are noted, alerts are lifted: nobody notifies of that
PAUSE_S = 0.1  # between two readings: what comes in many pieces is read as one
TICK_S = 10.0
AGAIN_S = 2.0
MOST_KEPT = 64  # texts of one version: filters differ, and each text may be the whole board


@dataclass(slots=True)
class Board:
    """Rows of one alert as last read, and in which version each changed."""

    alert_id: str
    listeners: int = 0
    version: int = 1
    troubles: int = 0
    mark: str = ""  # changes with the alert's level and lift
    ready: bool = False  # has been read at least once
    stale: bool = True
    whole_at_s: float = float("-inf")  # when all rows were looked at, by the loop's clock
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: Known = field(init=False)
    rows: dict[str, BoardRow] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _changed: dict[str, int] = field(default_factory=dict)
    _sent: dict[tuple[Wish, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = Known(self.alert_id)

    def take(self, look: Look, mark: str) -> bool:
        """Take over what was looked at; whether anything differs."""
        now = {row.enterprise_id: row for row in look.rows}
        differ = [row for e, row in now.items() if self.rows.get(e) != row]
        asked = self.rows.keys() if look.only is None else self.rows.keys() & look.only
        left = asked - now.keys()
        if self.ready and not differ and not left and mark == self.mark:
            return False
        self.ready, self.mark = True, mark
        self.version += 1
        self._sent.clear()
        for row in differ:
            self.rows[row.enterprise_id] = row
            self._texts[row.enterprise_id] = BoardRowRecord.of(row).model_dump_json()
            self._changed[row.enterprise_id] = self.version
        for enterprise_id in left:
            del self.rows[enterprise_id]
            self._changed[enterprise_id] = self.version
        return True

    def text(self, wish: Wish, since: int, now_us: int) -> str:
        """The event with what changed after version `since` (0 = the whole state)."""
        key = (wish, since)
        if key not in self._sent:
            if len(self._sent) >= MOST_KEPT:
                self._sent.clear()
            self._sent[key] = self._write(wish, since)
        now = format_instant(from_us(now_us))
        name = "rows" if since else "state"
        return event(name, self.version, f'{{"now": "{now}", {self._sent[key]}')

    def _write(self, wish: Wish, since: int) -> str:
        moved = {e for e, version in self._changed.items() if version > since}
        wanted = {e for e in moved if e in self.rows and wish.matches(self.rows[e])}
        rows = in_order(self.rows[e] for e in wanted)
        head = json.dumps(
            {
                "mark": self.mark,
                "gone": sorted(moved - wanted) if since else [],
                **summary([row for row in self.rows.values() if wish.belongs(row)]),
            }
        )
        listed = ",".join(self._texts[row.enterprise_id] for row in rows)
        return f'{head[1:-1]}, "rows": [{listed}]}}'


def summary(rows: list[BoardRow]) -> dict[str, object]:
    """The figures above the rows."""
    found = ToCall.of(rows)
    newest = max((row.as_of for row in rows if row.as_of is not None), default=None)
    return {
        "counts": counts(rows),
        "to_call": {"rows": found.rows, "kw": round(found.kw, 1)},
        "as_of": None if newest is None else format_instant(newest),
    }


class Boards:
    """All boards that somebody looks at."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._boards: dict[str, Board] = {}
        self._closed = False
        self._wake = asyncio.Event()
        self._changed = asyncio.Condition()

    @property
    def watched(self) -> list[str]:
        """Alerts whose board somebody looks at."""
        return sorted(self._boards)

    async def watch(self, stop: asyncio.Event) -> None:
        """Until told to stop: keep the boards right that somebody looks at."""
        listening = asyncio.create_task(self._listen(), name="verdict-notifications")
        stopping = asyncio.create_task(stop.wait(), name="board-stop")
        try:
            while not stop.is_set():
                waking = asyncio.create_task(self._wake.wait(), name="board-wake")
                await asyncio.wait(
                    {waking, stopping}, timeout=EVERY_S, return_when=asyncio.FIRST_COMPLETED
                )
                waking.cancel()
                self._wake.clear()
                await self._refresh_all()
                await asyncio.wait({stopping}, timeout=PAUSE_S)
        finally:
            for task in (listening, stopping):
                task.cancel()
            await asyncio.gather(listening, stopping, return_exceptions=True)
            await self.close()

    async def _listen(self) -> None:
        while True:
            try:
                async with aclosing(listen_verdicts(self.desk.db)) as heard:
                    async for alert_id in heard:
                        self.mark(alert_id)
            except StoreUnavailableError as error:
                log.warning("notifications_unavailable", reason=error.message)
            for alert_id in list(self._boards):  # what came meanwhile was not heard
                self.mark(alert_id)
            await asyncio.sleep(AGAIN_S)

    def mark(self, alert_id: str) -> None:
        """Something about this alert changed."""
        board = self._boards.get(alert_id)
        if board is not None:
            board.stale = True
            self._wake.set()

    async def _refresh_all(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for board in list(self._boards.values()):
            board.stale = board.stale or now_s - board.whole_at_s >= EVERY_S
            if board.listeners:
                await self._refresh(board)

    async def _refresh(self, board: Board) -> None:
        async with board.reading:
            if not board.stale:  # somebody else has read it
                return
            board.stale = False
            now_s = asyncio.get_running_loop().time()
            every = now_s - board.whole_at_s >= EVERY_S
            try:
                look = await board.known.look(self.desk, every=every)
                alert = (await self.desk.registry()).alerts.get(board.alert_id)
                mark = alert_mark(alert, from_us(self.desk.now_us()))
            except StoreUnavailableError as error:
                log.warning("board_unavailable", alert_id=board.alert_id, reason=error.message)
                board.stale = True
                board.troubles += 1
            else:
                board.whole_at_s = now_s if every else board.whole_at_s
                if not board.take(look, mark):
                    return
        async with self._changed:
            self._changed.notify_all()

    async def rows(self, alert_id: str) -> list[BoardRow]:
        """All rows of a board as they are now, in order; at hand while somebody looks at it."""
        board = self._boards.get(alert_id)
        if board is None or not board.ready:
            return await read_board(self.desk, alert_id)
        await self._refresh(board)
        return in_order(board.rows.values())

    async def close(self) -> None:
        """End every stream."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def events(self, alert_id: str, wish: Wish) -> AsyncIterator[str]:
        """Events for one listener: the whole state, then what changes.

        Args:
            alert_id: of a known alert.
            wish: which rows.
        """
        board = self._boards.setdefault(alert_id, Board(alert_id))
        board.listeners += 1
        try:
            yield f"retry: {RETRY_MS}\n\n"
            await self._refresh(board)
            async for text in self._news(board, wish):
                yield text
        finally:
            board.listeners -= 1
            if not board.listeners:
                self._boards.pop(alert_id, None)

    async def _news(self, board: Board, wish: Wish) -> AsyncIterator[str]:
        seen, troubles = 0, 0
        while not self._closed:
            if board.troubles > troubles:
                troubles = board.troubles
                yield event("trouble", board.version, "{}")
            elif board.ready and board.version > seen:
                text, seen = board.text(wish, seen, self.desk.now_us()), board.version
                yield text
            elif not await self._next(board, seen, troubles):
                now = json.dumps({"now": format_instant(from_us(self.desk.now_us()))})
                yield event("tick", board.version, now)

    async def _next(self, board: Board, seen: int, troubles: int) -> bool:
        def something() -> bool:
            news = board.ready and board.version > seen
            return self._closed or news or board.troubles > troubles

        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(something), min(TICK_S, KEEP_ALIVE_S))
            except TimeoutError:
                return False
        return True
