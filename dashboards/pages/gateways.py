"""`/gateways`: the health of the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import TheDesk
from dashboards.fleet import Condition, GatewayRow, count_conditions, fleet
from dashboards.render import PageContext, render
from wattwitness.store.epochs import EpochGap
from wattwitness.store.gateways import Stranger, strangers
from wattwitness.store.parked import ParkedCount, parked_counts

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True)
class GatewaysPage(PageContext):
    """Every gateway, and what came from gateways or channels that nobody registered."""

    template = "gateways.html"

    rows: Annotated[list[GatewayRow], "Gateways of the registry, those in trouble first."]
    counts: Annotated[Mapping[Condition, int], "How many are in each condition."]
    strangers: Annotated[list[Stranger], "Who sends and is in no registry, the last one first."]
    channels: Annotated[list[ParkedCount], "Unknown channels of registered gateways."]
    gaps: Annotated[list[EpochGap], "What is missing by number, of registered gateways."]


@router.get("/gateways")
async def gateways(request: Request, desk: TheDesk) -> Response:
    """The page."""
    rows = await fleet(desk)
    context = GatewaysPage(
        rows=rows,
        counts=count_conditions(row.condition for row in rows),
        strangers=await strangers(desk.db),
        channels=[item for item in await parked_counts(desk.db) if item.channel is not None],
        gaps=[gap for row in rows for gap in row.gaps],
    )
    return render(request, "gateways", context)
