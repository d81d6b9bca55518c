"""/api/v1/overview: the five-second figures."""

from typing import Self

from fastapi import APIRouter

from dashboards.api.records import AlertRecord, Instant, Record
from dashboards.desk import TheDesk
from dashboards.figures import Figures, read_figures
from wattwitness.domain.instants import from_us

router = APIRouter(tags=["overview"])


class OverviewRecord(Record):
    """What the city looks like at one moment."""

    as_of: Instant
    leads: dict[str, int]
    enterprises: int
    circuits: int
    readings_minute: int
    readings_hour: int
    gateways: dict[str, int]
    effective_rate_today: float | None
    effective_rate_yesterday: float | None
    dirty_days: int
    last_analysed_at: Instant | None
    alerts: list[AlertRecord]
    findings_mark: str

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """The record of figures."""
        analysed = figures.last_analysed_us
        return cls(
            as_of=from_us(figures.as_of_us),
            leads={level.value: n for level, n in figures.leads.items()},
            enterprises=figures.enterprises,
            circuits=figures.circuits,
            readings_minute=figures.readings_minute,
            readings_hour=figures.readings_hour,
            gateways={condition.value: n for condition, n in figures.gateways.items()},
            effective_rate_today=figures.today.effective_rate,
            effective_rate_yesterday=figures.yesterday.effective_rate,
            dirty_days=figures.dirty_days,
            last_analysed_at=None if analysed is None else from_us(analysed),
            alerts=[AlertRecord.of(alert) for alert in figures.alerts],
            findings_mark=figures.findings_mark,
        )


@router.get("/overview")
async def overview(desk: TheDesk) -> OverviewRecord:
    """The figures now."""
    return OverviewRecord.of(await read_figures(desk))
