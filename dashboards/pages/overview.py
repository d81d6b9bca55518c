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
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.leads import Lead
from wattwitness.domain.registry import Enterprise
from wattwitness.store.early_warnings import list_warnings

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
    warnings: Annotated[list[EarlyWarning], "What holds right now and is no episode yet."]
    enterprises: Annotated[dict[str, Enterprise], "Enterprises of all these, by id."]


@router.get("/")
async def overview(request: Request, desk: TheDesk) -> Response:
    """The page."""
    registry = await desk.registry()
    leads = await find_leads(desk, Wish(status="open"))
    warnings = await list_warnings(desk.db)
    top = leads[:TOP_LEADS]
    newest = sorted(leads, key=lambda lead: (lead.to, lead.score), reverse=True)[:NEWEST_LEADS]
    named = {lead.enterprise_id for lead in (*top, *newest)} | {w.enterprise_id for w in warnings}
    context = OverviewPage(
        figures=await read_figures(desk),
        top=top,
        newest=newest,
        warnings=warnings,
        enterprises={e: registry.enterprises[e] for e in named},
    )
    return render(request, "overview", context)
