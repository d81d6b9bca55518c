"""/api/v1/states: what circuits did."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from dashboards.api.parameters import InWindow
from dashboards.api.records import StateRecord
from dashboards.desk import TheDesk
from wattwitness.domain.instants import to_us
from wattwitness.store.day_results import list_states

router = APIRouter(tags=["findings"])


@router.get("/states")
async def states(
    desk: TheDesk,
    window: InWindow,
    circuit: Annotated[list[str], Query(min_length=1, max_length=100)],
) -> list[StateRecord]:
    """Spells that touch [from, to)."""
    registry = await desk.registry()
    for circuit_id in circuit:
        if circuit_id not in registry.circuits:
            raise HTTPException(404, f"no circuit {circuit_id!r}")
    found = await list_states(desk.db, circuit, to_us(window[0]), to_us(window[1]))
    return [StateRecord.of(spell) for spell in found]
