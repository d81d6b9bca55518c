"""/api/v1/gateways: the health of the fleet."""

from fastapi import APIRouter

from dashboards.api.parameters import Paging
from dashboards.api.records import Instant, Record
from dashboards.desk import TheDesk
from dashboards.fleet import fleet
from wattwitness.domain.instants import from_us

router = APIRouter(tags=["fleet"])


class GapRecord(Record):
    """Messages that are missing by number in one epoch of a gateway."""

    epoch: str
    first_missing: int | None  # of the first run; null = nothing is missing now
    last_missing: int | None
    missing_count: int  # in all runs
    given_up: int  # the gateway said that these will never come


class GatewayRecord(Record):
    """A gateway (采集网关) and how it does."""

    gateway_id: str
    enterprise_id: str
    interval_s: int
    condition: str
    last_received_at: Instant | None
    online: bool | None  # its own word; null = it never said
    readings_today: dict[str, int]  # received = stored + duplicate + revision + rejected
    rejected_today: dict[str, int]  # by reason
    gaps: list[GapRecord]
    restarts_7_days: int
    effective_rate_today: float | None
    effective_rate_today_in_time: float | None
    effective_rate_7_days: float | None
    effective_rate_7_days_in_time: float | None


@router.get("/gateways")
async def gateways(desk: TheDesk, page: Paging) -> list[GatewayRecord]:
    """Every gateway, those in trouble first."""
    return [
        GatewayRecord(
            gateway_id=row.gateway.gateway_id,
            enterprise_id=row.gateway.enterprise_id,
            interval_s=row.gateway.interval_s,
            condition=row.condition.value,
            last_received_at=None if row.last_us is None else from_us(row.last_us),
            online=None if row.health is None else row.health.online,
            readings_today=dict(row.counts),
            rejected_today=dict(row.reasons),
            gaps=[
                GapRecord(
                    epoch=gap.epoch,
                    first_missing=gap.first_missing,
                    last_missing=gap.last_missing,
                    missing_count=gap.missing_count,
                    given_up=gap.given_up,
                )
                for gap in row.gaps
            ],
            restarts_7_days=row.restarts,
            effective_rate_today=row.today.effective_rate,
            effective_rate_today_in_time=row.today.effective_rate_in_time,
            effective_rate_7_days=row.week.effective_rate,
            effective_rate_7_days_in_time=row.week.effective_rate_in_time,
        )
        for row in page.cut(await fleet(desk))
    ]
