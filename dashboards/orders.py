"""What a plant was ordered under alerts, and what came of it: the sections of its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from dashboards.desk import Desk
from wattwitness.domain.alerts import level_at, open_alerts
from wattwitness.domain.call_notes import CallNote
from wattwitness.domain.instants import US_PER_SECOND, day_bounds, from_us, to_us
from wattwitness.domain.registry import Alert, AlertLevel, Enterprise, Registry
from wattwitness.domain.verdicts import Verdict, VerdictChange
from wattwitness.store.call_notes import list_call_notes
from wattwitness.store.series import bands
from wattwitness.store.verdicts import list_verdict_changes, list_verdicts

BLOCK_S = 900
_AROUND = timedelta(hours=3)  # shown before the response and after the lift


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One alert as one plant lived it."""

    alert: Alert
    level: AlertLevel
    verdict: Verdict | None  # None = not judged yet
    changes: tuple[VerdictChange, ...]  # newest first
    calls: tuple[CallNote, ...]  # newest first

    @property
    def circuits(self) -> frozenset[str]:
        """Circuits that its measures are about."""
        measures = () if self.verdict is None else self.verdict.measures
        return frozenset(c for measure in measures for c in measure.circuits)

    @property
    def graces(self) -> Mapping[str, tuple[datetime, datetime]]:
        """Circuit → its grace: from the beginning of the level to where the judging begins."""
        found: dict[str, tuple[datetime, datetime]] = {}
        phases = self.alert.phases()
        for measure in () if self.verdict is None else self.verdict.measures:
            begun = [p.from_ for p in phases if p.level == measure.level]
            start = max((b for b in begun if b <= measure.from_), default=measure.from_)
            if start < measure.from_:
                found |= dict.fromkeys(measure.circuits, (start, measure.from_))
        return found

    @property
    def like_days(self) -> Mapping[str, frozenset[date]]:
        """Circuit → local days that its use is compared with."""
        found: dict[str, frozenset[date]] = {}
        for measure in () if self.verdict is None else self.verdict.measures:
            for circuit in measure.circuits:
                found[circuit] = found.get(circuit, frozenset()) | frozenset(measure.compared_days)
        return found

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """What its chart shows first."""
        end = min(now, (self.alert.lifted_at or now) + _AROUND)
        start = self.alert.response_from - _AROUND
        return start, max(end, start + _AROUND)


async def orders_of(desk: Desk, registry: Registry, plant: Enterprise) -> list[Order]:
    """Alerts that it was judged under, and open ones that concern it; the newest first."""
    now = from_us(desk.now_us())
    verdicts = await list_verdicts(desk.db, enterprise_ids=[plant.enterprise_id])
    judged = {verdict.alert_id: verdict for verdict in verdicts}
    opened = open_alerts(registry.alerts.values(), now)
    found = []
    for alert in sorted(registry.alerts.values(), key=lambda a: a.response_from, reverse=True):
        if alert.alert_id in judged or (alert in opened and alert.concerns(plant.district)):
            changes = await list_verdict_changes(desk.db, alert.alert_id, plant.enterprise_id)
            calls = await list_call_notes(desk.db, alert.alert_id, plant.enterprise_id)
            found.append(
                Order(
                    alert=alert,
                    level=level_at(alert, now),
                    verdict=judged.get(alert.alert_id),
                    changes=tuple(sorted(changes, key=lambda c: c.changed_at, reverse=True)),
                    calls=tuple(sorted(calls, key=lambda c: c.at, reverse=True)),
                )
            )
    return found


def chosen_order(orders: list[Order], alert_id: str | None, now: datetime) -> Order | None:
    """The order that the chart is about: the one asked for, else the open one."""
    opened = open_alerts([order.alert for order in orders], now)
    for order in orders:
        if order.alert.alert_id == alert_id or (not alert_id and order.alert in opened):
            return order
    return None


def ordered(order: Order | None, enterprise_id: str) -> dict[str, Any]:
    """What the page's script needs beside the lanes: graces [s], and where the usual use is."""
    if order is None:
        return {}
    return {
        "graces": {
            circuit: {"from": start.timestamp(), "to": end.timestamp()}
            for circuit, (start, end) in order.graces.items()
        },
        "usual": f"/api/v1/board/{quote(order.alert.alert_id)}/usual/{quote(enterprise_id)}",
    }


@dataclass(frozen=True, slots=True)
class Usual:
    """Power of a circuit on its like days, by quarter hour of the local day [kW]; NaN unknown."""

    days: tuple[date, ...]
    low: NDArray[np.float64]  # 10th percentile, shape (96,)
    median: NDArray[np.float64]
    high: NDArray[np.float64]  # 90th percentile


def _across(days: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """A percentile over days; shape (days, blocks) → (blocks,); NaN where no day knows."""
    known = np.isfinite(days).any(axis=0)
    found = np.full(days.shape[1], np.nan)
    if known.any():
        found[known] = np.nanquantile(days[:, known], share, axis=0)
    return found


async def usual_of(desk: Desk, order: Order) -> dict[str, Usual]:
    """Circuit → what it uses on its like days; circuits without like days are left out."""
    keys = (await desk.registry()).circuit_keys
    wanted = {c: sorted(days) for c, days in order.like_days.items() if days and c in keys}
    blocks = 86_400 // BLOCK_S
    rows: dict[tuple[str, date], NDArray[np.float64]] = {}
    for day in sorted({day for days in wanted.values() for day in days}):
        circuits = [c for c, days in wanted.items() if day in days]
        start, _ = day_bounds(day, desk.zone)
        start_us = to_us(start)
        found = await bands(
            desk.db,
            [keys[c] for c in circuits],
            start_us,
            start_us + blocks * BLOCK_S * US_PER_SECOND,
            BLOCK_S * US_PER_SECOND,
        )
        rows |= {(c, day): found[keys[c]].mean for c in circuits}
    return {
        c: Usual(
            tuple(days),
            *(_across(np.array([rows[c, day] for day in days]), q) for q in (0.1, 0.5, 0.9)),
        )
        for c, days in wanted.items()
    }
