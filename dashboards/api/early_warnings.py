"""/api/v1/early-warnings: rules that hold right now and are no episodes yet."""

from fastapi import APIRouter

from dashboards.api.records import Instant, Record
from dashboards.desk import TheDesk
from wattwitness.store.early_warnings import list_warnings

router = APIRouter(tags=["findings"])


class EarlyWarningRecord(Record):
    """Production runs without enough treatment right now; it may still end lawfully."""

    enterprise_id: str
    kind: str
    pairing_id: str
    since: Instant
    until: Instant
    known_minutes: float
    required_minutes: float


@router.get("/early-warnings")
async def early_warnings(desk: TheDesk, enterprise_id: str = "") -> list[EarlyWarningRecord]:
    """All warnings at the newest data, the oldest first."""
    return [
        EarlyWarningRecord(
            enterprise_id=item.enterprise_id,
            kind=item.kind,
            pairing_id=item.pairing_id,
            since=item.from_,
            until=item.to,
            known_minutes=item.known_minutes,
            required_minutes=item.required_minutes,
        )
        for item in await list_warnings(desk.db, enterprise_id or None)
    ]
