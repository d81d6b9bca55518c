"""/api/v1/alerts: declare, change, lift and correct alerts; their log; notes of calls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request

from dashboards.api.parameters import Paging
from dashboards.api.records import AlertRecord, Instant, Record
from dashboards.desk import Desk, TheDesk
from dashboards.guard import check_loopback
from wattwitness.domain.alerts import (
    ID_PATTERN,
    AlertStanding,
    Signature,
    SignedEntry,
    level_at,
    standing_at,
)
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import Alert, AlertChange, AlertLevel
from wattwitness.store.alerts import (
    amend_alert,
    change_alert,
    declare_alert,
    get_alert,
    lift_alert,
)
from wattwitness.store.signed_log import list_alert_log

router = APIRouter(tags=["alerts"])
TEXT = r"^[^\x00]*$"  # the database knows no NUL
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Signed(BaseModel):
    """Who does it, and why."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")

    actor: Annotated[str, Field(min_length=1, max_length=100, pattern=TEXT)]
    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=TEXT)]

    def signature(self, desk: Desk) -> Signature:
        """With the wall clock of now."""
        return Signature(actor=self.actor, reason=self.reason, at=from_us(desk.now_us()))


class AlertWish(Signed):
    """A new alert."""

    level: AlertLevel
    response_from: AwareDatetime
    issued_at: Annotated[AwareDatetime | None, Field(description="Default: now.")] = None
    districts: list[Name] = Field(default=[], max_length=500, description="Empty = all.")
    alert_id: Annotated[
        str, Field(max_length=100, pattern=ID_PATTERN, description="Default: day and level.")
    ] = ""


class ChangeWish(Signed):
    """A change of level in course."""

    level: AlertLevel
    response_from: Annotated[AwareDatetime | None, Field(description="Default: at once.")] = None
    issued_at: Annotated[AwareDatetime | None, Field(description="Default: now.")] = None


class LiftWish(Signed):
    """The end of an alert."""

    lifted_at: Annotated[AwareDatetime | None, Field(description="Default: now.")] = None


class AmendWish(Signed):
    """A correction; what is left out stays."""

    level: AlertLevel | None = None
    issued_at: AwareDatetime | None = None
    response_from: AwareDatetime | None = None
    lifted_at: AwareDatetime | None = None
    not_lifted: bool = False
    districts: list[Name] | None = None


class AlertNowRecord(AlertRecord):
    """An alert, and where it stands now."""

    standing: str
    level_now: str

    @classmethod
    def at(cls, alert: Alert, now: datetime) -> Self:
        """The record of an alert at a moment."""
        return cls(
            **AlertRecord.of(alert).model_dump(),
            standing=standing_at(alert, now).value,
            level_now=level_at(alert, now).value,
        )


class SignedEntryRecord(Record):
    """One entry of the log of an alert or a plan."""

    subject: str
    act: str
    actor: str
    reason: str
    at: Instant
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @classmethod
    def of(cls, it: SignedEntry) -> Self:
        """The record of an entry."""
        sign = it.signature
        return cls(
            subject=it.subject,
            act=it.act.value,
            actor=sign.actor,
            reason=sign.reason,
            at=sign.at,
            before=it.before,
            after=it.after,
        )


def _told(desk: Desk, alert: Alert) -> AlertNowRecord:
    return AlertNowRecord.at(alert, from_us(desk.now_us()))


@router.get("/alerts")
async def alerts(
    desk: TheDesk, page: Paging, standing: AlertStanding | None = None
) -> list[AlertNowRecord]:
    """Alerts with their changes, the newest response first."""
    registry = await desk.registry_now()
    found = [_told(desk, alert) for alert in registry.alerts.values()]
    found.sort(key=lambda r: (r.response_from, r.alert_id), reverse=True)
    return page.cut([r for r in found if standing is None or r.standing == standing.value])


@router.get("/alerts/{alert_id}")
async def alert(desk: TheDesk, alert_id: str) -> AlertNowRecord:
    """One alert."""
    found = await get_alert(desk.db, alert_id)
    if found is None:
        raise HTTPException(404, f"no alert {alert_id!r}")
    return _told(desk, found)


@router.get("/alerts/{alert_id}/log")
async def log(desk: TheDesk, alert_id: str) -> list[SignedEntryRecord]:
    """Who did what to an alert, and why, the newest first; nothing is ever deleted."""
    return [SignedEntryRecord.of(entry) for entry in await list_alert_log(desk.db, alert_id)]


@router.post("/alerts", status_code=201)
async def declare(request: Request, desk: TheDesk, wish: AlertWish) -> AlertNowRecord:
    """Declare an alert. Only from this machine: there are no accounts yet."""
    check_loopback(request)
    sign = wish.signature(desk)
    declared = Alert(
        alert_id=wish.alert_id,
        level=wish.level,
        issued_at=wish.issued_at or min(sign.at, wish.response_from),
        response_from=wish.response_from,
        districts=tuple(dict.fromkeys(wish.districts)),
    )
    return _told(desk, await declare_alert(desk.db, declared, sign))


@router.post("/alerts/{alert_id}/changes", status_code=201)
async def change(
    request: Request, desk: TheDesk, alert_id: str, wish: ChangeWish
) -> AlertNowRecord:
    """Raise or lower the level in course."""
    check_loopback(request)
    sign = wish.signature(desk)
    begins = wish.response_from or wish.issued_at or sign.at
    changed = AlertChange(
        level=wish.level,
        issued_at=wish.issued_at or min(sign.at, begins),
        response_from=begins,
    )
    return _told(desk, await change_alert(desk.db, alert_id, changed, sign))


@router.post("/alerts/{alert_id}/lift", status_code=201)
async def lift(request: Request, desk: TheDesk, alert_id: str, wish: LiftWish) -> AlertNowRecord:
    """Lift an alert."""
    check_loopback(request)
    sign = wish.signature(desk)
    return _told(desk, await lift_alert(desk.db, alert_id, wish.lifted_at or sign.at, sign))


@router.post("/alerts/{alert_id}/amend", status_code=201)
async def amend(request: Request, desk: TheDesk, alert_id: str, wish: AmendWish) -> AlertNowRecord:
    """Correct what was declared wrongly; what it was stays in the log."""
    check_loopback(request)
    amended = await amend_alert(
        desk.db,
        alert_id,
        wish.signature(desk),
        level=wish.level,
        issued_at=wish.issued_at,
        response_from=wish.response_from,
        lifted_at=wish.lifted_at,
        not_lifted=wish.not_lifted,
        districts=wish.districts,
    )
    return _told(desk, amended)
