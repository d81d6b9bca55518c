"""Plants and their readings, drawn by hand."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.pipeline import analyse_enterprise
from analytics.results import MemoryResults
from analytics.series import MemorySeries
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, from_us, local_day, to_us
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import (
    Circuit,
    Declaration,
    Enterprise,
    Gateway,
    Pairing,
    Registry,
    Role,
)

DAY0 = date(2026, 11, 2)  # a Monday
START_US = to_us(datetime(2026, 11, 2, tzinfo=DEFAULT_ZONE))
DAY_MIN = 1440


def circuit(name: str, role: Role, rated_kw: float | None = None, step: float = 0.01) -> Circuit:
    return Circuit(
        circuit_id=name,
        gateway_id="G",
        channel=name,
        role=role,
        rated_kw=rated_kw,
        resolution_kw=step,
    )


def registry(
    circuits: Sequence[Circuit],
    pairings: Sequence[Pairing] = (),
    declarations: Sequence[Declaration] = (),
    interval_s: int = 60,
) -> Registry:
    return Registry(
        enterprises={"E": Enterprise(enterprise_id="E", name="Example", district="D")},
        gateways={"G": Gateway(gateway_id="G", enterprise_id="E", interval_s=interval_s)},
        circuits={c.circuit_id: c for c in circuits},
        pairings={p.pairing_id: p for p in pairings},
        declarations=tuple(declarations),
        circuit_keys={c.circuit_id: n for n, c in enumerate(circuits, 1)},
    )


def shift(days: int, from_h: float, to_h: float) -> NDArray[np.bool_]:
    minute = np.arange(days * DAY_MIN) % DAY_MIN
    return (minute >= from_h * 60) & (minute < to_h * 60)


def span(days: int, day: int, from_h: float, minutes: int) -> NDArray[np.bool_]:
    start = day * DAY_MIN + int(from_h * 60)
    at = np.arange(days * DAY_MIN)
    return (at >= start) & (at < start + minutes)


def readings(power: Mapping[int, NDArray[np.float64]], step_min: int = 1) -> Readings:
    """Circuit key → kW per minute; NaN minutes are not sent."""
    parts = []
    for key, kw in power.items():
        rows = empty_readings(len(kw))
        rows["circuit"] = key
        rows["ts"] = START_US + np.arange(len(kw)) * US_PER_MINUTE
        rows["p_kw"] = kw
        parts.append(rows[np.isfinite(kw)][::step_min])
    return np.concatenate(parts)


@dataclass
class Trial:
    """A plant under analysis, in memory."""

    registry: Registry
    series: MemorySeries = field(default_factory=MemorySeries)
    results: MemoryResults = field(default_factory=MemoryResults)

    def add(self, rows: Readings) -> set[date]:
        """Take readings in; returns the days they touch."""
        self.series.add(rows)
        days = {local_day(from_us(t), DEFAULT_ZONE) for t in np.unique(rows["ts"])}
        self.results.days_with_data.setdefault("E", set()).update(days)
        return days

    def analyse(self, days: Iterable[date]) -> None:
        bench = Bench(self.registry, self.series, self.results, InProcess())
        asyncio.run(analyse_enterprise(bench, "E", days, date.min))

    def load(self, rows: Readings) -> "Trial":
        self.analyse(self.add(rows))
        return self

    @property
    def episodes(self):
        return self.results.findings["E"].episodes


@dataclass(frozen=True)
class Plant:
    """One press and its fan over some days: eight to six, a fan that follows within minutes."""

    days: int = 5
    press_kw: float = 80.0
    fan_kw: float = 5.5

    def power(self, off: NDArray[np.bool_] | None = None) -> dict[int, NDArray[np.float64]]:
        rng = np.random.default_rng(7)
        n = self.days * DAY_MIN
        runs = shift(self.days, 8, 18) & ~shift(self.days, 12, 13)
        idles = shift(self.days, 7.7, 18.2) & ~runs
        press = np.where(runs, self.press_kw * (1 + 0.04 * rng.standard_normal(n)), 0.0)
        press = np.where(idles, 0.07 * self.press_kw, press)
        fan_on = shift(self.days, 7.95, 18.1)
        if off is not None:
            fan_on &= ~off
        fan = np.where(fan_on, self.fan_kw * (1 + 0.01 * rng.standard_normal(n)), 0.0)
        return {1: press, 2: fan}


PAIRING = Pairing(pairing_id="PT", production=("P",), treatment=("T",))


def press_and_fan(
    pairing: Pairing = PAIRING, declarations: Sequence[Declaration] = (), interval_s: int = 60
) -> Registry:
    circuits = (circuit("P", Role.PRODUCTION, 110.0), circuit("T", Role.TREATMENT, 7.5))
    return registry(circuits, [pairing], declarations, interval_s)


def at(day: int, hour: float) -> datetime:
    """Local clock time as an instant."""
    start = datetime(DAY0.year, DAY0.month, DAY0.day, tzinfo=DEFAULT_ZONE)
    return start + timedelta(days=day, hours=hour)


@pytest.fixture
def kit():
    """Everything above, for tests that cannot import a conftest."""
    return SimpleNamespace(
        circuit=circuit,
        registry=registry,
        shift=shift,
        span=span,
        readings=readings,
        press_and_fan=press_and_fan,
        at=at,
        Trial=Trial,
        Plant=Plant,
        pairing=PAIRING,
        day0=DAY0,
        start_us=START_US,
    )
