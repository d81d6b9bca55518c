"""/api/v1/board/{alert_id}: rows of the board, now or at a past minute, and as a live stream."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, HTTPException, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse

from dashboards.api.board_records import BoardRowRecord
from dashboards.api.parameters import Paging
from dashboards.api.records import AlertRecord, Instant, Record
from dashboards.board import BoardRow, Wish, alert_mark
from dashboards.board_live import Boards, summary
from dashboards.board_reading import known_alert, read_board
from dashboards.charts import numbers
from dashboards.desk import TheDesk
from dashboards.orders import BLOCK_S, orders_of, usual_of
from dashboards.replay import read_board_at
from wattwitness.domain.instants import from_us, parse_typed_instant, to_us
from wattwitness.domain.registry import Alert
from wattwitness.files.records import verdict_record
from wattwitness.store.verdicts import list_verdicts

router = APIRouter(tags=["board"])


class Knowledge(StrEnum):
    """Whose knowledge of a past minute is shown."""

    THEN = "then"
    LATE = "late"


class ToCallRecord(Record):
    """What calling can save now."""

    rows: int
    kw: float


class BoardRecord(Record):
    """A board: figures, then rows with what to do first on top."""

    alert: AlertRecord
    now: Instant
    mark: str  # changes with the alert's level and lift
    as_of: Instant | None
    counts: dict[str, int]
    to_call: ToCallRecord
    rows: list[BoardRowRecord]

    @classmethod
    def of(cls, alert: Alert, rows: list[BoardRow], wish: Wish, now_us: int) -> Self:
        """The record of rows; figures are of the enterprises meant, rows of what is wanted."""
        figures: dict[str, Any] = summary([row for row in rows if wish.belongs(row)])
        return cls(
            alert=AlertRecord.of(alert),
            now=from_us(now_us),
            mark=alert_mark(alert, from_us(now_us)),
            rows=[BoardRowRecord.of(row) for row in rows if wish.matches(row)],
            **figures,
        )


def board_wish(
    district: Annotated[str, Query(max_length=200)] = "",
    industry: Annotated[str, Query(max_length=200)] = "",
    grade: Annotated[str, Query(max_length=20)] = "",
    standing: Annotated[str, Query(max_length=40)] = "",
) -> Wish:
    """The filters of an address."""
    return Wish(district=district, industry=industry, grade=grade, standing=standing)


TheWish = Annotated[Wish, Depends(board_wish)]


@router.get("/board/{alert_id}")
async def board(
    desk: TheDesk,
    alert_id: str,
    wish: TheWish,
    at: str | None = None,
    knowledge: Knowledge = Knowledge.THEN,
) -> BoardRecord:
    """The board of an alert: now, or at a past minute `at`.

    `knowledge`: `then` = what the board showed at that minute of the wall clock, `late` = what is
    said of that minute of data time from all that came since. A minute that was not judged has no
    numbers.
    """
    alert = await known_alert(desk, alert_id)
    if at is None:
        return BoardRecord.of(alert, await read_board(desk, alert_id), wish, desk.now_us())
    moment = parse_typed_instant(at)
    rows = await read_board_at(desk, alert, moment, late=knowledge == Knowledge.LATE)
    return BoardRecord.of(alert, rows, wish, to_us(moment))


@router.get("/verdicts")
async def verdicts(
    desk: TheDesk,
    page: Paging,
    alert_id: str = "",
    enterprise_id: str = "",
    from_: Annotated[str | None, Query(alias="from")] = None,
    to: str | None = None,
) -> list[dict[str, Any]]:
    """Verdicts as `export verdicts` gives them; of alerts that touch [from, to)."""
    found = await list_verdicts(
        desk.db,
        alert_id or None,
        [enterprise_id] if enterprise_id else None,
        to_us(parse_typed_instant(from_)) if from_ else None,
        to_us(parse_typed_instant(to)) if to else None,
    )
    return [verdict_record(verdict) for verdict in page.cut(found)]


class UsualRecord(Record):
    """Power of a circuit on its like days [kW]; entry i is the i-th quarter hour of a local day."""

    days: list[date]
    block_s: int
    low: list[float | None]
    median: list[float | None]
    high: list[float | None]


@router.get("/board/{alert_id}/usual/{enterprise_id}")
async def usual(desk: TheDesk, alert_id: str, enterprise_id: str) -> dict[str, UsualRecord]:
    """What the judged circuits of a plant use at the same clock times of like days, by circuit.

    The 10th and 90th percentile and the median of the days that the verdict compares with.
    """
    await known_alert(desk, alert_id)
    registry = await desk.registry()
    plant = registry.enterprises.get(enterprise_id)
    orders = [] if plant is None else await orders_of(desk, registry, plant)
    order = next((item for item in orders if item.alert.alert_id == alert_id), None)
    if order is None:
        raise HTTPException(404, f"enterprise {enterprise_id!r} is not under alert {alert_id!r}")
    return {
        circuit: UsualRecord(
            days=list(it.days),
            block_s=BLOCK_S,
            low=numbers(it.low),
            median=numbers(it.median),
            high=numbers(it.high),
        )
        for circuit, it in (await usual_of(desk, order)).items()
    }


@router.get("/board/{alert_id}/stream", response_class=StreamingResponse)
async def stream(
    request: Request, desk: TheDesk, alert_id: str, wish: TheWish
) -> StreamingResponse:
    """Server-sent events, one stream per tab.

    `state` comes first and carries the whole board; `rows` carries the rows that changed and the
    ids that are `gone`; `tick` the time; `trouble` says that the store is away.
    """
    await known_alert(desk, alert_id)
    boards: Boards = request.app.state.boards
    return StreamingResponse(
        boards.events(alert_id, wish),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
