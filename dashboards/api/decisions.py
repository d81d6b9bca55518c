"""/api/v1/leads/{lead_id}/decisions, /api/v1/recalibrations: what officers decided, and taught."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from dashboards.api.records import Instant, Record
from dashboards.desk import TheDesk
from dashboards.guard import check_loopback
from wattwitness.domain.decisions import Decision, Outcome
from wattwitness.domain.instants import from_us
from wattwitness.store.decisions import (
    Recalibration,
    list_decisions,
    list_recalibrations,
    save_decision,
)
from wattwitness.store.leads import get_lead

router = APIRouter(tags=["leads"])


class DecisionWish(BaseModel):
    """What is sent to decide about a lead."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid")

    outcome: Outcome = Field(description="`not_yet` takes an earlier decision back.")
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    actor: Annotated[str, Field(min_length=1, max_length=100, description="Who decides.")]


class DecisionRecord(Record):
    """A decision, with what the lead said when it was taken."""

    decision_id: int
    lead_id: str
    outcome: str
    reason: str
    actor: str
    at: Instant
    score: float
    confidence: float
    raw_confidence: float
    episodes: list[str]
    lead_to: Instant

    @classmethod
    def of(cls, it: Decision) -> Self:
        """The record of a decision."""
        return cls(
            decision_id=it.decision_id,
            lead_id=it.lead_id,
            outcome=it.outcome.value,
            reason=it.reason,
            actor=it.actor,
            at=it.at,
            score=it.score,
            confidence=it.confidence,
            raw_confidence=it.raw_confidence,
            episodes=list(it.episodes),
            lead_to=it.lead_to,
        )


class RecalibrationRecord(Record):
    """What a confidence is worth since `at`; no points = what the analytics gave."""

    at: Instant
    decisions: int
    points: list[tuple[float, float]]

    @classmethod
    def of(cls, it: Recalibration) -> Self:
        """The record of a recalibration."""
        return cls(at=it.at, decisions=it.curve.decisions, points=list(it.curve.points))


@router.get("/leads/{lead_id}/decisions")
async def decisions(desk: TheDesk, lead_id: str) -> list[DecisionRecord]:
    """What was decided about a lead, oldest first; a later decision holds against earlier ones."""
    return [DecisionRecord.of(item) for item in await list_decisions(desk.db, lead_id)]


@router.post("/leads/{lead_id}/decisions", status_code=201)
async def decide(
    request: Request, desk: TheDesk, lead_id: str, wish: DecisionWish
) -> DecisionRecord:
    """Decide about a lead as it stands now. Only from this machine: there are no accounts yet."""
    check_loopback(request)
    lead = await get_lead(desk.db, lead_id)
    if lead is None:
        raise HTTPException(404, f"no lead {lead_id!r}")
    at: datetime = from_us(desk.now_us())
    saved = await save_decision(desk.db, lead, wish.outcome, wish.reason, wish.actor, at)
    return DecisionRecord.of(saved)


@router.get("/recalibrations")
async def recalibrations(
    desk: TheDesk, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> list[RecalibrationRecord]:
    """How decisions changed what a confidence is worth, the newest (which holds) first."""
    return [RecalibrationRecord.of(item) for item in await list_recalibrations(desk.db, limit)]
