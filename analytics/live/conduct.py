"""What a plant did under an alert: what the batch has stored, and the live minutes since.

The batch's part ends at a block of 15 minutes some minutes before the data that it saw, so that
nothing in it was still on its way. From there on the live minutes speak; a meter that the batch
does not believe (it stands still) is not believed here either. What registers tell, of silences and
of readings more than a minute apart, comes with the batch; until then a silence is not known, and
sampled power stands for energy.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.live.latches import DOWN, KEEP, NOTHING, UP, Latch, Levels
from analytics.live.minutes import CityMinutes
from analytics.live.packed import Packed
from analytics.verdicts.conduct import Conduct
from wattwitness.domain.facts import BLOCK_MIN
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.states import State

_BLOCK_US: Final = BLOCK_MIN * US_PER_MINUTE
ON_ITS_WAY_US: Final = 5 * US_PER_MINUTE  # before the newest data, the batch may lack something
SETTLED_US: Final = 2 * _BLOCK_US
"""So long before the batch's part ends, live minutes begin to go on from how the batch says that
the circuits stood; whoever judges what lies after its end sees the same, since whenever it runs."""
DOUBTED_MIN: Final = 10
"""So many minutes that the live part knows and the batch does not: the meter is not believed."""


def base_end_us(data_until_us: int) -> int:
    """Where the batch's part ends, by how far the data reached when it looked [µs]."""
    return (data_until_us - ON_ITS_WAY_US) // _BLOCK_US * _BLOCK_US


@dataclass(frozen=True, slots=True)
class Base:
    """The batch's part of a conduct; it may be empty."""

    start_us: int
    end_us: int
    running: Packed[np.bool_]
    known: Packed[np.bool_]
    energy_kwh: Packed[np.float32]

    @classmethod
    def of(cls, conduct: Conduct) -> "Base":
        """Keep it small."""
        return cls(
            conduct.start_us,
            conduct.end_us,
            Packed.of(conduct.running),
            Packed.of(conduct.known),
            Packed.of(conduct.energy_kwh),
        )


def _live(city: CityMinutes, plant: int, from_us: int, to_us: int) -> Conduct:
    """Minutes [from, to) of a plant; what the window does not hold is not known."""
    rows, start_us = city.fleet.span(plant), from_us // _BLOCK_US * _BLOCK_US
    skip = (from_us - start_us) // US_PER_MINUTE  # its block's mean is of all its minutes
    minutes = skip + (to_us - from_us) // US_PER_MINUTE
    first = city.minute(start_us)
    begin, end = max(0, first), min(city.power.shape[1], first + minutes)
    power = np.full((rows.stop - rows.start, minutes), np.nan, dtype=np.float32)
    states = np.full(power.shape, State.UNKNOWN, dtype=np.int8)
    if begin < end:
        power[:, begin - first : end - first] = city.power[rows, begin:end]
        states[:, begin - first : end - first] = city.states[rows, begin:end]
    states = states[:, skip:]
    return Conduct(
        start_us=from_us,
        running=states == State.RUNNING,
        known=states != State.UNKNOWN,
        energy_kwh=_by_block(power)[:, skip:] / np.float32(60.0),
    )


def _by_block(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each known minute with the mean of its block, as day facts keep it [circuits, minutes].

    Args:
        power: from the beginning of a block on [circuits, minutes].
    """
    minutes = power.shape[1]
    blocks = np.full((len(power), -(-minutes // BLOCK_MIN) * BLOCK_MIN), np.nan)
    blocks[:, :minutes] = power
    shaped = blocks.reshape(len(power), -1, BLOCK_MIN)
    told = np.isfinite(shaped)
    mean = np.where(told, shaped, 0.0).sum(axis=2) / np.maximum(told.sum(axis=2), 1)
    spread = np.repeat(mean.astype(np.float32), BLOCK_MIN, axis=1)[:, :minutes]
    return np.where(np.isfinite(power), spread, np.float32(np.nan))


def stood_words(before: Conduct, levels: Levels) -> Latch:
    """The words that power spoke last, as far as a conduct tells [2, rows]: running, energised.

    Energised or not is asked only of a circuit that has no running level.

    Args:
        before: minutes up to the instant that is asked for, as the batch stored them.
        levels: of the same circuits.
    """
    told = before.known | before.energy_told
    minutes, rows = before.minutes, np.arange(len(told))
    if minutes == 0:
        return np.full((2, len(told)), NOTHING, dtype=np.int8)
    last = minutes - 1 - np.argmax(told[:, ::-1], axis=1)
    silent = ~told.any(axis=1)
    runs, known = before.running[rows, last], before.known[rows, last]
    running = np.where(silent | ~known, NOTHING, np.where(runs, UP, DOWN))
    energised = np.where(silent, NOTHING, np.where(known, DOWN, UP))
    energised[np.isfinite(levels.running_kw)] = KEEP
    return np.stack((running, energised)).astype(np.int8)


def doubted(city: CityMinutes, plant: int, base: Conduct) -> NDArray[np.bool_]:
    """Circuits whose newest minutes the batch did not believe, though readings came [rows]."""
    from_us = max(base.start_us, base.end_us - SETTLED_US)
    mine = _live(city, plant, from_us, base.end_us)
    told = slice(base.place(from_us), None)
    unknown = mine.known & ~base.known[:, told]
    agreed = (mine.known & base.known[:, told]).any(axis=1)
    return np.asarray((unknown.sum(axis=1) >= DOUBTED_MIN) & ~agreed, dtype=np.bool_)


def conduct_now(
    city: CityMinutes, plant: int, base: Base, doubt: NDArray[np.bool_], to_us: int
) -> Conduct:
    """The conduct of a plant since the base began, up to an instant.

    Args:
        city: the live minutes.
        plant: its number in the fleet.
        base: of the same plant.
        doubt: circuits that the batch does not believe [rows].
        to_us: end, a whole minute [µs].
    """
    live = _live(city, plant, base.end_us, max(to_us, base.end_us))
    live.known[doubt] = live.running[doubt] = False
    live.energy_kwh[doubt] = np.nan
    return Conduct(
        start_us=base.start_us,
        running=np.concatenate((base.running.unpacked(), live.running), axis=1),
        known=np.concatenate((base.known.unpacked(), live.known), axis=1),
        energy_kwh=np.concatenate((base.energy_kwh.unpacked(), live.energy_kwh), axis=1),
    )
