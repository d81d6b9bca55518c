"""Condition spells of pairings: maximal intervals of a day in which a condition is known to hold.

A spell says how long the open minutes (not known, or production pausing while treatment stays off)
around it are, so that spells can be joined later, across midnights as well, without looking at the
minutes again.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.decimals import rounded
from analytics.detectors.stages import JudgedDay
from analytics.pairing.condition import Condition
from analytics.plants import Paired
from analytics.states.runs import Runs, runs_of
from wattwitness.domain.registry import Role
from wattwitness.domain.spells import ConditionSpell

_Sums = dict[str, NDArray[np.float64]]
"""What is told of each spell [n]."""


class _Line:
    """Minutes of all pairings one after the other, with one more before, between and after them.

    Args:
        judged: the day.
        spells: runs of its pairings [n].
    """

    def __init__(self, judged: JudgedDay, spells: Runs) -> None:
        self._shape = len(judged.pairs.pairs), judged.power.shape[1] + 1
        self._before = spells.row * self._shape[1] + 1

    def laid(self, mask: NDArray[np.bool_], *, between: bool) -> NDArray[np.bool_]:
        """A mask [pairings, minutes] laid out so."""
        flat = np.full(self._shape[0] * self._shape[1] + 1, between)
        flat[1:].reshape(self._shape)[:, :-1] = mask
        return flat

    def place(self, minute: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where a minute of the pairing of each spell stands [n]."""
        return np.asarray(self._before + minute, dtype=np.intp)

    def minute(self, place: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which minute stands there [n]."""
        return np.asarray(place - self._before, dtype=np.intp)


def _opening(judged: JudgedDay, condition: NDArray[np.int8], spells: Runs) -> _Sums:
    """The open minutes of the day on both sides of each spell, and how production stood there."""
    pairs, line = judged.pairs, _Line(judged, spells)
    start, end = line.place(spells.start), line.place(spells.end)
    told = np.flatnonzero(line.laid(condition != Condition.OPEN, between=True))
    last = line.minute(told[told.searchsorted(start) - 1])
    open_from = line.place(np.maximum(last, judged.skip - 1) + 1)
    open_to = told[told.searchsorted(end)]
    unknown = np.flatnonzero(line.laid(pairs.unknown, between=False))
    ran = line.laid(pairs.running, between=False)  # neither before the grid nor after it
    found = {
        "open_before_min": start - open_from,
        "open_after_min": open_to - end,
        "unknown_before_min": unknown.searchsorted(start) - unknown.searchsorted(open_from),
        "unknown_after_min": unknown.searchsorted(open_to) - unknown.searchsorted(end),
        "begins_with_production": ~ran[start - 1],
        "ends_with_production": ~ran[end],
    }
    return {name: values.astype(np.float64) for name, values in found.items()}


def _minutes(judged: JudgedDay, pairs: Sequence[Paired]) -> NDArray[np.float64]:
    """What evidence is summed from, minute by minute [5, pairings, minutes + 1].

    Power of the production, of the treatment, of the main meters where all are known (else 0), of
    the production there [kW]; and whether they are. Unknown minutes count nothing, nor does the one
    at the end.
    """
    kw = judged.known_kw
    found = np.zeros((5, len(pairs), kw.shape[1] + 1))
    production, treatment, of_mains, beside, known = found[:, :, :-1]
    for k, pair in enumerate(pairs):
        np.add.reduce(kw.take(pair.production, axis=0), axis=0, initial=0.0, out=production[k])
        np.add.reduce(kw.take(pair.treatment, axis=0), axis=0, initial=0.0, out=treatment[k])
    mains = judged.plant.rows_of(Role.MAIN)
    if mains:
        known[:] = judged.known_all(mains)
        np.multiply(np.add.reduce(kw.take(mains, axis=0), axis=0, initial=0.0), known, out=of_mains)
        np.multiply(production, known, out=beside)
    return found


def _levels(judged: JudgedDay, pair: Paired) -> tuple[float, float, float, float, float]:
    """Levels of treatment and production, their thresholds [kW], and whether one is nameplate."""
    production = [judged.thresholds[row] for row in pair.production]
    treatment = [judged.thresholds[row] for row in pair.treatment]
    return (
        sum(t.running_level_kw for t in treatment),
        sum(t.running_level_kw for t in production),
        min(t.running_kw for t in production),
        sum(t.running_kw for t in treatment),
        float(any(t.basis == "nameplate" for t in production + treatment)),
    )


def _evidence(judged: JudgedDay, spells: Runs) -> _Sums:
    """Additive evidence of each spell; a level times the minutes is an energy."""
    rows, own = np.unique(spells.row, return_inverse=True)
    pairs = [judged.pairs.pairs[row] for row in rows.tolist()]
    minutes = _minutes(judged, pairs)
    first = own * minutes.shape[2]
    edges = np.stack((first + spells.start, first + spells.end), axis=1).ravel()
    kwh = np.add.reduceat(minutes.reshape(len(minutes), -1), edges, axis=1)[:, ::2]
    main_min = kwh[-1].copy()
    kwh /= 60.0
    hours = (spells.end - spells.start) / 60.0
    level = np.array([_levels(judged, pair) for pair in pairs])[own].T
    return {
        "known_min": hours * 60.0,
        "production_kwh": kwh[0],
        "treatment_kwh": kwh[1],
        "treatment_level_kwh": level[0] * hours,
        "production_level_kwh": level[1] * hours,
        "production_threshold_kwh": level[2] * hours,
        "treatment_threshold_kwh": level[3] * hours,
        "nameplate_min": hours * 60.0 * level[4],
        "main_min": main_min,
        "main_kwh": kwh[2],
        "production_main_kwh": kwh[3],
    }


def pairing_spells(
    judged: JudgedDay, kind: str, condition: NDArray[np.int8], *, evidence: bool = True
) -> list[ConditionSpell]:
    """Spells of the local day in which a condition of its pairings holds, with additive evidence.

    Args:
        judged: the day.
        kind: the code under which they are kept.
        condition: `Condition` per minute of the grid [pairings, minutes].
        evidence: whether more is asked than how a spell is joined to its neighbours.
    """
    holds: NDArray[np.bool_] = condition == Condition.HOLDS
    holds[:, : judged.skip] = False
    spells = runs_of(holds)
    if not len(spells):
        return []
    sums = _opening(judged, condition, spells)
    if evidence:
        sums |= _evidence(judged, spells)
    names, table = tuple(sums), rounded(np.stack(list(sums.values()), axis=1))  # to the mWh
    spans = (spells.row.tolist(), spells.start.tolist(), spells.end.tolist())
    return [
        ConditionSpell(
            enterprise_id=judged.plant.enterprise_id,
            kind=kind,
            subject=judged.pairs.pairs[row].pairing.pairing_id,
            from_=judged.instant(start),
            to=judged.instant(end),
            sums=_known(names, values),
        )
        for row, start, end, values in zip(*spans, table.tolist(), strict=True)
    ]


def _known(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """Evidence by name, without what is not known."""
    found = dict(zip(names, values, strict=True))
    if math.isfinite(sum(values)):
        return found
    return {name: value for name, value in found.items() if math.isfinite(value)}
