"""`/`: the city in five seconds."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import TheDesk
from dashboards.figures import Figures, read_figures
from dashboards.inbox import Wish, find_leads
from dashboards.render import PageContext, render
from wattwitness.domain.leads import Lead
from wattwitness.domain.registry import Enterprise

router = APIRouter(include_in_schema=False)
TOP_LEADS = 8
NEWEST_LEADS = 8


@dataclass(frozen=True, kw_only=True)
class OverviewPage(PageContext):
    """Figures, the leads to look at first, and the newest ones."""

    template = "overview.html"

    figures: Annotated[Figures, "The five-second figures and open alerts, as in /api/v1/overview."]
    top: Annotated[list[Lead], "The leads of the highest rank."]
    newest: Annotated[list[Lead], "The leads whose evidence reaches furthest towards now."]
    enterprises: Annotated[dict[str, Enterprise], "Enterprises of these leads, by id."]


@router.get("/")
async def overview(request: Request, desk: TheDesk) -> Response:
    """The page."""
    registry = await desk.registry()
    leads = await find_leads(desk, Wish())
    top = leads[:TOP_LEADS]
    newest = sorted(leads, key=lambda lead: (lead.to, lead.score), reverse=True)[:NEWEST_LEADS]
    context = OverviewPage(
        figures=await read_figures(desk),
        top=top,
        newest=newest,
        enterprises={
            lead.enterprise_id: registry.enterprises[lead.enterprise_id] for lead in (*top, *newest)
        },
    )
    return render(request, "overview", context)
