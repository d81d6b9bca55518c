"""/api/v1/gateways: the health of the fleet."""

from fastapi import APIRouter

from dashboards.api.parameters import Paging
from dashboards.api.records import Instant, Record
from dashboards.desk import TheDesk
from dashboards.fleet import fleet
from wattwitness.domain.instants import from_us

router = APIRouter(tags=["fleet"])


class GatewayRecord(Record):
    """A gateway (采集网关) and how it does."""

    gateway_id: str
    enterprise_id: str
    interval_s: int
    condition: str
    last_received_at: Instant | None
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
            effective_rate_today=row.today.effective_rate,
            effective_rate_today_in_time=row.today.effective_rate_in_time,
            effective_rate_7_days=row.week.effective_rate,
            effective_rate_7_days_in_time=row.week.effective_rate_in_time,
        )
        for row in page.cut(await fleet(desk))
    ]
