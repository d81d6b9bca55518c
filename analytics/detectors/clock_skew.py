"""`clock_skew` (时钟偏差): the device clock is off by more than a minute.

Method: receipt minus device time of readings that were not resent. The smallest lag of a block of
15 minutes is what the network needs at least, plus the error of the clock; a wrong clock shifts it
steadily for hours, while a queue that is worked off shows lags that shrink, within the block or
from block to block. What
is usual for the gateway (a mean is sent when its interval ends) is learned in its first days,
between nothing and one interval, so that a clock that was wrong from the first is not usual.
Without receipt times nothing is said.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import FactTable, History, RawDay
from analytics.episodes.plain import Joined, join_plain, plain_episode
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact
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


def raw_facts(raw: RawDay) -> list[DayFact]:
    """Per gateway: the smallest lag and the upper quartile of each block of the day [s]."""
    rows = raw.rows
    use = raw.today & (rows["received_at"] != NEVER) & ~rows["resent"]
    if not use.any():
        return []
    gateways = sorted({c.gateway_id for c in raw.plant.circuits})
    number = np.array([gateways.index(c.gateway_id) for c in raw.plant.circuits])
    lag_s = (rows["received_at"][use] - rows["ts"][use]) / US_PER_SECOND
    block = (rows["ts"][use] - raw.bounds[0]) // (BLOCK_MIN * US_PER_MINUTE)
    cell = number[raw.circuit_row[use]] * BLOCKS + np.minimum(block, BLOCKS - 1)
    order = np.lexsort((lag_s, cell))
    cell, lag_s = cell[order], lag_s[order]
    cells, first, count = np.unique(cell, return_index=True, return_counts=True)
    found = np.full((len(gateways) * BLOCKS, 2), np.nan)
    found[cells, 0] = lag_s[first]
    found[cells, 1] = lag_s[first + (3 * count) // 4 - (count == 4 * (count // 4))]
    return [
        raw.fact(LAG_FACT, gateway, found[n * BLOCKS : (n + 1) * BLOCKS].T.ravel())
        for n, gateway in enumerate(gateways)
        if np.isfinite(found[n * BLOCKS : (n + 1) * BLOCKS]).any()
    ]


def usual_lag_s(smallest: NDArray[np.float32], interval_s: float) -> float:
    """What a gateway's readings need in its first days, at most an interval and an allowance.

    Args:
        smallest: smallest lag of the blocks [days, 96] s.
        interval_s: of the gateway.
    """
    early = smallest[:EARLY_DAYS]
    usual = float(np.nanmedian(early)) if np.isfinite(early).any() else 0.0
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
    steady = upper - smallest <= STEADY_S + 0.5 * interval_s
    wrong = (np.abs(skew_s) > limit_s) & steady & _like_a_neighbour(smallest)
    found = []
    for day, (mask, skew) in zip(table.days, zip(wrong, skew_s, strict=True), strict=True):
        start_us = to_us(day_bounds(day, history.plant.zone)[0])
        for k in np.flatnonzero(mask).tolist():
            begin = start_us + k * BLOCK_MIN * US_PER_MINUTE
            found.append(
                ConditionSpell(
                    enterprise_id=history.plant.enterprise_id,
                    kind=KIND,
                    subject=gateway_id,
                    from_=from_us(begin),
                    to=from_us(begin + BLOCK_MIN * US_PER_MINUTE),
                    sums={"skew_s": float(skew[k]), "blocks": 1.0},
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
