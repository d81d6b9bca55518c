"""The five-second figures of the overview; read by its page, its API and the live stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from dashboards.desk import Desk
from dashboards.fleet import Condition, city_completeness, conditions, count_conditions
from wattwitness.domain.alerts import level_at, open_alerts
from wattwitness.domain.instants import from_us
from wattwitness.domain.leads import LeadLevel
from wattwitness.domain.registry import Alert, AlertLevel, Registry
from wattwitness.store.activity import recent_readings
from wattwitness.store.completeness import Completeness
from wattwitness.store.early_warnings import warnings_mark
from wattwitness.store.findings import analysis_progress
from wattwitness.store.leads import lead_counts

_SEVERITY = tuple(AlertLevel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the city looks like at one moment."""

    as_of_us: int
    leads: Mapping[LeadLevel, int]
    enterprises: int
    circuits: int
    readings_minute: int
    readings_hour: int
    gateways: Mapping[Condition, int]
    today: Completeness
    yesterday: Completeness
    dirty_days: int
    last_analysed_us: int | None
    warnings_mark: str  # changes whenever an early warning does
    alerts: tuple[Alert, ...]  # open ones, the strictest first

    def level_of(self, alert: Alert) -> AlertLevel:
        """Its level at that moment."""
        return level_at(alert, from_us(self.as_of_us))

    @property
    def leads_total(self) -> int:
        """All leads."""
        return sum(self.leads.values())

    @property
    def findings_mark(self) -> str:
        """Changes whenever the lists on the overview may have changed."""
        counts = "-".join(str(n) for n in self.leads.values())
        alerts = "-".join(f"{alert.alert_id}{self.level_of(alert)}" for alert in self.alerts)
        return f"{self.last_analysed_us or 0}:{counts}:{alerts}:{self.warnings_mark}"


def strictest_first(registry: Registry, now_us: int) -> tuple[Alert, ...]:
    """Open alerts, the strictest first."""
    now = from_us(now_us)
    found = open_alerts(registry.alerts.values(), now)
    found.sort(key=lambda a: -_SEVERITY.index(level_at(a, now)))
    return tuple(found)


async def read_figures(desk: Desk) -> Figures:
    """Read all figures now."""
    registry, now_us = await desk.registry(), desk.now_us()
    recent = await recent_readings(desk.db, now_us)
    progress = await analysis_progress(desk.db)
    today = desk.today()
    return Figures(
        as_of_us=now_us,
        leads=await lead_counts(desk.db),
        enterprises=len(registry.enterprises),
        circuits=len(registry.circuits),
        readings_minute=recent.minute,
        readings_hour=recent.hour,
        gateways=count_conditions((await conditions(desk)).values()),
        today=await city_completeness(desk, today),
        yesterday=await city_completeness(desk, today - timedelta(days=1)),
        dirty_days=progress.dirty_days,
        last_analysed_us=progress.last_analysed_us,
        warnings_mark=await warnings_mark(desk.db),
        alerts=strictest_first(registry, now_us),
    )
