"""`clock_skew` (时钟偏差): the device clock is off by more than a minute.

Method: receipt minus device time of readings that were not resent. The smallest lag of a block of
15 minutes is what the network needs at least, plus the error of the clock; a wrong clock shifts it
steadily for hours, while a queue that is worked off shows lags that shrink, within the block or
from block to block. What
is usual for the gateway (a mean is sent when its interval ends) is learned in its first days,
between nothing and one interval, so that a clock that was wrong from the first is not usual.
Without receipt times nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, RawDay
from analytics.episodes.plain import Joined, join_plain, plain_episode
from analytics.quantiles import median
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact, FactTable
from wattwitness.domain.instants import US_PER_MINUTE, US_PER_SECOND, day_bounds, from_us, to_us
from wattwitness.domain.readings import NEVER
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.spells import ConditionSpell

KIND = "clock_skew"
LAG_FACT = "gateway_lag"  # per gateway: smallest lag of each block [96], its upper quartile [96], s
EARLY_DAYS = 7
ALLOWANCE_S = 30.0  # of the network, on top of an interval
STEADY_S = 45.0  # upper quartile above the smallest lag: more is a queue
QUEUE_SHARE = 0.6  # lags at the end ÷ lags at the beginning: less is a queue worked off
CONFIDENCE = 0.95


def _patterns(raw: RawDay, rows: Sequence[int]) -> list[tuple[slice, int]]:
    """Readings of the day of circuits that were read and received alike, and how many are alike.

    A gateway sends what its circuits show in one message, so that most of them share all instants.
    """
    told = (raw.rows.received_at, raw.rows.ts, raw.rows.resent)
    found: list[tuple[list[bytes], slice, int]] = []
    for row in rows:
        part = raw.parts[row]
        own = [column[part].tobytes() for column in told]
        for k, (other, first, n) in enumerate(found):
            if own == other:
                found[k] = (other, first, n + 1)
                break
        else:
            found.append((own, part, 1))
    return [(part, n) for _, part, n in found]


@dataclass(frozen=True, slots=True)
class _Told:
    """Readings of the day that stand for all of their gateways [n]."""

    reading: NDArray[np.intp]
    gateway: NDArray[np.intp]  # ascending
    alike: NDArray[np.intp]  # circuits of the gateway for which a reading stands [gateways]


def _told(raw: RawDay, gateways: Sequence[Sequence[int]]) -> _Told:
    """Readings of circuits that differ, each as often as there are circuits like it.

    Args:
        raw: the day.
        gateways: rows of the circuits of each gateway.
    """
    reading, gateway, alike = [], [], []
    for k, rows in enumerate(gateways):
        patterns = _patterns(raw, rows)
        alike.append(patterns[0][1] if len(patterns) == 1 else 1)
        for part, n in patterns:
            own = np.arange(part.start, part.stop)
            reading.append(own if len(patterns) == 1 else np.repeat(own, n))
            gateway.append(np.full(len(reading[-1]), k))
    found, of = np.concatenate(reading), np.concatenate(gateway)
    use = (raw.rows.received_at[found] != NEVER) & ~raw.rows.resent[found]
    return _Told(found[use], of[use], np.array(alike))


def _lags_s(raw: RawDay, gateways: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Smallest lag of each block, and its upper quartile [s]; NaN = none [gateways, 2, 96]."""
    found = np.full((len(gateways), 2, BLOCKS), np.nan)
    told = _told(raw, gateways)
    if not len(told.reading):
        return found
    cell = told.gateway * BLOCKS + raw.block[told.reading]
    lag_us = raw.lag_us[told.reading]
    if (cell[1:] < cell[:-1]).any():
        order = np.argsort(cell, kind="stable")
        cell, lag_us = cell[order], lag_us[order]
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    count = np.diff(first, append=len(cell))
    # a row for each block, its lags ascending
    table = np.full((len(first), count.max()), np.iinfo(np.int64).max)
    place = np.arange(len(cell)) - np.repeat(first, count)
    table[np.repeat(np.arange(len(first)), count), place] = lag_us
    table.sort(axis=1)
    gateway, block = np.divmod(cell[first], BLOCKS)
    alike = told.alike[gateway]
    readings = count * alike
    quartile = ((3 * readings) // 4 - (readings % 4 == 0)) // alike
    found[gateway, 0, block] = table[:, 0] / US_PER_SECOND
    found[gateway, 1, block] = table[np.arange(len(first)), quartile] / US_PER_SECOND
    return found


def raw_facts(raw: RawDay) -> list[DayFact]:
    """Per gateway: the smallest lag and the upper quartile of each block of the day [s]."""
    of_gateway: dict[str, list[int]] = {}
    for row in np.flatnonzero(raw.readings).tolist():
        of_gateway.setdefault(raw.plant.circuits[row].gateway_id, []).append(row)
    if not of_gateway:
        return []
    names = sorted(of_gateway)
    lags_s = _lags_s(raw, [of_gateway[name] for name in names])
    return [
        raw.fact(LAG_FACT, name, own.ravel())
        for name, own in zip(names, lags_s, strict=True)
        if np.isfinite(own).any()
    ]


def usual_lag_s(smallest: NDArray[np.float32], interval_s: float) -> float:
    """What a gateway's readings need in its first days, at most an interval and an allowance.

    Args:
        smallest: smallest lag of the blocks [days, 96] s.
        interval_s: of the gateway.
    """
    early = smallest[:EARLY_DAYS]
    known = early[np.isfinite(early)]
    usual = float(np.float32(median(known))) if len(known) else 0.0
    return min(max(usual, 0.0), interval_s + ALLOWANCE_S)


def _like_a_neighbour(smallest: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Blocks whose lag is that of the block before or after.

    The lag of a queue shrinks from one to the next. Gateways that send in bundles show a queue of
    their own, over and over.

    Args:
        smallest: smallest lag of the blocks [days, 96] s.
    """
    flat = smallest.ravel()
    known = np.flatnonzero(np.isfinite(flat))
    alike = np.zeros(flat.shape, dtype=np.bool_)
    near = np.abs(np.diff(flat[known])) <= STEADY_S
    alike[known[1:]] |= near
    alike[known[:-1]] |= near
    return alike.reshape(smallest.shape)


def _spells(history: History, gateway_id: str, table: FactTable) -> list[ConditionSpell]:
    """Blocks with a wrong clock, as spells whose sums hold the skew."""
    limit_s = CATALOGUE[KIND].parameters["skew_s"]
    rows = [n for n, c in enumerate(history.plant.circuits) if c.gateway_id == gateway_id]
    interval_s = float(max(history.plant.intervals_s[n] for n in rows))
    smallest, upper = table.values[:, :BLOCKS], table.values[:, BLOCKS:]
    skew_s = usual_lag_s(smallest, interval_s) - smallest  # positive: the clock is ahead
    wrong = np.abs(skew_s) > limit_s
    found: list[ConditionSpell] = []
    if not wrong.any():
        return found
    wrong &= upper - smallest <= STEADY_S + 0.5 * interval_s
    wrong &= _like_a_neighbour(smallest)
    for n in np.flatnonzero(wrong.any(axis=1)).tolist():
        start_us = to_us(day_bounds(table.days[n], history.plant.zone)[0])
        for k in np.flatnonzero(wrong[n]).tolist():
            begin = start_us + k * BLOCK_MIN * US_PER_MINUTE
            found.append(
                ConditionSpell(
                    enterprise_id=history.plant.enterprise_id,
                    kind=KIND,
                    subject=gateway_id,
                    from_=from_us(begin),
                    to=from_us(begin + BLOCK_MIN * US_PER_MINUTE),
                    sums={"skew_s": float(skew_s[n, k]), "blocks": 1.0},
                )
            )
    return found


def _same_sign(spells: list[ConditionSpell]) -> list[list[ConditionSpell]]:
    """Spells ahead and spells behind, apart."""
    ahead = [s for s in spells if s.sums["skew_s"] > 0]
    return [ahead, [s for s in spells if s.sums["skew_s"] <= 0]]


def _is_queue(joined: Joined) -> bool:
    """Whether the readings only came late, less and less so."""
    lags = [-s.sums["skew_s"] for s in joined.spells]
    third = max(1, len(lags) // 3)
    return lags[0] > 0 and float(np.median(lags[-third:])) < QUEUE_SHARE * float(
        np.median(lags[:third])
    )


def _episode(history: History, joined: Joined, circuits: tuple[str, ...]) -> Episode:
    parameters = CATALOGUE[KIND].parameters
    skews = [s.sums["skew_s"] for s in joined.spells]
    numbers: dict[str, tuple[float | str, str]] = {
        "skew": (float(np.median(skews)), "s"),
        "largest_skew": (max(skews, key=abs), "s"),
        "blocks": (float(len(skews)), ""),
    }
    return plain_episode(
        history, KIND, joined, circuits, parameters["episode_min"], numbers, CONFIDENCE
    )


def episodes(history: History) -> list[Episode]:
    """One per spell and gateway."""
    parameters = CATALOGUE[KIND].parameters
    found = []
    for gateway_id in sorted({c.gateway_id for c in history.plant.circuits}):
        table = history.facts_of(LAG_FACT, gateway_id)
        if not table.days:
            continue
        circuits = tuple(c.circuit_id for c in history.plant.circuits if c.gateway_id == gateway_id)
        for spells in _same_sign(_spells(history, gateway_id, table)):
            found += [
                _episode(history, joined, circuits)
                for joined in join_plain(spells, parameters["bridge_min"])
                if len(joined.spells) * BLOCK_MIN >= parameters["episode_min"]
                and not _is_queue(joined)
            ]
    return found
