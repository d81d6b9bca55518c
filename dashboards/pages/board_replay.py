"""`/board/{alert_id}/replay`: a past alert, minute by minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dashboards.api.board import BoardRecord, Knowledge
from dashboards.board import Group, ToCall, Wish, counts
from dashboards.board_reading import known_alert
from dashboards.desk import TheDesk
from dashboards.render import PageContext, render
from dashboards.replay import read_board_at
from wattwitness.domain.alerts import level_at
from wattwitness.domain.instants import from_us, parse_typed_instant, to_us
from wattwitness.domain.registry import Alert, AlertLevel

router = APIRouter(include_in_schema=False)
_AFTER = timedelta(hours=2)  # late data and the lift's own minutes


@dataclass(frozen=True, kw_only=True)
class BoardReplayPage(PageContext):
    """The board as it stood at a minute."""

    template = "board_replay.html"

    alert: Annotated[Alert, "The alert."]
    level: Annotated[AlertLevel, "Its level at that minute."]
    window: Annotated[
        tuple[int, int], "From its issue or response to two hours after its lift [s]."
    ]
    at: Annotated[int, "The minute that is shown [s since 1970]."]
    knowledge: Annotated[str, "`then` as known then, `late` with late data."]
    to_call: Annotated[ToCall, "What calling could save then."]
    counts: Annotated[dict[str, int], "How many rows said what."]
    groups: Annotated[list[str], "What to do about a row, in the order of the board."]
    state: Annotated[dict[str, Any], "Rows and figures, as /api/v1/board/{alert_id} gives them."]


def replay_window(alert: Alert, now: datetime) -> tuple[datetime, datetime]:
    """What can be replayed: whole minutes from shortly before the response to after the lift."""
    start = max(alert.issued_at, alert.response_from - timedelta(hours=1))
    end = now if alert.lifted_at is None else min(now, alert.lifted_at + _AFTER)
    start = start.replace(second=0, microsecond=0)
    return start, max(end.replace(second=0, microsecond=0), start)


@router.get("/board/{alert_id}/replay")
async def replay(
    request: Request,
    desk: TheDesk,
    alert_id: str,
    at: str | None = None,
    knowledge: Knowledge = Knowledge.THEN,
) -> Response:
    """The page."""
    alert = await known_alert(desk, alert_id)
    start, end = replay_window(alert, from_us(desk.now_us()))
    wished = parse_typed_instant(at) if at else alert.response_from
    moment = min(max(wished, start), end).replace(second=0, microsecond=0)
    rows = await read_board_at(desk, alert, moment, late=knowledge == Knowledge.LATE)
    context = BoardReplayPage(
        alert=alert,
        level=level_at(alert, moment),
        window=(int(start.timestamp()), int(end.timestamp())),
        at=int(moment.timestamp()),
        knowledge=knowledge.value,
        to_call=ToCall.of(rows),
        counts=counts(rows),
        groups=[group.value for group in Group],
        state=BoardRecord.of(alert, rows, Wish(), to_us(moment)).model_dump(mode="json"),
    )
    return render(request, "board", context)
