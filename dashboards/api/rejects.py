"""/api/v1/rejects: what was refused, with its reason; each payload whole at its own address."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from dashboards.api.parameters import Paging
from dashboards.api.records import Instant, Record
from dashboards.desk import TheDesk
from wattwitness.domain.instants import from_us, parse_typed_instant, to_us
from wattwitness.domain.rejects import RejectCode, readable
from wattwitness.store.rejects import RejectFilter, count_found, find_rejects, get_reject

router = APIRouter(tags=["fleet"])
SHOWN_BYTES = 4096


class RejectRecord(Record):
    """A message or reading that was refused, or waits for the registry."""

    reject_id: str
    gateway_id: str | None
    received_at: Instant
    code: str
    reason: str
    index: int | None  # of the reading in its message; null = the message
    readings: int
    channel: str | None
    payload: str | None  # its beginning; null = no text
    payload_bytes: int
    payload_url: str


def _us(text: str | None) -> int | None:
    return None if text is None else to_us(parse_typed_instant(text))


@router.get("/rejects")
async def rejects(
    desk: TheDesk,
    page: Paging,
    gateway_id: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")] = None,
    code: RejectCode | None = None,
    from_: Annotated[str | None, Query(alias="from", description="Received from then on.")] = None,
    to: Annotated[str | None, Query(description="Received before.")] = None,
) -> list[RejectRecord]:
    """Newest receipt first."""
    chosen = RejectFilter(gateway_id=gateway_id, code=code, from_us=_us(from_), to_us=_us(to))
    found = await find_rejects(
        desk.db, chosen, limit=page.limit, offset=page.offset, payload_bytes=SHOWN_BYTES
    )
    page.tell(await count_found(desk.db, chosen))
    return [
        RejectRecord(
            reject_id=kept.kept_id,
            gateway_id=kept.reject.gateway_id,
            received_at=from_us(kept.reject.received_us),
            code=kept.reject.code.value,
            reason=kept.reject.text,
            index=kept.reject.index,
            readings=kept.reject.readings,
            channel=kept.channel,
            payload=readable(kept.reject.payload, whole=not kept.truncated),
            payload_bytes=kept.payload_bytes,
            payload_url=f"/api/v1/rejects/{kept.kept_id}/payload",
        )
        for kept in found
    ]


@router.get("/rejects/{reject_id}/payload", response_class=Response)
async def payload(desk: TheDesk, reject_id: str) -> Response:
    """The bytes as they came; always a download, never a page."""
    kept = await get_reject(desk.db, reject_id)
    if kept is None:
        raise HTTPException(404, f"no reject {reject_id!r}")
    name = f"reject-{kept.kept_id}.bin"
    return Response(
        kept.reject.payload,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
