"""/api/v1/leads: what an officer reviews, ranked."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from dashboards.api.parameters import Paging
from dashboards.api.records import LeadRecord
from dashboards.desk import TheDesk
from dashboards.inbox import Wish, find_leads
from wattwitness.domain.leads import LeadLevel

router = APIRouter(tags=["leads"])


@router.get("/leads")
async def leads(
    desk: TheDesk,
    page: Paging,
    level: LeadLevel | None = None,
    enterprise_id: str = "",
    district: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(pattern="^(open|decided)?$")] = "",
    *,
    check: Annotated[
        bool, Query(description="Only where a registration is to be checked.")
    ] = False,
) -> list[LeadRecord]:
    """Leads by rank, as one array; how many there are stands in X-Total-Count."""
    wish = Wish(
        level=level,
        district=district,
        enterprise_id=enterprise_id,
        words=q,
        status=status,
        check=check,
    )
    return [LeadRecord.of(lead) for lead in page.cut(await find_leads(desk, wish))]


@router.get("/leads/{lead_id}")
async def lead(desk: TheDesk, lead_id: str) -> LeadRecord:
    """One lead."""
    for found in await find_leads(desk, Wish()):
        if found.lead_id == lead_id:
            return LeadRecord.of(found)
    raise HTTPException(404, f"no lead {lead_id!r}")
