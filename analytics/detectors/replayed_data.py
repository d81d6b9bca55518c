"""`replayed_data` (数据重放): readings that repeat an earlier time, sample by sample.

Method: each block of 15 minutes in which enough moves gets a digest of its values (the register
left out: it has to go on) and their minutes; a stretch in which blocks of one earlier distance come
again is a replay. A digest has 24 bits and a replay needs eight of them in a row, most of them
different from each other, so neither chance nor a timer explains one. Constant or coarse meters
have no blocks with enough variety: not testable.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import FactTable, History, RawDay
from analytics.episodes.plain import join_plain, plain_episode
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact
from wattwitness.domain.instants import US_PER_MINUTE, day_bounds, from_us, to_us
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.spells import ConditionSpell

KIND = "replayed_data"
DIGEST_FACT = (
    "block_digest"  # per circuit: 24-bit digest of each block [96], NaN = too little moves
)
LEAST_CHANGES = 6.0  # of all channels within a block; fewer where it holds fewer readings
LEAST_DISTINCT = 0.5  # of the blocks that come again: a timer repeats the same few
CONFIDENCE = 0.97
_CHANNELS = ("p_kw", "q_kvar", "u_a", "u_b", "u_c", "i_a", "i_b", "i_c", "pf")
_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def _mixed(values: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: neighbouring values become unrelated."""
    z = values + np.uint64((_ODD[0] * (salt + 1)) & 0xFFFFFFFFFFFFFFFF)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_ODD[1])
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_ODD[2])
    return z ^ (z >> np.uint64(31))


def raw_facts(raw: RawDay) -> list[DayFact]:
    """Digests of the day's blocks, per circuit in which anything moves."""
    chosen = np.flatnonzero(raw.today)
    if not len(chosen):
        return []
    rows, row = raw.rows[chosen], raw.circuit_row[chosen]
    minute = (rows["ts"] - raw.bounds[0]) // US_PER_MINUTE
    block = np.minimum(minute // BLOCK_MIN, BLOCKS - 1)
    follows = np.zeros(len(rows), dtype=np.bool_)
    follows[1:] = (row[1:] == row[:-1]) & (block[1:] == block[:-1])
    total = _mixed((minute % BLOCK_MIN).astype(np.uint64), 99)
    changes = np.zeros(len(rows))
    for salt, name in enumerate(_CHANNELS):
        value = rows[name]
        known = np.isfinite(value)
        if not known.any():
            continue
        counts = np.rint(np.where(known, value, 0.0) * 10_000).astype(np.int64)
        total ^= _mixed(counts.view(np.uint64) + known.astype(np.uint64), salt)
        moved = np.zeros(len(rows), dtype=np.bool_)
        moved[1:] = (row[1:] == row[:-1]) & (counts[1:] != counts[:-1])
        changes += moved
    starts = np.flatnonzero(~follows)
    digest = np.bitwise_xor.reduceat(_mixed(total, 7), starts) & np.uint64(0xFFFFFF)
    fit = BLOCK_MIN * US_PER_MINUTE // raw.plant.interval_us[row[starts]]
    enough = np.add.reduceat(changes, starts) >= np.clip(fit, 1, LEAST_CHANGES)
    found = np.full((len(raw.plant.circuits), BLOCKS), np.nan)
    found[row[starts[enough]], block[starts[enough]]] = digest[enough].astype(np.float64)
    return [
        raw.fact(DIGEST_FACT, raw.plant.circuits[n].circuit_id, values)
        for n, values in enumerate(found)
        if np.isfinite(values).any()
    ]


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The varying blocks of one circuit, by time."""

    number: NDArray[np.int64]  # day ordinal × 96 + block
    digest: NDArray[np.int64]

    @classmethod
    def of(cls, table: FactTable) -> "_Blocks":
        ordinal = np.array([day.toordinal() for day in table.days], dtype=np.int64)
        number = (ordinal[:, np.newaxis] * BLOCKS + np.arange(BLOCKS)).ravel()
        values = table.values.ravel()
        known = np.isfinite(values)
        return cls(number[known], values[known].astype(np.int64))

    def repeats(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Distance [blocks] → the later blocks that repeat one so much earlier."""
        order = np.lexsort((self.number, self.digest))
        number, digest = self.number[order], self.digest[order]
        again = np.flatnonzero(digest[1:] == digest[:-1]) + 1
        distance = number[again] - number[again - 1]
        for apart in np.unique(distance).tolist():
            yield apart, np.sort(number[again[distance == apart]])


def _stretches(blocks: _Blocks, later: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(first, last block, blocks that repeat) of dense stretches."""
    parameters = CATALOGUE[KIND].parameters
    least, share = int(parameters["least_blocks"]), parameters["least_share"]
    bridge = int(parameters["bridge_blocks"])
    cuts = np.flatnonzero(np.diff(later) > bridge) + 1
    for part in np.split(later, cuts):
        first, last = int(part[0]), int(part[-1])
        varying = ((blocks.number >= first) & (blocks.number <= last)).sum()
        own = blocks.digest[np.isin(blocks.number, part)]
        distinct = len(np.unique(own)) >= LEAST_DISTINCT * len(own)
        if len(part) >= least and len(part) >= share * varying and distinct:
            yield first, last, len(part)


def _spells(history: History, circuit_id: str) -> list[ConditionSpell]:
    blocks = _Blocks.of(history.facts_of(DIGEST_FACT, circuit_id))
    table = history.facts_of(DIGEST_FACT, circuit_id)
    starts = {d.toordinal(): to_us(day_bounds(d, history.plant.zone)[0]) for d in table.days}

    def instant(number: int) -> int:
        ordinal, block = divmod(number, BLOCKS)
        return starts[ordinal] + block * BLOCK_MIN * US_PER_MINUTE

    found = []
    for apart, later in blocks.repeats():
        for first, last, n in _stretches(blocks, later):
            found.append(
                ConditionSpell(
                    enterprise_id=history.plant.enterprise_id,
                    kind=KIND,
                    subject=circuit_id,
                    from_=from_us(instant(first)),
                    to=from_us(instant(last) + BLOCK_MIN * US_PER_MINUTE),
                    sums={"blocks": float(n), "apart_hours": apart * BLOCK_MIN / 60.0},
                )
            )
    return found


def episodes(history: History) -> list[Episode]:
    """One per replayed stretch; circuits that repeat at the same time are one episode."""
    parameters = CATALOGUE[KIND].parameters
    spells = [s for c in history.plant.circuits for s in _spells(history, c.circuit_id)]
    found = []
    for joined in join_plain(spells, parameters["bridge_blocks"] * BLOCK_MIN):
        circuits = tuple(sorted({spell.subject for spell in joined.spells}))
        numbers: dict[str, tuple[float | str, str]] = {
            "blocks": (joined.total("blocks"), ""),
            "hours_before": (joined.spells[0].sums["apart_hours"], "h"),
            "circuits": (float(len(circuits)), ""),
        }
        after = parameters["least_blocks"] * BLOCK_MIN
        found.append(plain_episode(history, KIND, joined, circuits, after, numbers, CONFIDENCE))
    return found
