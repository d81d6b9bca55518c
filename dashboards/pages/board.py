"""`/board`: who has curtailed under an alert, how sure that is, and whom to call first."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.board import BoardRecord, TheWish
from dashboards.board import BoardRow, Group, Standing, ToCall, Wish, counts
from dashboards.board_live import Boards
from dashboards.board_reading import known_alert
from dashboards.desk import TheDesk
from dashboards.figures import strictest_first
from dashboards.render import PageContext, render
from wattwitness.domain.alerts import level_at
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Alert, AlertLevel, Grade

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class BoardsPage(PageContext):
    """No alert is open: the past ones."""

    template = "boards.html"

    alerts: Annotated[list[Alert], "All alerts, the newest first."]


@dataclass(frozen=True, kw_only=True)
class BoardPage(PageContext):
    """The board of one alert."""

    template = "board.html"

    alert: Annotated[Alert, "The alert."]
    level: Annotated[AlertLevel, "Its level now."]
    others: Annotated[list[Alert], "Other open alerts."]
    wall: Annotated[bool, "Whether it hangs on a wall: big type, no navigation, pages by itself."]
    wish: Annotated[Wish, "The filters of the address."]
    districts: Annotated[list[str], "Districts to choose from."]
    industries: Annotated[list[str], "Industries to choose from."]
    grades: Annotated[list[str], "Grades to choose from."]
    standings: Annotated[list[str], "Verdicts to choose from."]
    counts: Annotated[dict[str, int], "How many rows say what."]
    links: Annotated[dict[str, str], "Address of the board with only one verdict, by verdict."]
    to_call: Annotated[ToCall, "What calling can save now."]
    groups: Annotated[list[str], "What to do about a row, in the order of the board."]
    state: Annotated[dict[str, Any], "Rows and figures, as /api/v1/board/{alert_id} gives them."]


def _newest_first(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda a: (a.response_from, a.alert_id), reverse=True)


@router.get("/board")
async def boards(request: Request, desk: TheDesk) -> Response:
    """The board of the strictest open alert, or all alerts while none is open."""
    registry = await desk.registry()
    opened = strictest_first(registry, desk.now_us())
    if opened:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/board/{quote(opened[0].alert_id)}{query}", 303)
    return render(request, "board", BoardsPage(alerts=_newest_first(registry.alerts.values())))


def _address(alert: Alert, wish: Wish) -> str:
    query = urlencode({key: value for key, value in asdict(wish).items() if value})
    return f"/board/{quote(alert.alert_id)}" + (f"?{query}" if query else "")


def _choices(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})


def board_page(
    alert: Alert,
    others: list[Alert],
    rows: list[BoardRow],
    wish: Wish,
    now: datetime,
    *,
    wall: bool,
) -> BoardPage:
    """The context, from rows in their order."""
    meant = [row for row in rows if wish.belongs(row)]
    now_us = round(now.timestamp() * 1e6)
    grades = {row.grade for row in rows}
    return BoardPage(
        alert=alert,
        level=level_at(alert, now),
        others=others,
        wall=wall,
        wish=wish,
        districts=_choices(row.district for row in rows),
        industries=_choices(row.industry for row in rows),
        grades=[grade.value for grade in Grade if grade.value in grades],
        standings=[item.value for item in Standing],
        counts=counts(meant),
        links={
            item.value: _address(
                alert, replace(wish, standing="" if wish.standing == item else item.value)
            )
            for item in Standing
        },
        to_call=ToCall.of(meant),
        groups=[group.value for group in Group],
        state=BoardRecord.of(alert, rows, wish, now_us).model_dump(mode="json"),
    )


@router.get("/board/{alert_id}")
async def board(
    request: Request, desk: TheDesk, alert_id: str, wish: TheWish, *, wall: bool = False
) -> Response:
    """The page."""
    alert = await known_alert(desk, alert_id)
    registry, now_us = await desk.registry(), desk.now_us()
    others = [a for a in strictest_first(registry, now_us) if a.alert_id != alert_id]
    boards: Boards = request.app.state.boards
    rows = await boards.rows(alert_id)
    context = board_page(alert, others, rows, wish, from_us(now_us), wall=wall)
    return render(request, "board", context)
