"""/api/v1/enterprises: plants, their circuits and what these do now."""

from fastapi import APIRouter, HTTPException

from dashboards.api.parameters import Paging
from dashboards.api.records import CircuitRecord, EnterpriseRecord, Record
from dashboards.desk import TheDesk
from dashboards.plant import circuits_now
from wattwitness.domain.instants import from_us

router = APIRouter(tags=["registry"])


class EnterpriseDetail(Record):
    """A plant with its circuits."""

    enterprise: EnterpriseRecord
    circuits: list[CircuitRecord]


@router.get("/enterprises")
async def enterprises(desk: TheDesk, page: Paging, q: str = "") -> list[EnterpriseRecord]:
    """Plants by id; `q` looks into name and id."""
    registry = await desk.registry()
    found = [
        EnterpriseRecord.of(e, len(registry.circuits_of(e.enterprise_id)))
        for e in sorted(registry.enterprises.values(), key=lambda e: e.enterprise_id)
        if q.lower() in f"{e.name} {e.enterprise_id}".lower()
    ]
    return page.cut(found)


@router.get("/enterprises/{enterprise_id}")
async def enterprise(desk: TheDesk, enterprise_id: str) -> EnterpriseDetail:
    """One plant."""
    registry = await desk.registry()
    if enterprise_id not in registry.enterprises:
        raise HTTPException(404, f"no enterprise {enterprise_id!r}")
    now = await circuits_now(desk, enterprise_id)
    return EnterpriseDetail(
        enterprise=EnterpriseRecord.of(registry.enterprises[enterprise_id], len(now)),
        circuits=[
            CircuitRecord.of(
                item.circuit,
                None if item.last_us is None else from_us(item.last_us),
                item.p_kw,
                item.state.word,
            )
            for item in now
        ],
    )
