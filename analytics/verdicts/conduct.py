"""What a plant did, minute by minute, over some days: the one thing that verdicts look at.

In a batch it comes from day facts (`conduct_of`), live from the same kernels over the newest
minutes; what judges it does not know the difference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.conduct_facts import (
    CONDUCT_FACT,
    GAPS_FACT,
    REGISTER_FACT,
    read,
)
from analytics.detectors.stages import History
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS
from wattwitness.domain.instants import (
    US_PER_MINUTE,
    day_bounds,
    days_between,
    from_us,
    local_day,
    to_us,
)
from wattwitness.domain.states import Thresholds

Mask = NDArray[np.bool_]
Silence = tuple[int, int, float]
"""First minute, minute after the last, energy by the registers around it [kWh]."""
MOST_CLEARED_MIN = 120  # of a silence that registers can speak for
DAY_MIN = BLOCKS * BLOCK_MIN


def _count(mask: Mask) -> NDArray[np.float64]:
    """True minutes of each circuit [circuits]."""
    count: NDArray[np.uint32] = mask.view(np.uint8).sum(axis=1, dtype=np.uint32)
    return count.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Sums:
    """Some consecutive minutes added up [circuits]."""

    running_min: NDArray[np.float64]
    known_min: NDArray[np.float64]
    energy_kwh: NDArray[np.float64]
    energy_min: NDArray[np.float64]  # whose energy is known


@dataclass(frozen=True, eq=False)
class Conduct:
    """Consecutive minutes of a plant; rows are its circuits, in its order."""

    start_us: int  # of the first minute
    running: Mask  # known to run: above the standby floor [circuits, minutes]
    known: Mask  # whether it is known if it ran [circuits, minutes]
    energy_kwh: NDArray[np.float32]  # NaN = not known [circuits, minutes]
    _sums: dict[tuple[int, int], "Sums"] = field(init=False, default_factory=dict, repr=False)

    @cached_property
    def energy_told(self) -> Mask:
        """Whether the energy is known [circuits, minutes]."""
        return np.isfinite(self.energy_kwh)

    @cached_property
    def _energy_or_none(self) -> NDArray[np.float32]:
        if self.energy_told.all():
            return self.energy_kwh
        return np.where(self.energy_told, self.energy_kwh, np.float32(0.0))

    def sums(self, from_us_: int, to_us_: int) -> "Sums":
        """What all circuits did in [from, to), as far as there are minutes of it."""
        key = (self.place(from_us_), self.place(to_us_))
        found = self._sums.get(key)
        if found is None:
            part = (slice(None), slice(*key))
            found = self._sums[key] = Sums(
                _count(self.running[part]),
                _count(self.known[part]),
                self._energy_or_none[part].sum(axis=1).astype(np.float64),
                _count(self.energy_told[part]),
            )
        return found

    @property
    def minutes(self) -> int:
        """How many."""
        return int(self.running.shape[1])

    @property
    def end_us(self) -> int:
        """End of the last minute."""
        return self.start_us + self.minutes * US_PER_MINUTE

    def place(self, us: int) -> int:
        """The first minute that begins at or after an instant, within those that there are."""
        minute = -((self.start_us - us) // US_PER_MINUTE)
        return min(max(0, minute), self.minutes)


def nothing_known(circuits: int, from_us_: int, to_us_: int) -> Conduct:
    """A plant of which nothing is known over [from, to)."""
    shape = (circuits, max(0, -((from_us_ - to_us_) // US_PER_MINUTE)))
    return Conduct(
        start_us=from_us_,
        running=np.zeros(shape, dtype=np.bool_),
        known=np.zeros(shape, dtype=np.bool_),
        energy_kwh=np.full(shape, np.nan, dtype=np.float32),
    )


def _painted(spells: Sequence[NDArray[np.int64]], minutes: int) -> Mask:
    """Minutes that lie in any spell; spells are minutes (from, to), cut at both ends [minutes]."""
    if not spells:
        return np.zeros(minutes, dtype=np.bool_)
    begins, ends = np.minimum(np.maximum(np.concatenate(spells), 0), minutes).T
    change = np.bincount(begins, minlength=minutes + 1) - np.bincount(ends, minlength=minutes + 1)
    return np.asarray(np.cumsum(change[:-1]) > 0)


@dataclass(frozen=True, slots=True)
class _Days:
    """The local days of a conduct."""

    days: Sequence[date]
    offsets: Sequence[int]  # first minute of each, from the start of the conduct
    ends: Sequence[int]  # first minute after it


def _days_of(history: History, start_us: int, minutes: int) -> _Days:
    zone = history.plant.zone
    last_us = start_us + minutes * US_PER_MINUTE - 1
    days = days_between(local_day(from_us(start_us), zone), local_day(from_us(last_us), zone))
    bounds = [day_bounds(day, zone) for day in days]
    place = [[(to_us(at) - start_us) // US_PER_MINUTE for at in both] for both in bounds]
    return _Days(days, [a for a, _ in place], [b for _, b in place])


def _paint(found: Conduct, history: History, row: int, over: _Days) -> None:
    """Lay the facts of one circuit on its minutes."""
    name, n = history.plant.circuits[row].circuit_id, found.minutes
    own, registers = history.days_of(CONDUCT_FACT, name), history.days_of(REGISTER_FACT, name)
    spells: tuple[list[NDArray[np.int64]], ...] = ([], [], [])
    for day, offset, end in zip(over.days, over.offsets, over.ends, strict=True):
        if day not in own:
            nothing = np.array([[offset, end]])
            spells[1].append(nothing)
            spells[2].append(nothing)
            continue
        held = read(own[day])
        for target, part in zip(spells, (held.running, held.stateless, held.dark), strict=True):
            target.append(np.minimum(part + offset, end))
        kw = held.block_kw
        if day in registers:  # what a register counted goes before power that was sampled
            kw = np.where(np.isfinite(registers[day]), registers[day], kw)
        spread = np.repeat(kw / np.float32(60.0), BLOCK_MIN)
        if end - offset > len(spread):  # the 25th hour of a day
            spread = np.concatenate((spread, np.repeat(spread[-1:], end - offset - len(spread))))
        a, b = max(0, offset), min(n, end)
        found.energy_kwh[row, a:b] = spread[a - offset : b - offset]
    running, stateless, dark = (_painted(part, n) for part in spells)
    found.running[row] = running
    found.known[row] = ~stateless
    found.energy_kwh[row, dark] = np.nan


def _silences(history: History, circuit_id: str, over: _Days) -> Iterator[Silence]:
    """Silences that sound registers stand around."""
    gaps = history.days_of(GAPS_FACT, circuit_id)
    for day, offset in zip(over.days, over.offsets, strict=True):
        for a, b, kwh in gaps[day].astype(np.float64).reshape(-1, 3) if day in gaps else ():
            yield offset + int(a), offset + int(b), float(kwh)


def _clear(found: Conduct, row: int, silence: Silence, thresholds: Thresholds | None) -> None:
    """Minutes of a short silence that cannot have been running by the energy used in it are known.

    Energy E cannot keep a circuit above its running level for longer than E ÷ that level. So many
    minutes stay unknown; the rest was not running. A long silence stays one: a meter that was taken
    off counts nothing, either.
    """
    floor_kw = np.nan if thresholds is None else thresholds.running_release_kw
    begin, end = (min(max(0, at), found.minutes) for at in silence[:2])
    unknown = np.flatnonzero(~found.known[row, begin:end]) + begin
    short = silence[1] - silence[0] <= MOST_CLEARED_MIN
    if not short or not floor_kw > 0 or len(unknown) == 0:
        return
    can_run = int(np.ceil(60.0 * silence[2] / floor_kw))
    cleared = unknown[can_run:]
    found.known[row, cleared] = True
    dark = unknown[np.isnan(found.energy_kwh[row, unknown])]
    found.energy_kwh[row, dark] = silence[2] / max(1, silence[1] - silence[0])


def conduct_of(history: History, from_us_: int, to_us_: int) -> Conduct:
    """Minutes of [from, to) from the day facts of an enterprise.

    Args:
        history: of the enterprise.
        from_us_: begin, brought down to its minute [µs].
        to_us_: end [µs].
    """
    plant = history.plant
    start = from_us_ // US_PER_MINUTE * US_PER_MINUTE
    found = nothing_known(len(plant.circuits), start, to_us_)
    if found.minutes == 0:
        return found
    over = _days_of(history, start, found.minutes)
    for row, circuit in enumerate(plant.circuits):
        _paint(found, history, row, over)
        if not found.known[row].all():
            thresholds = history.thresholds.get(circuit.circuit_id)
            for silence in _silences(history, circuit.circuit_id, over):
                _clear(found, row, silence, thresholds)
    return found
