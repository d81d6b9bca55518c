"""`replayed_data` (数据重放): readings that repeat an earlier time, sample by sample.

Method: each block of 15 minutes in which enough moves gets a digest of its values (the register
left out: it has to go on) and their minutes; a stretch in which blocks of one earlier distance come
again is a replay. A digest has 24 bits and a replay needs eight of them in a row, most of them
different from each other, so neither chance nor a timer explains one. Constant or coarse meters
have no blocks with enough variety: not testable.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import History, RawDay
from analytics.episodes.plain import join_plain, plain_episode
from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS, DayFact, FactTable
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


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: neighbouring values become unrelated."""
    z = values + np.uint64(_ODD[0])
    z ^= z >> np.uint64(30)
    z *= np.uint64(_ODD[1])
    z ^= z >> np.uint64(27)
    z *= np.uint64(_ODD[2])
    z ^= z >> np.uint64(31)
    return z


_FACTORS: Sequence[int] = (  # odd, without pattern: two for each channel, one for the minute
    _mixed(np.arange(2 * len(_CHANNELS) + 1, dtype=np.uint64)) | np.uint64(1)
).tolist()
_WHOLE = 1.5 * 2.0**52
_WHOLE_BITS = int(np.float64(_WHOLE).view(np.uint64))


def _steps(value: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Values in whole steps of 0.0001, plus _WHOLE_BITS, modulo 2^64 [n].

    From 2^52 on the neighbours of a float64 are 1 apart: a number added to _WHOLE is rounded to a
    whole one, which then stands in the low bits: one addition instead of rint and a cast.
    """
    steps = value * 10_000
    steps += _WHOLE
    return steps.view(np.uint64)


def _sums(raw: RawDay) -> tuple[NDArray[np.uint64], NDArray[np.int16]]:
    """One number per reading out of all its channels and its minute; channels that moved [n].

    The sum over the channels of factor × steps + another factor; nothing where not measured.
    """
    total = (raw.minute - BLOCK_MIN * raw.block).view(np.uint64)
    total *= np.uint64(_FACTORS[-1])
    changes = np.zeros(len(raw.rows), dtype=np.int16)
    constant = 0
    for k, name in enumerate(_CHANNELS):
        of_steps, if_known = _FACTORS[2 * k], _FACTORS[2 * k + 1]
        value, known = raw.rows[name], _known(raw, name)
        if known is None:
            continue
        if known is True:
            constant += if_known
        else:
            value = np.where(known, value, 0.0)
            total += known * np.uint64(if_known)
        steps = _steps(value)
        changes[1:] += (steps[1:] != steps[:-1]).view(np.int8)
        steps *= np.uint64(of_steps)
        total += steps
        constant -= of_steps * _WHOLE_BITS
    total += np.uint64(constant % 2**64)
    changes[[part.start for part in raw.parts if part.start < part.stop]] = 0
    return total, changes


def raw_facts(raw: RawDay) -> list[DayFact]:
    """Digests of the day's blocks, per circuit in which anything moves."""
    if not raw.readings.any():
        return []
    starts = raw.block_starts
    total, changes = _sums(raw)
    digest = np.bitwise_xor.reduceat(_mixed(total), starts) & np.uint64(0xFFFFFF)
    row, block = raw.circuit_row[starts], raw.block[starts]
    fit = BLOCK_MIN * US_PER_MINUTE // raw.plant.interval_us[row]
    enough = np.add.reduceat(changes, starts) >= np.clip(fit, 1, LEAST_CHANGES)
    enough &= block >= 0
    found = np.full((len(raw.parts), BLOCKS), np.nan)
    found[row[enough], block[enough]] = digest[enough]
    return raw.facts(DIGEST_FACT, found, np.unique(row[enough]).tolist())


def _known(raw: RawDay, name: str) -> NDArray[np.bool_] | bool | None:
    """Which readings carry a channel [n]; True = all, None = none of the day."""
    if name in raw.rows.whole:
        return True
    if not raw.rows.knows(name).any():
        return None
    known = np.isfinite(raw.rows[name])
    return known if (known & raw.today).any() else None


@dataclass(frozen=True, slots=True)
class _Blocks:
    """The varying blocks of one circuit, by time."""

    number: NDArray[np.int64]  # day ordinal × 96 + block
    digest: NDArray[np.int64]

    @classmethod
    def of(cls, table: FactTable) -> "_Blocks":
        values = table.values.ravel()
        known = np.isfinite(values)
        return cls(table.blocks[known], values[known].astype(np.int64))

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


def _repeated(table: FactTable) -> int:
    """How many blocks repeat an earlier one, however far apart."""
    ordered = np.sort(table.values, axis=None)  # NaN, which equals nothing, last
    return int(np.count_nonzero(ordered[1:] == ordered[:-1]))


def _spells(history: History, circuit_id: str) -> list[ConditionSpell]:
    table = history.facts_of(DIGEST_FACT, circuit_id)
    if _repeated(table) < CATALOGUE[KIND].parameters["least_blocks"]:
        return []
    blocks = _Blocks.of(table)
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
