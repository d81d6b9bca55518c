"""`/leads/{lead_id}`: the evidence of one lead, and what was decided about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboards.case import Case, read_case
from dashboards.desk import TheDesk
from dashboards.doubts import Doubt
from dashboards.lanes import REACH, Lane, Mark, chart_json
from dashboards.reasons import Reasons, reasons
from dashboards.render import PageContext, render
from dashboards.strip import StripDay
from wattwitness.domain.decisions import Decision, Outcome
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import from_us
from wattwitness.domain.leads import Lead, LeadStatus
from wattwitness.domain.registry import Declaration, Enterprise
from wattwitness.domain.testability import Testability

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class LeadPage(PageContext):
    """One lead: the sentence, the lanes, the reasons, and how it could be wrong."""

    template = "lead.html"

    lead: Annotated[Lead, "The lead."]
    enterprise: Annotated[Enterprise, "Whose lead it is."]
    lanes: Annotated[list[Lane], "Circuits under each other, production above, with their washes."]
    more_circuits: Annotated[int, "Circuits of the lead that found no lane."]
    marks: Annotated[list[Mark], "Declarations and alerts that touch the window."]
    chart: Annotated[dict[str, Any], "What the script draws: window, lanes, washes, marks."]
    window: Annotated[tuple[datetime, datetime], "The window that lanes and checks are about."]
    reasons: Annotated[Reasons, "Numbers for why this is a lead."]
    doubts: Annotated[list[Doubt], "Checks of how it could be wrong, with their standing."]
    episodes: Annotated[
        list[Episode], "The episodes of the lead, suppressed ones too, newest first."
    ]
    declarations: Annotated[dict[str, Declaration], "Declarations that suppress, by id."]
    blind: Annotated[list[Testability], "Rules that cannot be tested here, with the reason."]
    strip: Annotated[list[StripDay], "30 days × 24 hours of treatment against production, or none."]
    decisions: Annotated[list[Decision], "What was decided about it, newest first."]
    outcomes: Annotated[list[str], "What can be decided now."]
    previous_id: Annotated[str | None, "The lead before it in rank."]
    next_id: Annotated[str | None, "The lead after it in rank."]


def outcomes(lead: Lead) -> list[Outcome]:
    """What can be decided: an open one is confirmed or dismissed, a decided one also taken back."""
    status = LeadStatus(lead.status)
    found = [o for o in (Outcome.CONFIRMED, Outcome.DISMISSED) if o.value != status.value]
    return found if status is LeadStatus.OPEN else [*found, Outcome.NOT_YET]


def _context(case: Case, now: datetime) -> LeadPage:
    return LeadPage(
        lead=case.lead,
        enterprise=case.enterprise,
        lanes=case.lanes,
        more_circuits=case.more_circuits,
        marks=case.marks,
        chart=chart_json(case.lanes, case.all_marks, case.window, (now - REACH, now)),
        window=case.window,
        reasons=reasons(case.episodes),
        doubts=case.doubts,
        episodes=case.episodes,
        declarations=case.declarations,
        blind=case.blind,
        strip=case.strip,
        decisions=case.decisions,
        outcomes=[item.value for item in outcomes(case.lead)],
        previous_id=case.previous_id,
        next_id=case.next_id,
    )


@router.get("/leads/{lead_id}")
async def lead(request: Request, desk: TheDesk, lead_id: str) -> Response:
    """The page."""
    case = await read_case(desk, lead_id)
    if case is None:
        raise HTTPException(404, f"no lead {lead_id!r}")
    return render(request, "leads", _context(case, from_us(desk.now_us())))
