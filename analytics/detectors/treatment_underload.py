"""`treatment_underload` (治污低负荷运行): a unit runs below its own verified level for its duty.

Method: blocks of 15 minutes in which the unit worked through while production ran, against the
frozen reference of `pairing.levels`: below 0.85 of it and below what the reference itself ever
showed, for half an hour. What a slow decline explains belongs to `treatment_gradual_underrun`.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History
from analytics.detectors.treatment_gradual_underrun import Decline, decline_of
from analytics.episodes.declared import BlockPart, accepted, block_parts, covers_unit
from analytics.episodes.plain import evidence_of
from analytics.pairing.blocks import block_instants_us
from analytics.pairing.levels import Levels, levels_of
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.registry import Pairing
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION

KIND = "treatment_underload"
EPISODE = timedelta(minutes=CATALOGUE[KIND].parameters["episode_min"])


def _low(levels: Levels, decline: Decline | None) -> NDArray[np.bool_]:
    """Blocks that are too low, the decline of the unit allowed for [days × 96]."""
    parameters = CATALOGUE[KIND].parameters
    limit = min(parameters["share"], levels.lawful_low - parameters["clearance"])
    ratio = levels.ratio
    if decline is not None:
        inside = (levels.day_numbers >= decline.first) & (levels.day_numbers <= decline.last)
        trend = np.where(inside, decline.expected(levels.day_numbers), 1.0)
        ratio = ratio / np.maximum(trend, 0.1)[:, np.newaxis]
    low: NDArray[np.bool_] = (ratio < limit).ravel()
    return low


def _stretches(
    levels: Levels, decline: Decline | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(block numbers, positions) of low blocks that belong together.

    Between two of them lie at most `bridge_blocks` blocks without a judgement and none that is
    not low.
    """
    parameters = CATALOGUE[KIND].parameters
    low = _low(levels, decline)
    if not low.any():
        return
    number = (levels.day_numbers[:, np.newaxis] * BLOCKS + np.arange(BLOCKS)).ravel()
    judged = np.flatnonzero(np.isfinite(levels.ratio).ravel())
    number, low = number[judged], low[judged]
    breaks = np.flatnonzero(np.diff(number) > parameters["bridge_blocks"] + 1) + 1
    flips = np.flatnonzero(np.diff(low.astype(np.int8))) + 1
    for part in np.split(np.arange(len(low)), np.union1d(breaks, flips)):
        if low[part[0]] and len(part) * BLOCK_MIN >= parameters["episode_min"]:
            yield number[part], judged[part]


def _episode(
    history: History,
    pairing: Pairing,
    levels: Levels,
    positions: NDArray[np.int64],
    part: BlockPart,
) -> Episode:
    positions = positions[part.blocks]
    ratio = float(np.median(levels.ratio.ravel()[positions]))
    kw = float(np.mean(levels.kw.ravel()[positions]))
    told = min(part.from_ + EPISODE, part.to)
    confidence = 0.75 + 0.2 * min(1.0, (levels.lawful_low - ratio) / 0.15)
    if not levels.period.verified:
        confidence *= 0.95
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=KIND,
        from_=part.from_,
        to=part.to,
        detected_at=told,
        circuits=(levels.circuit_id,),
        pairing_id=pairing.pairing_id,
        confidence=round(confidence, 3),
        evidence=evidence_of(
            {
                "treatment_mean": (kw, "kW"),
                "reference_level": (levels.level_kw, "kW"),
                "level_share": (100.0 * ratio, "%"),
                "lowest_lawful_share": (100.0 * levels.lawful_low, "%"),
                "known_minutes": (float(len(positions) * BLOCK_MIN), "min"),
                "reference": (levels.period.basis, ""),
            }
        ),
        rule_version=RULE_VERSION,
        suppressed_by=part.declaration_id,
    )


def _of_unit(history: History, pairing: Pairing, levels: Levels) -> Iterator[Episode]:
    """Low stretches of one unit, cut at declarations, each part judged on its own."""
    if not levels.may_be_below(CATALOGUE[KIND].parameters["share"]).any():
        return
    valid = accepted(history.plant, lambda d: covers_unit(d, pairing, levels.circuit_id))
    for blocks, positions in _stretches(levels, decline_of(history, levels.circuit_id)):
        begins = block_instants_us(blocks, history.plant.zone)
        for part in block_parts(valid, begins, BLOCK_MIN * US_PER_MINUTE):
            if len(part.blocks) * BLOCK_MIN >= CATALOGUE[KIND].parameters["episode_min"]:
                yield _episode(history, pairing, levels, positions, part)


def episodes(history: History) -> list[Episode]:
    """Low stretches of all units, oldest first per unit."""
    found: list[Episode] = []
    for pairing in history.plant.pairings:
        for circuit_id in pairing.treatment:
            levels = levels_of(history, circuit_id) if circuit_id in history.plant.row else None
            if levels is not None:
                found += _of_unit(history, pairing, levels)
    return found
