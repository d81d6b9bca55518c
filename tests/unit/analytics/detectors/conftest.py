"""One drawn day, one drawn history: what a detector sees, without the pipeline around it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from analytics.day import pairs_of
from analytics.detectors.stages import History, JudgedDay, RawDay
from analytics.grid import samples
from analytics.plants import Plant, plant_of
from wattwitness.domain.facts import DayFact
from wattwitness.domain.instants import US_PER_MINUTE, US_PER_SECOND, day_bounds, to_us
from wattwitness.domain.readings import Readings, empty_readings, sort_readings
from wattwitness.domain.registry import Circuit, Pairing, Registry, Role
from wattwitness.domain.states import State, Thresholds

RUNS = Thresholds(
    standby_kw=0.2,
    standby_release_kw=0.1,
    running_kw=1.0,
    running_release_kw=0.8,
    running_level_kw=10.0,
    basis="learned",
)


def judged(plant: Plant, day: date, power: Mapping[str, ArrayLike], skip: int = 0) -> JudgedDay:
    """A day whose states are plain: above nothing runs, NaN is unknown; `skip` minutes warm up."""
    grid = np.array([power[c.circuit_id] for c in plant.circuits], dtype=np.float32)
    states = np.where(grid > 0, State.RUNNING, State.OFF)
    states = np.where(np.isnan(grid), State.UNKNOWN, states).astype(np.int8)
    thresholds = [RUNS] * len(grid)
    return JudgedDay(
        plant=plant,
        day=day,
        start_us=to_us(day_bounds(day, plant.zone)[0]) - skip * US_PER_MINUTE,
        skip=skip,
        power=grid,
        states=states,
        thresholds=thresholds,
        pairs=pairs_of(plant, states, grid, thresholds),
    )


def rows_of(plant: Plant, day: date, columns: Mapping[str, Mapping[str, ArrayLike]]) -> Readings:
    """Circuit id → column → value per interval of the day; `ts_s` may shift them [s]."""
    start = to_us(day_bounds(day, plant.zone)[0])
    parts = []
    for circuit_id, own in columns.items():
        row = plant.row[circuit_id]
        n = max(np.size(values) for values in own.values())
        rows = empty_readings(n)
        rows["circuit"] = plant.keys[row]
        ts_s = np.asarray(own.get("ts_s", np.arange(n) * plant.intervals_s[row]))
        rows["ts"] = start + (ts_s * US_PER_SECOND).astype(np.int64)
        for name, values in own.items():
            if name == "lag_s":
                lag_us = np.asarray(values, dtype=np.float64) * US_PER_SECOND
                rows["received_at"] = rows["ts"] + lag_us.astype(np.int64)
            elif name != "ts_s":
                rows[name] = values
        parts.append(rows)
    return sort_readings(np.concatenate(parts))


def raw(plant: Plant, day: date, columns: Mapping[str, Mapping[str, ArrayLike]]) -> RawDay:
    found = samples(rows_of(plant, day, columns), plant)
    start, end = day_bounds(day, plant.zone)
    return RawDay(
        plant=plant,
        day=day,
        bounds=(to_us(start), to_us(end)),
        rows=found.rows,
        invalid=found.invalid,
        watermark_us=to_us(end),
    )


def history(plant: Plant, first: date, days: int = 1, **known: Any) -> History:
    """Everything from `first` on for some days; `known` are fields of `History`."""
    end = day_bounds(first + timedelta(days=days - 1), plant.zone)[1]
    fields = {
        "watermark_us": to_us(end),
        "first_us": {c.circuit_id: to_us(day_bounds(first, plant.zone)[0]) for c in plant.circuits},
        "spells": (),
        "facts": (),
        "thresholds": {c.circuit_id: RUNS for c in plant.circuits},
    }
    return History(plant=plant, **(fields | known))


def facts(
    kind: str, subject: str, first: date, values: Iterable[NDArray[np.floating]]
) -> list[DayFact]:
    """One fact per day from `first` on."""
    return [
        DayFact(
            enterprise_id="E",
            day=first + timedelta(days=n),
            kind=kind,
            subject=subject,
            values=np.asarray(own, dtype=np.float32),
        )
        for n, own in enumerate(values)
    ]


@pytest.fixture
def drawn(kit):
    """Plants by their circuits ("P" production, "T" treatment, "M" main, by first letter)."""
    roles = {"P": Role.PRODUCTION, "T": Role.TREATMENT, "M": Role.MAIN}

    def circuits(names: str, rated_kw: float | None) -> list[Circuit]:
        return [kit.circuit(name, roles[name[0]], rated_kw) for name in names.split()]

    def plant(
        names: str = "P T",
        pairings: Sequence[Pairing] = (kit.pairing,),
        rated_kw: float | None = 100.0,
        **of_registry: Any,
    ) -> Plant:
        found: Registry = kit.registry(circuits(names, rated_kw), pairings, **of_registry)
        return plant_of(found, "E")

    return SimpleNamespace(
        plant=plant, judged=judged, raw=raw, history=history, facts=facts, day=kit.day0, runs=RUNS
    )
