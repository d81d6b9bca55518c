"""What one minute of the whole city costs the engine that follows live data."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from analytics.leads.early import WARNED
from analytics.live.fleet import Fleet
from analytics.live.latches import Levels
from analytics.live.minutes import CityMinutes
from analytics.live.warned import Ground, suspects, warnings_now
from analytics.live.warner import WINDOW_MIN
from analytics.plants import plant_of
from benchmarks.analytics.city import copied_name, copied_registry
from benchmarks.analytics.memory import Ready
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_HOUR, US_PER_MINUTE, day_bounds, to_us
from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import Role
from wattwitness.domain.spells import SpellBook

FROM_HOUR = 9
MINUTES = 30  # fed one by one
TROUBLED = 20  # one enterprise in so many runs without any treatment meanwhile


@dataclass(frozen=True, slots=True)
class Minute:
    """Processor time of one minute's readings [s]."""

    circuits: int
    advance_s: float  # taking them in, states
    glance_s: float  # which pairings of the city deserve a close look
    looks_s: float  # at the plants of these: is there a warning
    looks: int  # such plants


def measure_minute(found: Sequence[Ready], enterprises: int) -> Minute:
    """Feed a city minute by minute; the median of the last minutes."""
    registries = [
        copied_registry(found[n % len(found)].model, f"E{n:04d}", 1 + n * _circuits(found))
        for n in range(enterprises)
    ]
    plants = [plant_of(registry, next(iter(registry.enterprises))) for registry in registries]
    levels = [
        found[n % len(found)].day.thresholds[c.circuit_id]
        for n in range(enterprises)
        for c in found[n % len(found)].plant.circuits
    ]
    start_us = to_us(day_bounds(found[0].model.days[-1], DEFAULT_ZONE)[0]) + FROM_HOUR * US_PER_HOUR
    engine = CityMinutes(Fleet.of(plants), Levels.of(levels), start_us, WINDOW_MIN)
    grounds = [_ground(found[n % len(found)], f"E{n:04d}", start_us) for n in range(enterprises)]
    asked = {number: ground for number, (ground, _) in enumerate(grounds)}
    spent_s, looks = [], 0
    for minute in range(MINUTES):
        rows = _rows(found, enterprises, start_us + minute * US_PER_MINUTE)
        began_s = time.process_time()
        engine.advance(rows)
        advanced_s = time.process_time()
        near = suspects(engine, asked)
        glanced_s = time.process_time()
        for number, pairings in near.items():
            warnings_now(engine, number, *grounds[number], pairings, ())
        looked_s = time.process_time()
        spent_s.append((advanced_s - began_s, glanced_s - advanced_s, looked_s - glanced_s))
        looks = max(looks, len(near))
    advance, glance, close = (median(part) for part in zip(*spent_s[MINUTES // 2 :], strict=True))
    return Minute(enterprises * _circuits(found), advance, glance, close, looks)


def _ground(one: Ready, enterprise_id: str, until_us: int) -> tuple[Ground, SpellBook]:
    """What a batch said of a copy that saw nothing after an instant."""
    thresholds = [one.day.thresholds[c.circuit_id] for c in one.plant.circuits]
    spells = one.history.spells
    assert isinstance(spells, SpellBook)  # noqa: S101 - as results give them
    own = {
        (kind, name): replace(table, enterprise_id=enterprise_id, subject=name)
        for (kind, subject), table in spells.tables.items()
        if kind in WARNED
        for name in (copied_name(one.model, subject, enterprise_id),)
    }
    return Ground(0, until_us, thresholds), SpellBook(own)


def _circuits(found: Sequence[Ready]) -> int:
    return len(found[0].plant.circuits)


def _rows(found: Sequence[Ready], enterprises: int, at_us: int) -> Readings:
    """The readings of one minute of all copies, in the order of arrival."""
    own = []
    for one in found:
        rows, ts = one.model.rows, one.model.rows["ts"]
        own.append(rows[(ts >= at_us) & (ts < at_us + US_PER_MINUTE)])
    parts = []
    for n in range(enterprises):
        rows = own[n % len(own)].copy()
        if n % TROUBLED == 0:
            units = found[n % len(found)].plant.rows_of(Role.TREATMENT)
            off = [found[n % len(found)].plant.keys[row] for row in units]
            rows["p_kw"][np.isin(rows["circuit"], off)] = 0.0
        rows["circuit"] += n * _circuits(found)
        parts.append(rows)
    order = np.random.default_rng(1).permutation(enterprises)
    return np.concatenate([parts[n] for n in order])
