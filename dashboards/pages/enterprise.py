"""`/enterprises/{id}`: what a plant does now, its leads, and what its meters can show."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import Desk, TheDesk
from dashboards.doubts import NOT_YET_JUDGED
from dashboards.inbox import Wish, find_leads
from dashboards.lanes import (
    LANES_AT_MOST,
    REACH,
    Lane,
    Mark,
    alerts_for,
    chart_json,
    lane_circuits,
    marks,
    seconds_in_states,
    washes_on,
)
from dashboards.orders import Order, chosen_order, ordered, orders_of
from dashboards.plant import CircuitNow, circuits_now
from dashboards.render import PageContext, render
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.leads import Lead
from wattwitness.domain.registry import Declaration, Enterprise
from wattwitness.domain.testability import Testability
from wattwitness.store.day_results import list_states
from wattwitness.store.early_warnings import list_warnings
from wattwitness.store.findings import list_episodes, list_testability

router = APIRouter(include_in_schema=False)
_SHOWN = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class EnterprisePage(PageContext):
    """One plant."""

    template = "enterprise.html"

    enterprise: Annotated[Enterprise, "The plant."]
    circuits: Annotated[list[CircuitNow], "Its circuits with newest reading and state."]
    leads: Annotated[list[Lead], "Its leads, by rank."]
    warnings: Annotated[list[EarlyWarning], "What holds right now and is no episode yet."]
    testability: Annotated[list[Testability], "Rules that this version judges: testable here?"]
    unbuilt: Annotated[list[Testability], "Rules that this version does not judge yet."]
    declarations: Annotated[list[Declaration], "What it declared, newest first."]
    orders: Annotated[list[Order], "What it was ordered under alerts, the newest first."]
    order: Annotated[Order | None, "The one that the lanes are about; None = the last 24 hours."]
    lanes: Annotated[list[Lane], "The lanes of the alert's time, or of the last 24 hours."]
    marks: Annotated[list[Mark], "Declarations and alerts of the time of the lanes."]
    chart: Annotated[dict[str, Any], "What the script draws."]


async def _lanes(
    desk: Desk, enterprise_id: str, window: tuple[datetime, datetime], asked: frozenset[str]
) -> list[Lane]:
    """Lanes of a plant, those of the circuits that were asked to cut first."""
    episodes = await list_episodes(desk.db, enterprise_ids=[enterprise_id])
    circuits = lane_circuits(await desk.registry(), enterprise_id, [])
    circuits = sorted(circuits, key=lambda c: c.circuit_id not in asked)[:LANES_AT_MOST]
    ids = [c.circuit_id for c in circuits]
    spells = await list_states(desk.db, ids, to_us(window[0]), to_us(window[1]))
    return [
        Lane(
            circuit=circuit,
            washes=washes_on(circuit.circuit_id, episodes),
            seconds=seconds_in_states(spells, circuit.circuit_id, window),
        )
        for circuit in circuits
    ]


@router.get("/enterprises/{enterprise_id}")
async def enterprise(
    request: Request, desk: TheDesk, enterprise_id: str, alert: str | None = None
) -> Response:
    """The page."""
    registry = await desk.registry()
    now = from_us(desk.now_us()).replace(second=0, microsecond=0)
    plant = registry.enterprises.get(enterprise_id)
    if plant is None:
        raise HTTPException(404, f"no enterprise {enterprise_id!r}")
    orders = await orders_of(desk, registry, plant)
    order = chosen_order(orders, alert, now)
    window = (now - _SHOWN, now) if order is None else order.window(now)
    asked = order.circuits if order else frozenset[str]()
    lanes = await _lanes(desk, enterprise_id, window, asked)
    declarations = registry.declarations_of(enterprise_id)
    alerts, reach = alerts_for(registry, plant), (now - REACH, now)
    told = await list_testability(desk.db, enterprise_ids=[enterprise_id])
    context = EnterprisePage(
        enterprise=plant,
        circuits=await circuits_now(desk, enterprise_id),
        leads=await find_leads(desk, Wish(enterprise_id=enterprise_id)),
        warnings=await list_warnings(desk.db, enterprise_id),
        testability=[row for row in told if row.why != NOT_YET_JUDGED],
        unbuilt=[row for row in told if row.why == NOT_YET_JUDGED],
        declarations=list(reversed(declarations)),
        orders=orders,
        order=order,
        lanes=lanes,
        marks=marks(declarations, alerts, window, now),
        chart=chart_json(lanes, marks(declarations, alerts, reach, now), window, reach)
        | ordered(order, enterprise_id),
    )
    return render(request, "enterprises", context)
