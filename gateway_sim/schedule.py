"""When a production line works: shifts, breaks, batches, idle days.

A line's day is drawn from (key, day) alone. Spells may reach past midnight; the plant paints the
days before and after over each other, so a night shift is whole.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from gateway_sim.noise import key_of
from gateway_sim.spells import Spell, subtract

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPattern:
    """How a line works through a day; hours are local clock hours."""

    name: str
    shifts: tuple[tuple[float, float], ...]  # an end beyond 24 is the next morning
    breaks: tuple[tuple[float, int], ...] = ()  # (hour, minutes) of standby or switch-off
    days_off: frozenset[int] = frozenset()  # weekdays, Monday = 0
    batch_min: tuple[int, int] | None = None  # (running, pause) within a shift
    warm_up_min: tuple[int, int] = (4, 15)  # standby before each shift
    changeovers: float = 1.2  # mean number of 5–25 min standby pauses per shift
    idle_day_share: float = 0.03  # days without orders

    @property
    def continuous(self) -> bool:
        """Works round the clock: no switching off at the end of a shift."""
        return sum(end - start for start, end in self.shifts) >= 24


ONE_SHIFT = ShiftPattern(
    name="one shift", shifts=((8.0, 17.5),), breaks=((12.0, 60),), days_off=frozenset({6})
)
TWO_SHIFTS = ShiftPattern(
    name="two shifts",
    shifts=((6.5, 14.5), (14.5, 22.5)),
    breaks=((11.5, 40), (18.0, 40)),
    days_off=frozenset({6}),
)
LONG_DAY = ShiftPattern(
    name="long day", shifts=((7.5, 20.5),), breaks=((12.0, 60), (17.5, 40)), idle_day_share=0.06
)
NIGHT_MELT = ShiftPattern(  # furnaces melt on the cheap night tariff
    name="night melt",
    shifts=((21.5, 30.5),),
    breaks=((26.0, 30),),
    days_off=frozenset({6}),
    batch_min=(62, 11),
)
THREE_SHIFTS = ShiftPattern(
    name="three shifts",
    shifts=((0.0, 8.0), (8.0, 16.0), (16.0, 24.0)),
    breaks=((3.5, 25), (7.8, 14), (12.0, 30), (15.8, 14), (19.5, 30), (23.7, 14)),
    changeovers=0.5,
    idle_day_share=0.0,
)
KILN = ShiftPattern(
    name="kiln",
    shifts=((0.0, 24.0),),
    changeovers=0.15,
    idle_day_share=0.0,
)
BATCHES = ShiftPattern(
    name="batches",
    shifts=((0.0, 24.0),),
    batch_min=(230, 38),
    changeovers=0.0,
    idle_day_share=0.02,
)


@dataclass(frozen=True, slots=True)
class LineDay:
    """One line on one local day, in seconds after local midnight."""

    energised: list[Spell]
    running: list[Spell]


def _pauses(pattern: ShiftPattern, rng: np.random.Generator, span: Spell) -> list[Spell]:
    """Breaks, change-overs and batch pauses inside one shift."""
    start, end = span
    pauses = []
    for hour, minutes in pattern.breaks:
        at = int(hour * HOUR_S + rng.integers(-6, 7) * 60)
        pauses.append((at, at + int(minutes + rng.integers(-4, 5)) * 60))
    for _ in range(int(rng.poisson(pattern.changeovers))):
        at = int(rng.integers(start, end))
        pauses.append((at, at + int(rng.integers(5, 26)) * 60))
    if pattern.batch_min is not None:
        run_min, pause_min = pattern.batch_min
        at = start
        while at < end:
            at += int(run_min * rng.uniform(0.88, 1.12)) * 60
            rest = int(pause_min * rng.uniform(0.8, 1.3)) * 60
            pauses.append((at, at + rest))
            at += rest
    return pauses


def line_day(pattern: ShiftPattern, line_key: int, day: date, *, closed: bool = False) -> LineDay:
    """The spells of one line on one local day.

    Args:
        pattern: the line's way of working.
        line_key: the line's own key; the same key and day give the same spells for ever.
        day: local calendar day.
        closed: a holiday: nothing runs.
    """
    rng = np.random.default_rng([line_key & 0xFFFFFFFF, line_key >> 32, day.toordinal()])
    idle = rng.random() < pattern.idle_day_share
    if closed or idle or day.weekday() in pattern.days_off:
        return LineDay([], [])
    energised: list[Spell] = []
    running: list[Spell] = []
    jitter = 0 if pattern.continuous else 1
    for from_h, to_h in pattern.shifts:
        start = int(from_h * HOUR_S + jitter * rng.integers(-9, 13) * 60)
        end = int(to_h * HOUR_S + jitter * rng.integers(-12, 16) * 60)
        warm_s = jitter * int(rng.integers(*pattern.warm_up_min)) * 60
        cool_s = jitter * int(rng.integers(2, 9)) * 60
        pauses = _pauses(pattern, rng, (start, end))
        running += subtract([(start, end)], pauses)
        switched_off = [p for p in pauses if p[1] - p[0] >= 25 * 60 and rng.random() < 0.4]
        energised += subtract([(start - warm_s, end + cool_s)], switched_off)
    return LineDay(energised, running)


def line_key(seed: int, enterprise_id: str, line: str) -> int:
    """The key of a line's schedule."""
    return key_of(seed, enterprise_id, "line", line)
