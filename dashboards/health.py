"""/healthz, /readyz, /metrics: what supervisors and Prometheus ask."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards.desk import TheDesk
from dashboards.errors import error_body
from dashboards.figures import Figures, read_figures
from dashboards.gateway_metrics import GatewayMetrics, read_gateway_metrics
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.store.following import Following, following
from wattwitness.store.migrations import pending

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive; says nothing about the store."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(desk: TheDesk) -> JSONResponse:
    """The process can do its work: the database answers and has every migration."""
    try:
        missing = await pending(desk.db)
    except StoreUnavailableError as error:
        body = error_body("store_unavailable", error.message, {"remedy": error.remedy})
        return JSONResponse(body, 503)
    if missing:
        names = [f"{step.number:04d}_{step.name}" for step in missing]
        detail = {"remedy": "run wattwitness db upgrade", "pending": names}
        return JSONResponse(
            error_body("not_migrated", "the database lacks migrations", detail), 503
        )
    return JSONResponse({"status": "ready"})


@dataclass(frozen=True, slots=True, eq=False)  # the registry keeps collectors in a set
class StoreMetrics(Collector):
    """What the store says, as metrics; made anew for every scrape."""

    figures: Figures
    gateways: GatewayMetrics
    following: Following
    listeners: int

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self.gateways.families()
        leads = GaugeMetricFamily("wattwitness_leads", "Open leads by level.", labels=["level"])
        for level, n in self.figures.leads.items():
            leads.add_metric([level.value], n)
        yield leads
        gateways = GaugeMetricFamily(
            "wattwitness_gateways", "Gateways by condition.", labels=["condition"]
        )
        for condition, n in self.figures.gateways.items():
            gateways.add_metric([condition.value], n)
        yield gateways
        yield from self._following()
        yield from self._plain()

    def _following(self) -> Iterator[Metric]:
        """Who is how far behind; absent where there is nothing to be behind of."""
        standing = self.following
        for name, says, lag_s in (
            ("follower", "Largest of an enterprise, to its newest reading.", standing.most_s),
            ("follower_median", "Median of the enterprises.", standing.median_s),
            ("watcher", "Oldest verdict of an alert in force.", standing.verdicts_s),
        ):
            if lag_s is not None:
                yield GaugeMetricFamily(f"wattwitness_{name}_lag_seconds", says, value=lag_s)
        watching = GaugeMetricFamily(
            "wattwitness_watching", "Whether a watcher is at work.", labels=["what"]
        )
        watching.add_metric(["verdicts"], float(standing.verdicts_watched))
        watching.add_metric(["warnings"], float(standing.warnings_watched))
        yield watching

    def _plain(self) -> Iterator[Metric]:
        figures = self.figures
        for name, says, value in (
            ("enterprises", "Enterprises in the registry.", figures.enterprises),
            ("circuits", "Circuits in the registry.", figures.circuits),
            ("dirty_days", "Enterprise days that wait for the analytics.", figures.dirty_days),
            ("open_alerts", "Heavy-pollution alerts in force.", len(figures.alerts)),
            ("early_warnings", "Warnings that stand now.", self.following.warnings),
            ("stream_listeners", "Open live streams.", self.listeners),
            (
                "last_analysed_timestamp_seconds",
                "When the analytics last wrote; 0 = never.",
                (figures.last_analysed_us or 0) / 1e6,
            ),
        ):
            yield GaugeMetricFamily(f"wattwitness_{name}", says, value=value)


@router.get("/metrics")
async def metrics(request: Request, desk: TheDesk) -> Response:
    """Prometheus text."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(
        StoreMetrics(
            await read_figures(desk),
            await read_gateway_metrics(desk),
            await following(desk.db),
            request.app.state.live.listeners,
        )
    )
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
