"""`/leads`: the inbox, its queue of registrations to be checked, and the random share beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import Desk, TheDesk
from dashboards.inbox import Wish, districts, find_leads
from dashboards.random_share import RandomShare, random_share
from dashboards.render import PageContext, render
from wattwitness.domain.leads import Lead, LeadLevel
from wattwitness.domain.registry import Enterprise, Registry
from wattwitness.store.decisions import Recalibration, list_recalibrations
from wattwitness.store.findings import analysis_progress

router = APIRouter(include_in_schema=False)
PER_PAGE = 50
TOLD_RECALIBRATIONS = 6
SAMPLES = (0.5, 0.7, 0.8, 0.9, 0.97)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRecalibration:
    """A recalibration by examples: what a confidence became."""

    recalibration: Recalibration
    examples: tuple[tuple[float, float], ...]


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
    statuses: Annotated[list[str], "Standings to choose from."]
    to_check: Annotated[int, "Open leads whose registration is to be checked."]
    recalibrations: Annotated[
        list[ToldRecalibration], "How decisions changed confidences, newest first."
    ]
    draw: Annotated[RandomShare | None, "The random share of the week; only with the plain list."]
    drawn: Annotated[list[Enterprise], "Its enterprises, in the order of the draw."]
    drawn_leads: Annotated[dict[str, Lead], "Their best open lead, by enterprise, where any."]
    previous_url: Annotated[str | None, "The page before; None on the first."]
    next_url: Annotated[str | None, "The page after; None on the last."]
    analysing: Annotated[int, "Enterprise days that still wait for the analytics."]


def _url(wish: Wish, page: int) -> str:
    asked = {
        "level": wish.level.value if wish.level else "",
        "district": wish.district,
        "q": wish.words,
        "status": "" if wish.status == "open" else wish.status or "any",
        "check": "1" if wish.check else "",
        "page": str(page) if page > 1 else "",
    }
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"/leads?{query}" if query else "/leads"


def wished_level(text: str) -> LeadLevel | None:
    """The level of a form field; empty = any."""
    return LeadLevel(text) if text else None


async def _told(desk: Desk) -> list[ToldRecalibration]:
    found = await list_recalibrations(desk.db, TOLD_RECALIBRATIONS)
    return [
        ToldRecalibration(
            recalibration=item, examples=tuple((x, item.curve.of(x)) for x in SAMPLES)
        )
        for item in found
    ]


def _best(leads: Sequence[Lead]) -> dict[str, Lead]:
    """Enterprise → its best open lead."""
    found: dict[str, Lead] = {}
    for lead in leads:
        if lead.is_open:
            found.setdefault(lead.enterprise_id, lead)
    return found


async def _context(desk: Desk, registry: Registry, wish: Wish, page: int) -> LeadsPage:
    everything = await find_leads(desk, Wish())
    found = await find_leads(desk, wish)
    start = (page - 1) * PER_PAGE
    part = found[start : start + PER_PAGE]
    plain = page == 1 and wish == Wish(status="open")
    draw = await random_share(desk) if plain else None
    ids = () if draw is None else draw.enterprise_ids
    best = _best(everything)
    return LeadsPage(
        leads=part,
        enterprises={x.enterprise_id: registry.enterprises[x.enterprise_id] for x in part},
        total=len(found),
        first=start + 1,
        wish=wish,
        levels=[item.value for item in LeadLevel],
        districts=districts(registry),
        statuses=["open", "decided", "any"],
        to_check=sum(lead.is_open and bool(lead.registration_check) for lead in everything),
        recalibrations=await _told(desk),
        draw=draw,
        drawn=[registry.enterprises[e] for e in ids if e in registry.enterprises],
        drawn_leads={e: best[e] for e in ids if e in best},
        previous_url=_url(wish, page - 1) if page > 1 else None,
        next_url=_url(wish, page + 1) if start + PER_PAGE < len(found) else None,
        analysing=(await analysis_progress(desk.db)).dirty_days,
    )


@router.get("/leads")
async def leads(
    request: Request,
    desk: TheDesk,
    level: Annotated[str, Query(pattern="^(high|medium|low|info)?$")] = "",
    district: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(pattern="^(open|decided|any)?$")] = "",
    page: Annotated[int, Query(ge=1)] = 1,
    *,
    check: bool = False,
) -> Response:
    """The page."""
    wish = Wish(
        level=wished_level(level),
        district=district,
        words=q.strip(),
        status={"any": "", "": "open"}.get(status, status),
        check=check,
    )
    return render(request, "leads", await _context(desk, await desk.registry(), wish, page))
