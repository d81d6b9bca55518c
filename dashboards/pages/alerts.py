"""`/alerts`: what is announced, in force and past; declaring an alert, and what is done to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.desk import Desk, TheDesk
from dashboards.forms import NOTHING_FILLED_IN, Act, Form, acted
from dashboards.inbox import districts as known_districts
from dashboards.render import PageContext, render
from dashboards.signed_log import ToldEntry, told
from wattwitness.domain.alerts import (
    AlertStanding,
    Signature,
    SignedEntry,
    level_at,
    overlap,
    standing_at,
)
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.instants import from_us
from wattwitness.domain.registry import (
    VOLUNTARY,
    Alert,
    AlertChange,
    AlertLevel,
    AlertPhase,
    Registry,
)
from wattwitness.store.alerts import (
    amend_alert,
    change_alert,
    declare_alert,
    lift_alert,
)
from wattwitness.store.signed_log import list_alert_log

router = APIRouter(include_in_schema=False)
LOG_ROWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert and where it stands."""

    alert: Alert
    standing: AlertStanding
    level: AlertLevel  # now
    phases: tuple[AlertPhase, ...]
    enterprises: int  # under it
    overlapping: tuple[str, ...]  # ids of alerts over the same enterprises at the same time


@dataclass(frozen=True, kw_only=True)
class AlertsPage(PageContext):
    """Alerts, and the form that declares one."""

    template = "alerts.html"

    open: Annotated[list[AlertRow], "Alerts announced or in force, the newest response first."]
    past: Annotated[list[AlertRow], "Lifted ones, the newest response first."]
    levels: Annotated[list[str], "Levels to choose from."]
    districts: Annotated[list[str], "Districts to choose from."]
    log: Annotated[list[ToldEntry], "What was done last, the newest first."]
    form: Annotated[Form, "What was filled in when it was refused."]
    times: Annotated[dict[str, str], "Local times that the form begins with, by field."]
    problem: Annotated[str, "Why it was refused; empty = it was not."]


@dataclass(frozen=True, kw_only=True)
class AlertPage(PageContext):
    """One alert: its course, who is under it, its log, and what can be done to it."""

    template = "alert.html"

    row: Annotated[AlertRow, "The alert and where it stands."]
    with_measures: Annotated[int, "Enterprises under it whose plan has a measure at its level."]
    voluntary: Annotated[int, "Those without one whose grade acts voluntarily."]
    without: Annotated[int, "Those without one whose grade asks for it."]
    levels: Annotated[list[str], "Levels to choose from."]
    districts: Annotated[list[str], "Districts to choose from."]
    log: Annotated[list[ToldEntry], "What was done to it, the newest first."]
    seen: Annotated[str, "Number of its newest entry: a correction of what has changed is refused."]
    act: Annotated[str, "What was refused: changes, lift or amend; empty = nothing."]
    form: Annotated[Form, "What was filled in when it was refused."]
    times: Annotated[dict[str, str], "Local times that the forms begin with, by field."]
    problem: Annotated[str, "Why it was refused; empty = it was not."]


def alert_row(alert: Alert, registry: Registry, now: datetime) -> AlertRow:
    """A row of the list."""
    others = (a for a in registry.alerts.values() if a.alert_id != alert.alert_id)
    return AlertRow(
        alert=alert,
        standing=standing_at(alert, now),
        level=level_at(alert, now),
        phases=alert.phases(),
        enterprises=sum(alert.concerns(e.district) for e in registry.enterprises.values()),
        overlapping=tuple(sorted(a.alert_id for a in others if overlap(alert, a))),
    )


def _local(desk: Desk, moment: datetime) -> str:
    """As a browser's field for local times writes it."""
    return f"{moment.astimezone(desk.zone):%Y-%m-%dT%H:%M}"


async def _alerts(request: Request, desk: Desk, form: Form, problem: str = "") -> Response:
    registry, now = await desk.registry_now(), from_us(desk.now_us())
    rows = [alert_row(a, registry, now) for a in registry.alerts.values()]
    rows.sort(key=lambda r: (r.alert.response_from, r.alert.alert_id), reverse=True)
    tomorrow = now.astimezone(desk.zone).replace(hour=0, minute=0) + timedelta(days=1)
    context = AlertsPage(
        open=[r for r in rows if r.standing is not AlertStanding.LIFTED],
        past=[r for r in rows if r.standing is AlertStanding.LIFTED],
        levels=[level.value for level in AlertLevel],
        districts=known_districts(registry),
        log=told(await list_alert_log(desk.db, most=LOG_ROWS)),
        form=form,
        times={"response_from": _local(desk, tomorrow)},
        problem=problem,
    )
    return render(request, "alerts", context, 422 if problem else 200)


@router.get("/alerts")
async def alerts(request: Request, desk: TheDesk) -> Response:
    """The page."""
    return await _alerts(request, desk, NOTHING_FILLED_IN)


async def _declare(desk: Desk, _: str, form: Form, sign: Signature) -> Alert:
    begins = form.wanted_time("response_from", desk.zone)
    alert = Alert(
        alert_id="",
        level=form.word("level", AlertLevel),
        issued_at=form.time("issued_at", desk.zone) or min(sign.at, begins),
        response_from=begins,
        districts=tuple(form.many("districts")),
    )
    return await declare_alert(desk.db, alert, sign)


@router.post("/alerts")
async def declare(request: Request, desk: TheDesk) -> Response:
    """Declare an alert from the form, and show it."""
    form, declared, problem = await acted(request, desk, _declare, "")
    if declared is None:
        return await _alerts(request, desk, form, problem)
    return RedirectResponse(f"/alerts/{quote(declared.alert_id)}#course", 303)


def _under(row: AlertRow, registry: Registry) -> tuple[int, int, int]:
    """(with a measure at its level, without one and voluntary, without one)."""
    planned = {m.enterprise_id for m in registry.measures if m.level is row.level}
    bare = [
        e.grade
        for e in registry.enterprises.values()
        if row.alert.concerns(e.district) and e.enterprise_id not in planned
    ]
    voluntary = sum(grade in VOLUNTARY for grade in bare)
    return row.enterprises - len(bare), voluntary, len(bare) - voluntary


def _times(desk: Desk, alert: Alert) -> dict[str, str]:
    names = ("issued_at", "response_from", "lifted_at")
    found = {name: getattr(alert, name) for name in names}
    return {name: _local(desk, moment) if moment else "" for name, moment in found.items()}


async def _alert(
    request: Request, desk: Desk, alert_id: str, form: Form, refused: tuple[str, str] = ("", "")
) -> Response:
    registry, now = await desk.registry_now(), from_us(desk.now_us())
    alert = registry.alerts.get(alert_id)
    if alert is None:
        raise HTTPException(404, f"no alert {alert_id!r}")
    row = alert_row(alert, registry, now)
    planned, voluntary, without = _under(row, registry)
    log = await list_alert_log(desk.db, alert_id)
    context = AlertPage(
        row=row,
        with_measures=planned,
        voluntary=voluntary,
        without=without,
        levels=[level.value for level in AlertLevel],
        districts=known_districts(registry),
        log=told(log),
        seen=_newest(log),
        act=refused[0],
        form=form,
        times=_times(desk, alert),
        problem=refused[1],
    )
    return render(request, "alerts", context, 422 if refused[1] else 200)


@router.get("/alerts/{alert_id}")
async def alert(request: Request, desk: TheDesk, alert_id: str) -> Response:
    """The page."""
    return await _alert(request, desk, alert_id, NOTHING_FILLED_IN)


async def _change(desk: Desk, alert_id: str, form: Form, sign: Signature) -> Alert:
    begins = form.time("response_from", desk.zone) or sign.at
    issued = form.time("issued_at", desk.zone) or min(sign.at, begins)
    level = form.word("level", AlertLevel)
    change = AlertChange(level=level, issued_at=issued, response_from=begins)
    return await change_alert(desk.db, alert_id, change, sign)


async def _lift(desk: Desk, alert_id: str, form: Form, sign: Signature) -> Alert:
    lifted = form.time("lifted_at", desk.zone) or sign.at
    return await lift_alert(desk.db, alert_id, lifted, sign)


def _newest(log: Sequence[SignedEntry]) -> str:
    return str(log[0].entry_id) if log else "0"


async def _amend(desk: Desk, alert_id: str, form: Form, sign: Signature) -> Alert:
    alert = (await desk.registry_now()).alerts.get(alert_id)
    if alert is None:
        raise HTTPException(404, f"no alert {alert_id!r}")
    # the form holds all fields: one that was opened before a lift would take the lift back
    seen = form.one("seen")
    if seen and seen != _newest(await list_alert_log(desk.db, alert_id, most=1)):
        raise InputRefusedError("the alert has changed meanwhile")
    # fields show whole minutes: what was not touched keeps its seconds
    touched = {name: form.one(name) != text for name, text in _times(desk, alert).items()}
    lifted = form.time("lifted_at", desk.zone)
    return await amend_alert(
        desk.db,
        alert_id,
        sign,
        level=form.word("level", AlertLevel),
        issued_at=form.wanted_time("issued_at", desk.zone) if touched["issued_at"] else None,
        response_from=(
            form.wanted_time("response_from", desk.zone) if touched["response_from"] else None
        ),
        lifted_at=lifted if touched["lifted_at"] else None,
        not_lifted=lifted is None,
        districts=form.many("districts"),
    )


_ACTS: dict[str, Act[Alert]] = {"changes": _change, "lift": _lift, "amend": _amend}


@router.post("/alerts/{alert_id}/{act}")
async def do(request: Request, desk: TheDesk, alert_id: str, act: str) -> Response:
    """Change, lift or correct an alert from its form, and show it again."""
    if act not in _ACTS:
        raise HTTPException(404, f"nothing is called {act!r} here")
    form, _, problem = await acted(request, desk, _ACTS[act], alert_id)
    if problem:
        return await _alert(request, desk, alert_id, form, (act, problem))
    return RedirectResponse(f"/alerts/{quote(alert_id)}#course", 303)
