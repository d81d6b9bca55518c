"""Visits by officers: some plants see one, on a working day, in office hours."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from gateway_sim.blueprint import Blueprint
from wattwitness.domain.instants import day_bounds, local_day
from wattwitness.domain.registry import Inspection

VISITED_SHARE = 0.3


def draw_inspections(
    seed: int, blueprints: Sequence[Blueprint], begins: datetime, ends: datetime, zone: ZoneInfo
) -> tuple[Inspection, ...]:
    """Inspections of the history, by enterprise."""
    found = []
    days = (local_day(ends, zone) - local_day(begins, zone)).days
    for rank, blueprint in enumerate(blueprints):
        rng = np.random.default_rng([seed, rank, 0x1175])
        if rng.random() >= VISITED_SHARE or days < 2:
            continue
        day = local_day(begins, zone) + timedelta(days=int(rng.integers(1, days)))
        if day.weekday() >= 5:
            continue
        start = day_bounds(day, zone)[0] + timedelta(minutes=30 * int(rng.integers(18, 32)))
        found.append(
            Inspection(
                enterprise_id=blueprint.enterprise_id,
                from_=start,
                to=start + timedelta(minutes=30 * int(rng.integers(2, 6))),
            )
        )
    return tuple(found)
