"""Two lines and their fan over three weeks, and an alert of two and a half days at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Grade,
    Measure,
    MeasureAction,
    Registry,
    Role,
)

DAYS, STEP_MIN = 22, 5
N = DAYS * 1440
FIRST = datetime(2026, 11, 2, tzinfo=DEFAULT_ZONE)
RESPONSE_DAY = 19
Kw = NDArray[np.float64]


def at(day: float, hour: float = 0.0) -> datetime:
    return FIRST + timedelta(days=day, hours=hour)


ALERT = Alert(
    alert_id="HP-1",
    level=AlertLevel.ORANGE,
    issued_at=at(18, 6),
    response_from=at(RESPONSE_DAY, 6),
    lifted_at=at(21, 18),
)


def measure(action: str = "stop", level: AlertLevel = AlertLevel.ORANGE, **known: Any) -> Measure:
    return Measure(enterprise_id="E", level=level, action=MeasureAction(action), **known)


def minutes(from_day: float, to_day: float) -> slice:
    return slice(round(from_day * 1440), round(to_day * 1440))


def usual() -> dict[str, Kw]:
    """Lines 1 and 2 work from eight to six, the fan with them; a little noise each day."""
    rng = np.random.default_rng(5)
    clock = np.arange(N) % 1440
    works = (clock >= 480) & (clock < 1080)
    daily = np.repeat(rng.uniform(0.97, 1.03, DAYS), 1440)
    line = np.where(works, 80.0 * daily * (1 + 0.03 * rng.standard_normal(N)), 0.0)
    other = np.where(works, 60.0 * daily * (1 + 0.03 * rng.standard_normal(N)), 0.0)
    return {"P1": line, "P2": other, "T": np.where(works, 10.0, 0.0)}


def readings(power: dict[str, Kw], *, registers: bool = True, step_min: int = STEP_MIN) -> Readings:
    """Means of steps at their ends, with what the register counted; NaN = not sent."""
    parts = []
    for key, name in enumerate(sorted(power), 1):
        mean = power[name].reshape(-1, step_min).mean(axis=1)
        rows = empty_readings(len(mean))
        rows["circuit"] = key
        rows["ts"] = int(FIRST.timestamp()) * 1_000_000 + (
            np.arange(len(mean)) * step_min * US_PER_MINUTE
        )
        rows["p_kw"] = np.round(mean, 2)
        if registers:
            counted = np.nan_to_num(mean).cumsum() * step_min / 60.0
            rows["e_kwh"] = np.round(1000.0 + counted, 2)
        parts.append(rows[np.isfinite(mean)])
    return np.concatenate(parts)


@dataclass
class Plant:
    """A registry that can be analysed under what a plant did."""

    kit: Any
    registry: Registry

    def trial(self, power: dict[str, Kw], **how: Any) -> Any:
        return self.kit.Trial(self.registry).load(readings(power, **how))

    def verdict(self, power: dict[str, Kw], **how: Any) -> Any:
        (found,) = self.trial(power, **how).results.findings["E"].verdicts
        return found


def registry(
    kit: Any,
    measures: Sequence[Measure],
    alerts: Sequence[Alert] = (ALERT,),
    declarations: Sequence[Any] = (),
    *,
    grade: Grade = Grade.C,
    circuits: Sequence[Any] | None = None,
    interval_s: int = STEP_MIN * 60,
) -> Registry:
    own = circuits or [
        replace(kit.circuit("P1", Role.PRODUCTION, 110.0), line="one"),
        replace(kit.circuit("P2", Role.PRODUCTION, 80.0), line="two"),
        kit.circuit("T", Role.TREATMENT, 15.0),
    ]
    found = kit.registry(own, declarations=declarations, interval_s=interval_s)
    enterprise = replace(found.enterprises["E"], grade=grade)
    return replace(
        found,
        enterprises={"E": enterprise},
        measures=tuple(measures),
        alerts={a.alert_id: a for a in alerts},
    )


@pytest.fixture
def yard(kit):
    """What tests of verdicts share."""

    def plant(*measures: Measure, **known: Any) -> Plant:
        return Plant(kit, registry(kit, measures, **known))

    return SimpleNamespace(
        plant=plant,
        measure=measure,
        usual=usual,
        readings=readings,
        minutes=minutes,
        at=at,
        alert=ALERT,
        response_day=RESPONSE_DAY,
        days=DAYS,
    )
