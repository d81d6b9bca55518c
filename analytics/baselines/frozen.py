"""The baseline of an alert: what the plant did on days like these, frozen when it was issued.

Kept are running minutes and energy of the candidate days, accumulated over the blocks of the day,
so that any window of the clock is answered by two look-ups. Made once per alert and enterprise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.baselines.calendar import candidate_days, weekday_kinds
from analytics.detectors.plant_energy import energy_rows
from analytics.detectors.stages import History
from analytics.verdicts.conduct import DAY_MIN, Conduct, conduct_of
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS
from wattwitness.domain.instants import US_PER_DAY, day_bounds, to_us
from wattwitness.domain.registry import Alert

LEAST_COVERAGE = 0.9  # of a day that stands in a baseline
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FrozenBaseline:
    """What each circuit did on the candidate days; rows are the plant's circuits, in its order."""

    ordinals: NDArray[np.int64]  # local days, oldest first [days]
    kinds: tuple[int, ...]  # kind of day of each weekday, Monday first [7]
    running_min: NDArray[np.float32]  # accumulated over the day [days, circuits, 97]
    energy_kwh: NDArray[np.float32]  # likewise
    runs_known: NDArray[np.bool_]  # enough of the day is known [days, circuits]
    energy_known: NDArray[np.bool_]  # likewise
    peak_kw: Floats  # most of a block, of all these days [circuits]; 0 = never seen
    floor_kw: Floats  # what is left when nothing runs [circuits]
    # views of some circuits, kept from call to call
    views: dict[object, object] = field(default_factory=dict, repr=False)

    def kind(self, ordinal: int) -> int:
        """Kind of a local day."""
        return self.kinds[(ordinal + 6) % len(self.kinds)]


def _by_block(values: NDArray[np.floating], known: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Sum and known minutes per block of minutes of a day [circuits, 1440] → [circuits, 96]."""
    shape = (len(values), BLOCKS, BLOCK_MIN)
    total = np.where(known, values, 0.0).reshape(shape).sum(axis=2, dtype=np.float64)
    return total, known.reshape(shape).sum(axis=2, dtype=np.float64)


def _completed(total: Floats, known: Floats) -> Floats:
    """Blocks as if all their minutes were known: their own mean, else that of the other days.

    Args:
        total: sums over the known minutes [days, circuits, 96].
        known: known minutes, likewise.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = total / known
        others = np.nansum(rate, axis=0) / np.maximum(np.isfinite(rate).sum(axis=0), 1)
    return BLOCK_MIN * np.where(np.isfinite(rate), rate, others)


def _accumulated(blocks: Floats) -> NDArray[np.float32]:
    zero = np.zeros((*blocks.shape[:2], 1))
    return np.concatenate((zero, np.cumsum(blocks, axis=2)), axis=2).astype(np.float32)


def _of_days(conduct: Conduct, begins_us: Sequence[int]) -> Mapping[str, Floats]:
    """Sums and known minutes of days, [days, circuits, 96] each."""
    parts: dict[str, list[Floats]] = {"run": [], "run_known": [], "kwh": [], "kwh_known": []}
    for begin_us in begins_us:
        own = slice(conduct.place(begin_us), conduct.place(begin_us) + DAY_MIN)
        running = conduct.running[:, own].astype(np.float32)
        run, run_known = _by_block(running, conduct.known[:, own])
        energy = conduct.energy_kwh[:, own]
        kwh, kwh_known = _by_block(energy, np.isfinite(energy))
        for name, values in zip(parts, (run, run_known, kwh, kwh_known), strict=True):
            parts[name].append(values)
    return {name: np.stack(values) for name, values in parts.items()}


def _level(history: History, day_kwh: Floats, known: NDArray[np.bool_]) -> Floats:
    """How much each day produced, for telling kinds of days apart [days]."""
    rows = energy_rows(history.plant)
    if not rows:
        return np.full(len(day_kwh), np.nan)
    return np.where(known[:, rows].all(axis=1), day_kwh[:, rows].sum(axis=1), np.nan)


def freeze(history: History, alert: Alert) -> FrozenBaseline:
    """The baseline of an alert; nothing after its issue is in it.

    Args:
        history: of the enterprise.
        alert: that concerns it.
    """
    zone, circuits = history.plant.zone, len(history.plant.circuits)
    days = candidate_days(history, alert)
    if not days or not circuits:
        return _empty(circuits)
    bounds = [to_us(day_bounds(day, zone)[0]) for day in days]
    sums = _of_days(conduct_of(history, bounds[0], bounds[-1] + US_PER_DAY), bounds)
    runs = _completed(sums["run"], sums["run_known"])
    kwh = _completed(sums["kwh"], sums["kwh_known"])
    energy_known = sums["kwh_known"].sum(axis=2) >= LEAST_COVERAGE * DAY_MIN
    ordinals = np.array([d.toordinal() for d in days], dtype=np.int64)
    level = _level(history, kwh.sum(axis=2), energy_known)
    block_kw = kwh * (60.0 / BLOCK_MIN)
    flat = np.where(sums["kwh_known"] > 0, block_kw, np.nan).transpose(1, 0, 2)
    flat = flat.reshape(circuits, -1)
    return FrozenBaseline(
        ordinals=ordinals,
        kinds=weekday_kinds(ordinals.tolist(), level),
        running_min=_accumulated(runs),
        energy_kwh=_accumulated(kwh),
        runs_known=sums["run_known"].sum(axis=2) >= LEAST_COVERAGE * DAY_MIN,
        energy_known=energy_known,
        peak_kw=np.nan_to_num(_row_quantile(flat, 0.995)),
        floor_kw=np.nan_to_num(_row_quantile(flat, 0.05)),
    )


def _row_quantile(values: Floats, q: float) -> Floats:
    """A quantile of what is known in each row; NaN where nothing is [rows]."""
    return np.array(
        [
            np.quantile(own[np.isfinite(own)], q) if np.isfinite(own).any() else np.nan
            for own in values
        ]
    )


def _empty(circuits: int) -> FrozenBaseline:
    nothing = np.empty((0, circuits, BLOCKS + 1), dtype=np.float32)
    unknown = np.empty((0, circuits), dtype=np.bool_)
    return FrozenBaseline(
        ordinals=np.empty(0, dtype=np.int64),
        kinds=(0,) * 7,
        running_min=nothing,
        energy_kwh=nothing,
        runs_known=unknown,
        energy_known=unknown,
        peak_kw=np.zeros(circuits),
        floor_kw=np.zeros(circuits),
    )
