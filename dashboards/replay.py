"""A past minute of a board, from the courses: as known then, or judged from all that came since."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from dashboards.board import BoardRow, board_rows
from dashboards.desk import Desk
from wattwitness.domain.courses import Moment
from wattwitness.domain.instants import US_PER_MINUTE, from_us, to_us
from wattwitness.domain.registry import Alert
from wattwitness.domain.verdicts import Verdict, VerdictChange
from wattwitness.store.call_notes import list_call_notes
from wattwitness.store.courses import moments_at
from wattwitness.store.verdicts import list_verdict_changes, list_verdicts

HOLE_US: Final = 5 * US_PER_MINUTE
"""What is older than this was not judged at the minute: its word stood, its numbers say nothing."""
NOT_JUDGED_THEN: Final = "not_judged_then"
_OF_THE_MINUTE: Final = "shifted_night"  # other notes are told of the alert as a whole


def known_then(moments: dict[str, Moment], alert: Alert, minute_us: int) -> dict[str, Moment]:
    """What was said at a minute; nothing is carried over a hole but the word that stood."""
    ends_us = minute_us if alert.lifted_at is None else min(minute_us, to_us(alert.lifted_at))
    return {
        enterprise: moment
        if ends_us - moment.minute_us <= HOLE_US
        else replace(moment, verdict=_stood(moment.verdict))
        for enterprise, moment in moments.items()
    }


def _stood(verdict: Verdict) -> Verdict:
    return replace(
        verdict,
        now_kw=None,
        baseline_kw=None,
        required_kw=None,
        notes=(*verdict.notes, NOT_JUDGED_THEN),
    )


def known_today(
    moments: dict[str, Moment], newest: dict[str, Verdict], minute_us: int
) -> dict[str, Moment]:
    """What is said of a minute now; who is not judged at just that minute is left out."""
    found = {}
    for enterprise, moment in moments.items():
        if moment.minute_us == minute_us:
            today = newest[enterprise].notes if enterprise in newest else ()
            told = (*(n for n in today if n != _OF_THE_MINUTE), *moment.verdict.notes)
            verdict = replace(moment.verdict, notes=tuple(dict.fromkeys(told)))
            found[enterprise] = replace(moment, verdict=verdict)
    return found


def told_by(change: VerdictChange, at: datetime) -> VerdictChange | None:
    """A turn as far as it was known; None = it came later."""
    since = change.since or change.changed_at
    if since > at:
        return None
    return change if change.changed_at <= at else replace(change, changed_at=since)


async def read_board_at(
    desk: Desk, alert: Alert, at: datetime, *, late: bool = False
) -> list[BoardRow]:
    """All rows at a past minute.

    Args:
        desk: the store.
        alert: which alert.
        at: by the wall clock; the whole minute at or before it is shown.
        late: judged from all that came since; else as the board showed it then.
    """
    minute_us = to_us(at) // US_PER_MINUTE * US_PER_MINUTE
    db, at = desk.db, from_us(minute_us)
    if late:
        ends_us = minute_us if alert.lifted_at is None else to_us(alert.lifted_at)
        judged_us = min(minute_us, -(-ends_us // US_PER_MINUTE) * US_PER_MINUTE)
        newest = {v.enterprise_id: v for v in await list_verdicts(db, alert.alert_id)}
        found = await moments_at(db, alert.alert_id, judged_us, late=True)
        moments = known_today(found, newest, judged_us)
    else:
        moments = known_then(await moments_at(db, alert.alert_id, minute_us), alert, minute_us)
    turns = [told_by(change, at) for change in await list_verdict_changes(db, alert.alert_id)]
    calls = await list_call_notes(db, alert.alert_id)
    return board_rows(
        await desk.registry(),
        alert,
        [moment.verdict for moment in moments.values()],
        [turn for turn in turns if turn is not None],
        [call for call in calls if call.at <= at],
        at,
        {e: from_us(moment.heard_us) for e, moment in moments.items() if moment.heard_us},
    )
