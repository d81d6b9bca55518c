"""/api/v1/plan-check and the measures of an enterprise: what it has to do, and what can be told."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Self

from fastapi import APIRouter, HTTPException
from pydantic import Field
from starlette.requests import Request

from dashboards.api.alerts import Signed, SignedEntryRecord
from dashboards.api.parameters import Paging
from dashboards.api.records import Record
from dashboards.desk import TheDesk
from dashboards.guard import check_loopback
from wattwitness.domain.plan_check import PlanStanding
from wattwitness.domain.registry import AlertLevel, Measure, MeasureAction
from wattwitness.files.alert_records import hours_text, plan_record
from wattwitness.files.registry_cells import clock_hours
from wattwitness.store.plans import check_stored_plans, remove_measure, save_measure
from wattwitness.store.signed_log import list_plan_log

router = APIRouter(tags=["alerts"])


class PlanCheckRecord(Record):
    """A measure, or a level without one, and what the meters can say about it."""

    enterprise_id: str
    name: str
    district: str | None
    industry: str | None
    grade: str
    level: str
    action: str | None
    scope: list[str]
    limit_pct: float | None
    hours: str | None
    grace_min: float | None
    circuits: list[str]
    standing: str
    why: list[str]
    parts: Mapping[str, list[str]]


class MeasureRecord(Record):
    """A measure of a plan."""

    level: str
    action: str
    scope: list[str]
    limit_pct: float | None
    hours: str | None
    grace_min: float | None

    @classmethod
    def of(cls, it: Measure) -> Self:
        """The record of a measure."""
        return cls(
            level=it.level.value,
            action=it.action.value,
            scope=list(it.scope),
            limit_pct=it.limit_pct,
            hours=hours_text(it),
            grace_min=it.grace_min,
        )


class MeasureKeyWish(Signed):
    """Which measure, signed."""

    level: AlertLevel
    action: MeasureAction
    scope: list[str] = Field(default=["*"], min_length=1, max_length=500)

    def measure(self, enterprise_id: str) -> Measure:
        """The measure it names."""
        return Measure(
            enterprise_id=enterprise_id,
            level=self.level,
            action=self.action,
            scope=tuple(dict.fromkeys(self.scope)),
        )


class MeasureWish(MeasureKeyWish):
    """A measure with its numbers."""

    limit_pct: Annotated[float | None, Field(ge=0, le=100)] = None
    hours: Annotated[str, Field(description="HH:MM-HH:MM, when production is allowed.")] = ""
    grace_min: Annotated[float | None, Field(ge=0, le=1e6)] = None

    def measure(self, enterprise_id: str) -> Measure:
        """The measure.

        Raises:
            InputRefusedError: its hours are no span.
        """
        hours: tuple[time, time] | None = clock_hours(self.hours) if self.hours else None
        key = super().measure(enterprise_id)
        return Measure(
            enterprise_id=enterprise_id,
            level=key.level,
            action=key.action,
            scope=key.scope,
            limit_pct=self.limit_pct,
            hours=hours,
            grace_min=self.grace_min,
        )


@router.get("/plan-check")
async def plan_check(
    desk: TheDesk,
    page: Paging,
    standing: PlanStanding | None = None,
    level: AlertLevel | None = None,
    enterprise_id: str = "",
) -> list[PlanCheckRecord]:
    """Every measure, and the levels without one, by enterprise and level."""
    registry = await desk.registry()
    found = [
        finding
        for finding in await check_stored_plans(desk.db, registry, desk.today())
        if (standing is None or finding.standing is standing)
        and (level is None or finding.level is level)
        and (not enterprise_id or finding.enterprise_id == enterprise_id)
    ]
    return [
        PlanCheckRecord.model_validate(plan_record(f, registry.enterprises[f.enterprise_id]))
        for f in page.cut(found)
    ]


async def _measures(desk: TheDesk, enterprise_id: str) -> list[MeasureRecord]:
    registry = await desk.registry_now()
    if enterprise_id not in registry.enterprises:
        raise HTTPException(404, f"no enterprise {enterprise_id!r}")
    own = [m for m in registry.measures if m.enterprise_id == enterprise_id]
    return [MeasureRecord.of(measure) for measure in own]


@router.get("/enterprises/{enterprise_id}/measures")
async def measures(desk: TheDesk, enterprise_id: str) -> list[MeasureRecord]:
    """The plan of an enterprise."""
    return await _measures(desk, enterprise_id)


@router.post("/enterprises/{enterprise_id}/measures", status_code=201)
async def save(
    request: Request, desk: TheDesk, enterprise_id: str, wish: MeasureWish
) -> list[MeasureRecord]:
    """Add a measure, or change the numbers of the one with its level, action and scope."""
    check_loopback(request)
    await save_measure(desk.db, wish.measure(enterprise_id), wish.signature(desk))
    return await _measures(desk, enterprise_id)


@router.post("/enterprises/{enterprise_id}/measures/remove", status_code=201)
async def remove(
    request: Request, desk: TheDesk, enterprise_id: str, wish: MeasureKeyWish
) -> list[MeasureRecord]:
    """Take a measure out of the plan; the log keeps what it was."""
    check_loopback(request)
    await remove_measure(desk.db, wish.measure(enterprise_id), wish.signature(desk))
    return await _measures(desk, enterprise_id)


@router.get("/enterprises/{enterprise_id}/measures/log")
async def log(desk: TheDesk, enterprise_id: str) -> list[SignedEntryRecord]:
    """Who changed the plan, and why, the newest first."""
    return [SignedEntryRecord.of(entry) for entry in await list_plan_log(desk.db, enterprise_id)]
