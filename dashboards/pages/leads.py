"""`/leads`: the inbox."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import TheDesk
from dashboards.inbox import Wish, districts, find_leads
from dashboards.render import PageContext, render
from wattwitness.domain.leads import Lead, LeadLevel
from wattwitness.domain.registry import Enterprise
from wattwitness.store.findings import analysis_progress

router = APIRouter(include_in_schema=False)
PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class LeadsPage(PageContext):
    """One page of the leads that were looked for."""

    template = "leads.html"

    leads: Annotated[list[Lead], "The leads of this page, by rank."]
    enterprises: Annotated[dict[str, Enterprise], "Enterprises of these leads, by id."]
    total: Annotated[int, "How many leads were found."]
    first: Annotated[int, "Number of the first lead of this page, from 1."]
    wish: Annotated[Wish, "What was looked for."]
    levels: Annotated[list[str], "Levels to choose from."]
    districts: Annotated[list[str], "Districts to choose from."]
    previous_url: Annotated[str | None, "The page before; None on the first."]
    next_url: Annotated[str | None, "The page after; None on the last."]
    analysing: Annotated[int, "Enterprise days that still wait for the analytics."]


def _url(wish: Wish, page: int) -> str:
    asked = {
        "level": wish.level.value if wish.level else "",
        "district": wish.district,
        "q": wish.words,
        "page": str(page) if page > 1 else "",
    }
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"/leads?{query}" if query else "/leads"


def wished_level(text: str) -> LeadLevel | None:
    """The level of a form field; empty = any."""
    return LeadLevel(text) if text else None


@router.get("/leads")
async def leads(
    request: Request,
    desk: TheDesk,
    level: Annotated[str, Query(pattern="^(high|medium|low|info)?$")] = "",
    district: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The page."""
    registry = await desk.registry()
    wish = Wish(level=wished_level(level), district=district, words=q.strip())
    found = await find_leads(desk, wish)
    start = (page - 1) * PER_PAGE
    part = found[start : start + PER_PAGE]
    context = LeadsPage(
        leads=part,
        enterprises={x.enterprise_id: registry.enterprises[x.enterprise_id] for x in part},
        total=len(found),
        first=start + 1,
        wish=wish,
        levels=[item.value for item in LeadLevel],
        districts=districts(registry),
        previous_url=_url(wish, page - 1) if page > 1 else None,
        next_url=_url(wish, page + 1) if start + PER_PAGE < len(found) else None,
        analysing=(await analysis_progress(desk.db)).dirty_days,
    )
    return render(request, "leads", context)
