"""`/rejects`: what was refused, of one gateway or of all, and where its readings ended by day."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import TheDesk
from dashboards.render import PageContext, render
from wattwitness.domain.registry import Enterprise
from wattwitness.domain.rejects import RejectCode, readable
from wattwitness.store.gateways import GatewayDay, gateway_days
from wattwitness.store.rejects import KeptReject, RejectFilter, count_found, find_rejects

router = APIRouter(include_in_schema=False)
PER_PAGE = 25
SHOWN_BYTES = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReject:
    """A kept piece, and as much of its payload as fits a list."""

    kept: KeptReject
    text: str | None  # None: not text
    hex: str  # of a payload that is no text: its first bytes

    @classmethod
    def of(cls, kept: KeptReject) -> "ShownReject":
        """The piece as it is shown."""
        payload = kept.reject.payload
        text = readable(payload, whole=not kept.truncated)
        return cls(kept=kept, text=text, hex=payload[:64].hex(" ") if text is None else "")


@dataclass(frozen=True, kw_only=True)
class RejectsPage(PageContext):
    """One page of the rejects that were looked for."""

    template = "rejects.html"

    rejects: Annotated[list[ShownReject], "The rejects of this page, newest receipt first."]
    total: Annotated[int, "How many were found."]
    first: Annotated[int, "Number of the first one of this page, from 1."]
    gateway: Annotated[str, "The gateway that was asked for; empty = any."]
    enterprise: Annotated[Enterprise | None, "Whose gateway it is; None = not registered."]
    code: Annotated[str, "The code that was asked for; empty = any."]
    codes: Annotated[list[str], "Codes to choose from."]
    days: Annotated[list[GatewayDay], "Where its readings ended by local day; empty for any."]
    previous_url: Annotated[str | None, "The page before; None on the first."]
    next_url: Annotated[str | None, "The page after; None on the last."]


def _url(gateway: str, code: str, page: int) -> str:
    asked = {"gateway": gateway, "code": code, "page": str(page) if page > 1 else ""}
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"/rejects?{query}" if query else "/rejects"


@router.get("/rejects")
async def rejects(
    request: Request,
    desk: TheDesk,
    gateway: Annotated[str, Query(max_length=200)] = "",
    code: str = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """The page; a code that nobody knows finds nothing of it, and is any."""
    registry = await desk.registry()
    gateway = gateway.strip() if gateway.isprintable() else ""
    wanted = RejectCode(code) if code in set(RejectCode) else None
    chosen = RejectFilter(gateway_id=gateway or None, code=wanted)
    start = (page - 1) * PER_PAGE
    total = await count_found(desk.db, chosen)
    found = await find_rejects(
        desk.db, chosen, limit=PER_PAGE, offset=start, payload_bytes=SHOWN_BYTES
    )
    known = registry.gateways.get(gateway)
    told = "" if wanted is None else wanted.value
    context = RejectsPage(
        rejects=[ShownReject.of(kept) for kept in found],
        total=total,
        first=start + 1,
        gateway=gateway,
        enterprise=None if known is None else registry.enterprises[known.enterprise_id],
        code=told,
        codes=[item.value for item in RejectCode],
        days=await gateway_days(desk.db, gateway) if gateway else [],
        previous_url=_url(gateway, told, page - 1) if page > 1 else None,
        next_url=_url(gateway, told, page + 1) if start + PER_PAGE < total else None,
    )
    return render(request, "gateways", context)
