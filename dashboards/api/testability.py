"""/api/v1/testability: what the meters can show, and what they cannot."""

from fastapi import APIRouter

from dashboards.api.parameters import Paging
from dashboards.api.records import TestabilityRecord
from dashboards.desk import TheDesk
from wattwitness.store.findings import list_testability

router = APIRouter(tags=["findings"])


@router.get("/testability")
async def list_all(desk: TheDesk, page: Paging, enterprise_id: str = "") -> list[TestabilityRecord]:
    """One answer per rule and enterprise (or pairing)."""
    found = await list_testability(
        desk.db, enterprise_ids=[enterprise_id] if enterprise_id else None
    )
    return [TestabilityRecord.of(row) for row in page.cut(found)]
