"""What /metrics says of each gateway: bounded by the registry, strangers counted together.

They are gauges of the current local day, not counters: what waits for the registry is rejected
until it is taken in, and a counter may not go down.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric

from dashboards.desk import Desk
from dashboards.fleet import gaps_by_gateway, heard_us
from wattwitness.store.epochs import EpochGap
from wattwitness.store.gateways import FATES, DayFates, GatewayHealth, day_fates, gateway_health

STRANGERS = "(not registered)"
"""Stands for everybody who is not in the registry, in the label `gateway`."""


@dataclass(frozen=True, slots=True)
class GatewayMetrics:
    """All that is told per gateway, as read at one moment."""

    now_us: int
    health: Sequence[GatewayHealth]
    today: DayFates
    gaps: Mapping[str, Sequence[EpochGap]]

    def families(self) -> Iterator[Metric]:
        """The families, each with one sample a gateway or more."""
        yield self._readings()
        yield self._rejected()
        age = _gauge("last_reading_age_seconds", "Since the newest receipt.")
        online = _gauge("online", "Its own last word: 1 online, 0 offline; absent = it said none.")
        gaps = _gauge("gaps", "Epochs in which messages are missing by number.")
        missing = _gauge("missing_messages", "Messages that are missing by number.")
        given_up = _gauge("given_up_messages", "Messages that it said will never come.")
        for item in self.health:
            name = [item.gateway_id]
            if (last_us := heard_us(item)) is not None:
                age.add_metric(name, max(0.0, (self.now_us - last_us) / 1e6))
            if item.online is not None:
                online.add_metric(name, float(item.online))
            found = self.gaps.get(item.gateway_id, ())
            gaps.add_metric(name, sum(gap.missing_count > 0 for gap in found))
            missing.add_metric(name, sum(gap.missing_count for gap in found))
            given_up.add_metric(name, sum(gap.given_up for gap in found))
        yield from (age, online, gaps, missing, given_up)

    def _readings(self) -> Metric:
        family = _gauge("readings_today", "Readings by where they ended.", "fate")
        for item in self.health:
            fates = self.today.fates.get(item.gateway_id, {})
            for fate in FATES:
                family.add_metric([item.gateway_id, fate], fates.get(fate, 0))
        for fate, n in self.today.fates.get("", {}).items():
            family.add_metric([STRANGERS, fate], n)
        return family

    def _rejected(self) -> Metric:
        family = _gauge("rejected_today", "Rejected readings by reason.", "reason")
        for gateway_id, reasons in self.today.reasons.items():
            for reason, n in reasons.items():
                family.add_metric([gateway_id or STRANGERS, reason], n)
        return family


def _gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"wattwitness_gateway_{name}", says, labels=["gateway", *labels])


async def read_gateway_metrics(desk: Desk) -> GatewayMetrics:
    """Read it all."""
    today = desk.today()
    return GatewayMetrics(
        now_us=desk.now_us(),
        health=await gateway_health(desk.db, today),
        today=await day_fates(desk.db, today),
        gaps=await gaps_by_gateway(desk),
    )
