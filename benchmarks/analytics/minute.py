"""What one minute of the whole city costs the engine that follows live data."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from analytics.live.fleet import Fleet
from analytics.live.latches import Levels
from analytics.live.minutes import CityMinutes
from analytics.plants import plant_of
from benchmarks.analytics.city import copied_registry
from benchmarks.analytics.memory import Ready
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_HOUR, US_PER_MINUTE, day_bounds, to_us
from wattwitness.domain.readings import Readings

FROM_HOUR = 9
MINUTES = 30  # fed first, one by one
LOOK_BACK_MIN = 60


@dataclass(frozen=True, slots=True)
class Minute:
    """Processor time of one minute's readings [s]."""

    circuits: int
    advance_s: float  # taking them in, states
    pairings_s: float  # the last hour of all pairings


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
    engine = CityMinutes(Fleet.of(plants), Levels.of(levels), start_us)
    advance_s, pairings_s = [], []
    for minute in range(MINUTES):
        rows = _rows(found, enterprises, start_us + minute * US_PER_MINUTE)
        began_s = time.process_time()
        engine.advance(rows)
        advanced_s = time.process_time()
        engine.off(LOOK_BACK_MIN)
        engine.short(LOOK_BACK_MIN)
        advance_s.append(advanced_s - began_s)
        pairings_s.append(time.process_time() - advanced_s)
    last = MINUTES // 2
    circuits = enterprises * _circuits(found)
    return Minute(circuits, median(advance_s[last:]), median(pairings_s[last:]))


def _circuits(found: Sequence[Ready]) -> int:
    return len(found[0].plant.circuits)


def _rows(found: Sequence[Ready], enterprises: int, at_us: int) -> Readings:
    """The readings of one minute of all copies, in the order of arrival."""
    own = []
    for one in found:
        ts = one.rows["ts"]
        own.append(one.rows[(ts >= at_us) & (ts < at_us + US_PER_MINUTE)])
    parts = []
    for n in range(enterprises):
        rows = own[n % len(own)].copy()
        rows["circuit"] += n * _circuits(found)
        parts.append(rows)
    order = np.random.default_rng(1).permutation(enterprises)
    return np.concatenate([parts[n] for n in order])
