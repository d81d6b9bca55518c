"""/api/v1/quality: completeness of circuits per local day."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from dashboards.api.parameters import InWindow
from dashboards.api.records import QualityRecord
from dashboards.desk import TheDesk
from wattwitness.domain.instants import local_day
from wattwitness.store.day_results import list_quality

router = APIRouter(tags=["findings"])


@router.get("/quality")
async def quality(
    desk: TheDesk,
    window: InWindow,
    circuit: Annotated[list[str], Query(min_length=1, max_length=100)],
) -> list[QualityRecord]:
    """Counts and rates of the local days that the window touches."""
    registry = await desk.registry()
    for circuit_id in circuit:
        if circuit_id not in registry.circuits:
            raise HTTPException(404, f"no circuit {circuit_id!r}")
    first, last = (local_day(instant, desk.zone) for instant in window)
    return [QualityRecord.of(day) for day in await list_quality(desk.db, circuit, first, last)]
