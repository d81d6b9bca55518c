"""Condition spells of pairings: maximal intervals of a day in which a condition is known to hold.

A spell says how long the open minutes (not known, or production pausing while treatment stays off)
around it are, so that spells can be joined later, across midnights as well, without looking at the
minutes again.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.stages import JudgedDay
from analytics.grid import Power
from analytics.pairing.condition import Condition, PairMinutes
from analytics.states.dwell import runs
from wattwitness.domain.instants import US_PER_MINUTE, from_us
from wattwitness.domain.registry import Pairing, Role
from wattwitness.domain.spells import ConditionSpell


@dataclass(frozen=True, slots=True)
class _Minutes:
    """What the evidence of a pairing is summed from, minute by minute [minutes + 1]."""

    production_kw: NDArray[np.float64]  # known power of its circuits together
    treatment_kw: NDArray[np.float64]
    main_kw: NDArray[np.float64]  # where all mains are known, else 0
    production_main_kw: NDArray[np.float64]  # of the production where all mains are known, else 0
    main_known: NDArray[np.float64]


def _known_kw(power: Power, rows: list[int]) -> NDArray[np.float64]:
    """Power of some circuits together; unknown minutes count nothing, nor does one at the end."""
    total = np.zeros(power.shape[1] + 1)
    own = power[rows]
    np.sum(own, axis=0, dtype=np.float64, where=~np.isnan(own), out=total[:-1])
    return total


def _minutes(judged: JudgedDay, pairing: Pairing) -> _Minutes:
    plant, power = judged.plant, judged.power
    production = _known_kw(power, plant.rows(pairing.production))
    main = plant.rows_of(Role.MAIN)
    known = np.zeros(len(production))
    if main:
        known[:-1] = np.isfinite(power[main]).all(axis=0)
    return _Minutes(
        production,
        _known_kw(power, plant.rows(pairing.treatment)),
        _known_kw(power, main) * known,
        production * known,
        known,
    )


@dataclass(frozen=True, slots=True)
class _Spans:
    """Spells of a day as minutes of the grid [n]."""

    starts: NDArray[np.intp]
    ends: NDArray[np.intp]

    def sums(self, minutes: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sums over the minutes of each spell [n].

        Args:
            minutes: with one more at the end [minutes + 1].
        """
        edges = np.stack((self.starts, self.ends), axis=1).ravel()
        return np.asarray(np.add.reduceat(minutes, edges)[::2], dtype=np.float64)


def _opening(
    minutes: PairMinutes, condition: NDArray[np.int8], spans: _Spans, day_from: int
) -> dict[str, NDArray[np.float64]]:
    """The open minutes of the day on both sides of each spell, and how production stood there."""
    n, starts, ends = len(condition), spans.starts, spans.ends
    told = condition != Condition.OPEN
    at = np.arange(n)
    last = np.maximum.accumulate(np.where(told, at, -1))
    following = np.minimum.accumulate(np.where(told, at, n)[::-1])[::-1]
    open_from = np.maximum(np.append(last, -1)[starts - 1], day_from - 1) + 1
    open_to = np.append(following, n)[ends]
    unknown = np.concatenate(([0], np.cumsum(minutes.unknown)))
    ran = np.append(minutes.running, False)  # neither before the grid nor after it
    return {
        "open_before_min": (starts - open_from).astype(np.float64),
        "open_after_min": (open_to - ends).astype(np.float64),
        "unknown_before_min": (unknown[starts] - unknown[open_from]).astype(np.float64),
        "unknown_after_min": (unknown[open_to] - unknown[ends]).astype(np.float64),
        "begins_with_production": (~ran[starts - 1]).astype(np.float64),
        "ends_with_production": (~ran[ends]).astype(np.float64),
    }


def _evidence(judged: JudgedDay, pairing: Pairing, spans: _Spans) -> dict[str, NDArray[np.float64]]:
    """Additive evidence of each spell; a level times the minutes is an energy."""
    hours = (spans.ends - spans.starts) / 60.0
    plant = judged.plant
    production = [judged.thresholds[row] for row in plant.rows(pairing.production)]
    treatment = [judged.thresholds[row] for row in plant.rows(pairing.treatment)]
    nameplate = any(t.basis == "nameplate" for t in production + treatment)
    minutes = _minutes(judged, pairing)
    return {
        "known_min": hours * 60.0,
        "production_kwh": spans.sums(minutes.production_kw) / 60.0,
        "treatment_kwh": spans.sums(minutes.treatment_kw) / 60.0,
        "treatment_level_kwh": sum(t.running_level_kw for t in treatment) * hours,
        "production_level_kwh": sum(t.running_level_kw for t in production) * hours,
        "production_threshold_kwh": min(t.running_kw for t in production) * hours,
        "treatment_threshold_kwh": sum(t.running_kw for t in treatment) * hours,
        "nameplate_min": hours * 60.0 * nameplate,
        "main_min": spans.sums(minutes.main_known),
        "main_kwh": spans.sums(minutes.main_kw) / 60.0,
        "production_main_kwh": spans.sums(minutes.production_main_kw) / 60.0,
    }


def pairing_spells(
    judged: JudgedDay,
    kind: str,
    pairing: Pairing,
    condition: NDArray[np.int8],
    *,
    evidence: bool = True,
) -> list[ConditionSpell]:
    """Spells of the local day in which a condition of a pairing holds, with additive evidence.

    Args:
        judged: the day.
        kind: the code under which they are kept.
        pairing: with circuits on both sides.
        condition: `Condition` per minute of the grid.
        evidence: whether more is asked than how a spell is joined to its neighbours.
    """
    holds: NDArray[np.bool_] = condition == Condition.HOLDS
    holds[: judged.skip] = False
    found = runs(holds)
    if not found:
        return []
    starts, ends = np.array(found, dtype=np.intp).T
    spans = _Spans(starts, ends)
    minutes = judged.pairs[pairing.pairing_id]
    sums = _opening(minutes, condition, spans, judged.skip)
    if evidence:
        sums |= _evidence(judged, pairing, spans)
    rows = np.stack(list(sums.values()), axis=1)
    finite = [math.isfinite(total) for total in rows.sum(axis=1).tolist()]
    return [
        ConditionSpell(
            enterprise_id=judged.plant.enterprise_id,
            kind=kind,
            subject=pairing.pairing_id,
            from_=from_us(judged.start_us + start * US_PER_MINUTE),
            to=from_us(judged.start_us + end * US_PER_MINUTE),
            # rounded to the µWh, and without what is not known
            sums={
                name: round(value, 6)
                for name, value in zip(sums, row, strict=True)
                if all_known or math.isfinite(value)
            },
        )
        for (start, end), row, all_known in zip(found, rows.tolist(), finite, strict=True)
    ]
