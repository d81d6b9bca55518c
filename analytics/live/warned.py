"""Treatment that is off, or short, right now: what the batch has stored, and the minutes since.

All pairings of the city are looked at with one glance at the newest minutes. Where something may be
wrong, the spells of the batch up to some minutes before the data that it saw, and live spells from
there on, go through the functions of the batch. Where live minutes say what the batch, on the same
minutes, did not (a meter that it does not believe), they are not listened to until it has looked
again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.day import pairs_of
from analytics.detectors.stages import History, JudgedDay
from analytics.episodes.joining import cut
from analytics.episodes.treatment import OFF
from analytics.leads.early import STILL_MIN, WARNED, early_warnings
from analytics.live.conduct import DOUBTED_MIN, base_end_us
from analytics.live.minutes import AHEAD_MIN, CityMinutes
from analytics.pairing.condition import Condition
from analytics.pairing.spells import pairing_spells
from analytics.plants import Plant
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.instants import US_PER_MINUTE, from_us, local_day
from wattwitness.domain.registry import DeclarationStatus, Pairing
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.spells import ConditionSpell, SpellBook, SpellTable
from wattwitness.domain.states import Thresholds

GLANCE_MIN: Final = 60
OVERLAP_MIN: Final = 30
"""Before the batch's part ends: so many minutes tell whether both say the same."""
EDGES: Final = (
    "open_before_min", "open_after_min", "unknown_before_min", "unknown_after_min",
    "begins_with_production", "ends_with_production",
)  # fmt: skip
"""What is asked of a spell to join it to its neighbours, and to know what is lawful."""
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the batch said of an enterprise when it looked last."""

    at_us: int  # wall clock
    until_us: int  # how far the data reached
    thresholds: Sequence[Thresholds]  # of its circuits, in row order

    @property
    def end_us(self) -> int:
        """Where its part ends."""
        return base_end_us(self.until_us)


def suspects(city: CityMinutes, grounds: Mapping[int, Ground]) -> dict[int, set[str]]:
    """Number of the plant → its pairings that may deserve a warning.

    Treatment is off or short now, and was for as long as a warning takes within the last hour, but
    not for so long that the batch has told an episode for sure. A duty cycle is left out: once what
    is lawful to it is over it is an episode, and no warning comes before that.

    Args:
        city: the live minutes.
        grounds: number of the plant → what the batch said of it; others are left out.
    """
    found: dict[int, set[str]] = {}
    least, still = CATALOGUE[OFF].parameters["warn_min"], int(STILL_MIN)
    for kind, condition in zip(WARNED, city.conditions(GLANCE_MIN), strict=True):
        holds = condition == Condition.HOLDS
        near = (holds.sum(axis=1) >= least) & holds[:, -still - AHEAD_MIN - 1 :].any(axis=1)
        for row in np.flatnonzero(near).tolist():
            number, pairing = city.fleet.pairs.names[row]
            ground = grounds.get(number)
            if ground is None or pairing.duty_cycled:
                continue
            first = max(0, city.newest + 1 - GLANCE_MIN)
            seen = max(0, city.minute(ground.until_us) - first)
            told = _lasted(condition[row], kind, seen) >= _most_min(pairing, kind)
            since_us = city.start_us + first * US_PER_MINUTE
            if not told or _declared_since(city.fleet.plants[number], since_us):
                found.setdefault(number, set()).add(pairing.pairing_id)
    return found


def _lasted(condition: NDArray[np.int8], kind: str, seen: int) -> int:
    """Minutes of the newest stretch in which a condition holds, of those that the batch has seen.

    Args:
        condition: of one pairing; it holds somewhere [minutes].
        kind: of the condition.
        seen: so many of the minutes.
    """
    at = np.flatnonzero(condition == Condition.HOLDS)
    lawful = np.cumsum(condition == Condition.LAWFUL)[at]
    apart = np.diff(at) - 1 > CATALOGUE[kind].parameters["bridge_unknown_min"]
    breaks = np.flatnonzero(apart | (np.diff(lawful) > 0))
    begin = int(breaks[-1]) + 1 if len(breaks) else 0
    return int(np.count_nonzero(at[begin:] < seen))


def _most_min(pairing: Pairing, kind: str) -> float:
    """So many minutes are an episode, whatever is lawful."""
    lags_min = pairing.start_lag_min + pairing.stop_lag_min
    return max(CATALOGUE[kind].parameters["episode_min"], lags_min)


def _declared_since(plant: Plant, since_us: int) -> bool:
    """Whether a declaration may have parted a stretch of the newest minutes."""
    since = from_us(since_us)
    return any(d.status is DeclarationStatus.ACCEPTED and d.to > since for d in plant.declarations)


def warnings_now(
    city: CityMinutes,
    number: int,
    ground: Ground,
    spells: SpellBook,
    pairings: Collection[str],
    said: Sequence[EarlyWarning],
) -> list[EarlyWarning]:
    """Warnings of a plant at the newest minute, in the order in which they are kept.

    Args:
        city: the live minutes, with the thresholds of the ground.
        number: of the plant in the fleet.
        ground: what the batch said of it.
        spells: that it stored, of the newest days at least.
        pairings: those that are looked at, and those of what was said.
        said: its warnings as they are kept; those of which nothing is known now stand.
    """
    whole = city.fleet.plants[number]
    looked = {*pairings, *(w.pairing_id for w in said)}
    plant = replace(whole, pairings=tuple(p for p in whole.pairings if p.pairing_id in looked))
    judged = _judged(city, plant, city.fleet.span(number), ground)
    live = SpellBook.of(
        spell
        for kind, condition in zip(WARNED, (judged.pairs.off, judged.pairs.short), strict=True)
        for spell in pairing_spells(judged, kind, condition, evidence=False)
    )
    history = History(
        plant=plant,
        watermark_us=city.watermark_us,
        first_us={},
        spells=_joined(spells, live, ground.end_us, looked),
        facts=(),
        thresholds={},
    )
    told_us = ground.until_us + int(plant.interval_us.max(initial=US_PER_MINUTE))
    doubted = _doubted(judged, spells)
    since = from_us(city.watermark_us) - STILL_MIN * _MINUTE
    found = [
        *(w for w in early_warnings(history, told_us) if (w.kind, w.pairing_id) not in doubted),
        *(w for w in said if (w.kind, w.pairing_id) in doubted and w.to >= since),
    ]
    return sorted(found, key=lambda w: (w.from_, w.kind, w.pairing_id))


def _judged(city: CityMinutes, plant: Plant, rows: slice, ground: Ground) -> JudgedDay:
    """The minutes since the batch's part ends, those of the overlap before them as warm-up."""
    base = max(0, city.minute(ground.end_us))
    begin = max(0, base - OVERLAP_MIN)
    end = min(city.newest + AHEAD_MIN, city.power.shape[1])
    power, states = city.power[rows, begin:end], city.states[rows, begin:end]
    start_us = city.start_us + begin * US_PER_MINUTE
    return JudgedDay(
        plant=plant,
        day=local_day(from_us(start_us), plant.zone),
        start_us=start_us,
        skip=base - begin,
        power=power,
        states=states,
        thresholds=ground.thresholds,
        pairs=pairs_of(plant, states, power, ground.thresholds),
    )


def _joined(batch: SpellBook, live: SpellBook, end_us: int, subjects: Collection[str]) -> SpellBook:
    """Spells of the batch's part, which ends at an instant, and the live ones after them."""
    found = {}
    for key in ((kind, subject) for kind in WARNED for subject in subjects):
        table, new = batch.tables.get(key), live.tables.get(key)
        n = 0 if table is None else int(np.searchsorted(table.from_us, end_us))
        if table is None or n == 0:
            found.update({} if new is None else {key: new})
            continue
        part = SpellTable.of(
            [
                _until(table.spell(n - 1), from_us(end_us)),
                *(() if new is None else new.spells),
            ]
        )
        older = np.stack([table.sum(name, np.nan)[: n - 1] for name in part.names], axis=1)
        found[key] = SpellTable(
            table.enterprise_id,
            *key,
            np.concatenate((table.from_us[: n - 1], part.from_us)),
            np.concatenate((table.to_us[: n - 1], part.to_us)),
            part.names,
            np.concatenate((older, part.sums)),
        )
    return SpellBook(found)


def _until(spell: ConditionSpell, end: datetime) -> ConditionSpell:
    """How a spell that begins before an instant, and the minutes after it, stood then."""
    part = cut(spell, spell.from_, end) if spell.to > end else spell
    assert part is not None  # noqa: S101 - it begins before the end
    room = dict.fromkeys(("open_after_min", "unknown_after_min"), (end - part.to) / _MINUTE)
    return replace(part, sums={n: min(part.sums[n], room.get(n, np.inf)) for n in EDGES})


def _doubted(judged: JudgedDay, spells: SpellBook) -> Collection[tuple[str, str]]:
    """(kind, pairing) of which the live minutes of the overlap say what the batch does not."""
    at_us = judged.start_us + np.arange(judged.skip) * US_PER_MINUTE
    found = set()
    for kind, conditions in zip(WARNED, (judged.pairs.off, judged.pairs.short), strict=True):
        for pair, condition in zip(judged.pairs.pairs, conditions, strict=True):
            pairing_id = pair.pairing.pairing_id
            alone = condition[: judged.skip] == Condition.HOLDS
            table = spells.tables.get((kind, pairing_id))
            if table is not None:
                begun = np.searchsorted(table.from_us, at_us, side="right")
                ends = np.concatenate(([0], table.to_us))
                alone &= at_us >= ends[begun]
            if alone.sum() >= DOUBTED_MIN:
                found.add((kind, pairing_id))
    return found
