"""/api/v1/alerts/{alert_id}/calls: who was called under an alert, and what was promised."""

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request

from dashboards.api.alerts import TEXT
from dashboards.api.records import Instant, Record
from dashboards.desk import Desk, TheDesk
from dashboards.guard import check_loopback
from wattwitness.domain.call_notes import CallNote
from wattwitness.domain.instants import from_us
from wattwitness.store.call_notes import add_call_note, list_call_notes

router = APIRouter(tags=["alerts"])


class CallWish(BaseModel):
    """What was heard on the telephone."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=2000, pattern=TEXT)]
    actor: Annotated[
        str, Field(min_length=1, max_length=100, pattern=TEXT, description="Who called.")
    ]
    promised_at: Annotated[AwareDatetime | None, Field(description="Will stop by then.")] = None


class NamedCallWish(CallWish):
    """Likewise, with whom was called."""

    enterprise_id: Annotated[str, Field(min_length=1, max_length=200)]


class CallRecord(Record):
    """A note of a call; a later one supersedes it, none is deleted."""

    note_id: int
    alert_id: str
    enterprise_id: str
    at: Instant
    actor: str
    text: str
    promised_at: Instant | None

    @classmethod
    def of(cls, it: CallNote) -> Self:
        """The record of a note."""
        return cls(
            note_id=it.note_id,
            alert_id=it.alert_id,
            enterprise_id=it.enterprise_id,
            at=it.at,
            actor=it.actor,
            text=it.text,
            promised_at=it.promised_at,
        )


async def _add(desk: Desk, alert_id: str, enterprise_id: str, wish: CallWish) -> CallRecord:
    note = CallNote(
        note_id=0,
        alert_id=alert_id,
        enterprise_id=enterprise_id,
        at=from_us(desk.now_us()),
        actor=wish.actor,
        text=wish.text,
        promised_at=wish.promised_at,
    )
    return CallRecord.of(await add_call_note(desk.db, note))


@router.get("/alerts/{alert_id}/calls")
async def calls(desk: TheDesk, alert_id: str) -> list[CallRecord]:
    """Notes of an alert, by enterprise, oldest first."""
    return [CallRecord.of(note) for note in await list_call_notes(desk.db, alert_id)]


@router.post("/alerts/{alert_id}/calls", status_code=201)
async def call(request: Request, desk: TheDesk, alert_id: str, wish: NamedCallWish) -> CallRecord:
    """Note a call. Only from this machine: there are no accounts yet."""
    check_loopback(request)
    found = await _add(desk, alert_id, wish.enterprise_id, wish)
    request.app.state.boards.mark(alert_id)  # open boards show it at once
    return found


@router.get("/alerts/{alert_id}/enterprises/{enterprise_id}/calls")
async def calls_of_one(desk: TheDesk, alert_id: str, enterprise_id: str) -> list[CallRecord]:
    """Notes about one enterprise, oldest first."""
    found = await list_call_notes(desk.db, alert_id, enterprise_id)
    return [CallRecord.of(note) for note in found]


@router.post("/alerts/{alert_id}/enterprises/{enterprise_id}/calls", status_code=201)
async def call_one(
    request: Request, desk: TheDesk, alert_id: str, enterprise_id: str, wish: CallWish
) -> CallRecord:
    """Note a call to one enterprise."""
    check_loopback(request)
    found = await _add(desk, alert_id, enterprise_id, wish)
    request.app.state.boards.mark(alert_id)
    return found
