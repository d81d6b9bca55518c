"""Plans of every kind: stop, limit, hours; of the plant, a line, some circuits; at every level.

The guide's plans (`measures`) depend on the grade alone. These vary from plant to plant as real
ones do, so that every kind of measure meets every kind of plant.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time

import numpy as np

from gateway_sim.blueprint import Blueprint
from gateway_sim.measures import KILN_GRACE_MIN
from gateway_sim.noise import key_of
from wattwitness.domain.registry import AlertLevel, Grade, Measure, MeasureAction, Role

LIMITS_PCT = (85.0, 70.0, 60.0, 50.0)
HOURS = ((time(8), time(18)), (time(7), time(20)), (time(9), time(16)), (time(22), time(6)))
GRACES_MIN = (None, 60.0, 120.0, 180.0)
NOTHING_SHARE = 0.12  # of levels at which a plan asks nothing
_KILN_PCT = {AlertLevel.YELLOW: 85.0, AlertLevel.ORANGE: 70.0, AlertLevel.RED: 50.0}


class _Pen:
    """Writes the measures of one plant at one level."""

    def __init__(self, blueprint: Blueprint, level: AlertLevel, rng: np.random.Generator) -> None:
        self.lines = [line.name for line in blueprint.lines]
        made = {Role.PRODUCTION}
        self.metered = [c for c in blueprint.circuits if c.role in made]
        self.rng = rng
        grace = GRACES_MIN[int(rng.integers(len(GRACES_MIN)))]
        self._blank = Measure(
            enterprise_id=blueprint.enterprise_id,
            level=level,
            action=MeasureAction.STOP,
            grace_min=grace,
        )

    def stop(self, scope: tuple[str, ...] = ("*",)) -> Measure:
        return replace(self._blank, scope=scope)

    def limit(self, pct: float | None = None, scope: tuple[str, ...] = ("*",)) -> Measure:
        pct = pct or LIMITS_PCT[int(self.rng.integers(len(LIMITS_PCT)))]
        return replace(self._blank, action=MeasureAction.LIMIT, limit_pct=pct, scope=scope)

    def hours(self) -> Measure:
        hours = HOURS[int(self.rng.integers(len(HOURS)))]
        return replace(self._blank, action=MeasureAction.HOURS, hours=hours)

    def one_line(self) -> tuple[str, ...]:
        """A line that is metered on its own; the plant where there is only one."""
        metered = sorted({c.line for c in self.metered if c.line})
        if len(metered) < 2:
            return ("*",)
        return (metered[int(self.rng.integers(len(metered)))],)

    def some_circuits(self) -> tuple[str, ...]:
        """The circuits of about half of the lines, by id."""
        ids = [c.circuit_id for c in self.metered if c.line in self.lines[: len(self.lines) // 2]]
        return tuple(ids) or ("*",)


_KINDS: Sequence[tuple[float, Callable[[_Pen], tuple[Measure, ...]]]] = (
    (0.34, lambda pen: (pen.stop(),)),
    (0.14, lambda pen: (pen.stop(pen.one_line()),)),
    (0.08, lambda pen: (pen.stop(pen.some_circuits()),)),
    (0.2, lambda pen: (pen.limit(),)),
    (0.06, lambda pen: (pen.limit(50.0, pen.one_line()),)),
    (0.12, lambda pen: (pen.hours(),)),
    (0.06, lambda pen: (pen.stop(pen.one_line()), pen.limit(60.0))),
)


def varied_plan(blueprint: Blueprint, seed: int, *, kiln: bool) -> tuple[Measure, ...]:
    """The plan of one plant; empty for grade A and leading, which act voluntarily."""
    if blueprint.enterprise.grade in {Grade.A, Grade.LEADING}:
        return ()
    rng = np.random.default_rng(key_of(seed, blueprint.enterprise_id, "plan"))
    found: list[Measure] = []
    for level in AlertLevel:
        pen = _Pen(blueprint, level, rng)
        if rng.random() < NOTHING_SHARE:
            continue
        if kiln:
            found.append(replace(pen.limit(_KILN_PCT[level]), grace_min=KILN_GRACE_MIN))
            continue
        weights = np.array([weight for weight, _ in _KINDS])
        kind = int(rng.choice(len(_KINDS), p=weights / weights.sum()))
        found += _KINDS[kind][1](pen)
    return tuple(found)
