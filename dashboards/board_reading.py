"""What a board shows, read from the store: now, or at a past minute."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from fastapi import HTTPException

from dashboards.board import BoardRow, board_rows
from dashboards.desk import Desk
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Alert
from wattwitness.domain.verdicts import BEFORE_JUDGING, Verdict, VerdictChange, VerdictCode
from wattwitness.store.call_notes import list_call_notes
from wattwitness.store.latest import last_heard
from wattwitness.store.verdicts import list_verdict_changes, list_verdicts, verdicts_as_known


async def known_alert(desk: Desk, alert_id: str) -> Alert:
    """The alert of an address.

    Raises:
        HTTPException: 404, there is none.
    """
    alert = (await desk.registry()).alerts.get(alert_id)
    if alert is None:
        raise HTTPException(404, f"no alert {alert_id!r}")
    return alert


async def read_board(desk: Desk, alert_id: str) -> list[BoardRow]:
    """All rows as they are now; none for an alert that is gone."""
    registry = await desk.registry()
    alert = registry.alerts.get(alert_id)
    if alert is None:
        return []
    return board_rows(
        registry,
        alert,
        await list_verdicts(desk.db, alert_id=alert_id),
        await list_verdict_changes(desk.db, alert_id),
        await list_call_notes(desk.db, alert_id),
        from_us(desk.now_us()),
        await last_heard(desk.db),
    )


async def read_board_at(
    desk: Desk, alert: Alert, at: datetime, *, late: bool = False
) -> list[BoardRow]:
    """All rows at a past minute.

    Args:
        desk: the store.
        alert: which alert.
        at: minute, by the wall clock.
        late: with what is known of that minute today; else as the board showed it then.
    """
    changes = await list_verdict_changes(desk.db, alert.alert_id)
    verdicts = await verdicts_as_known(desk.db, alert.alert_id, at)
    if late:
        verdicts = with_late_data(verdicts, [c for c in changes if c.changed_at > at])
    calls = await list_call_notes(desk.db, alert.alert_id)
    return board_rows(
        await desk.registry(),
        alert,
        verdicts,
        [c for c in changes if c.changed_at <= at],
        [c for c in calls if c.at <= at],
        at,
    )


def with_late_data(verdicts: Iterable[Verdict], later: Iterable[VerdictChange]) -> list[Verdict]:
    """What was said at a minute, put right by what late data said afterwards.

    Late data turn a verdict as a whole. One that they turned to complied was complied at every
    minute before, because what ran too long only adds up; another word is taken over only if
    nothing but the late data turned it since.

    Args:
        verdicts: as known at the minute.
        later: turns after it.
    """
    turns: dict[str, list[VerdictChange]] = {}
    for change in sorted(later, key=lambda c: c.changed_at):
        turns.setdefault(change.enterprise_id, []).append(change)
    found = []
    for verdict in verdicts:
        own = turns.get(verdict.enterprise_id, [])
        late = [c for c in own if c.cause == "late_data"]
        word = verdict.verdict
        if late and late[-1].after == VerdictCode.COMPLIED:
            word = VerdictCode.COMPLIED
        elif own and own[0].cause == "late_data":
            word = own[0].after
        waits = BEFORE_JUDGING.intersection(verdict.why)
        found.append(
            verdict if waits or word == verdict.verdict else replace(verdict, verdict=word)
        )
    return found
