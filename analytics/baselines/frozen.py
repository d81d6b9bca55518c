"""The baseline of an alert: what the plant did on days like these, frozen when it was issued.

Kept are running minutes and energy of the candidate days, accumulated over the blocks of the day,
so that any window of the clock is answered by two look-ups. Made once per alert and enterprise.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analytics.baselines.calendar import candidate_days, weekday_kinds
from analytics.baselines.day_sums import block_sums
from analytics.detectors.plant_energy import energy_rows
from analytics.detectors.stages import History
from analytics.verdicts.conduct import DAY_MIN
from wattwitness.domain.facts import BLOCK_MIN, BLOCKS
from wattwitness.domain.registry import Alert

LEAST_COVERAGE = 0.9  # of a day that stands in a baseline
Floats = NDArray[np.float64]


class Accumulated(Protocol):
    """Amounts of days, accumulated over the blocks of the day; wherever they are kept."""

    def at(self, block: int) -> NDArray[np.float32]:
        """What had come together when a block began, 0-96 [days, circuits]."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """Amounts that are at hand."""

    values: NDArray[np.float32]  # [97, days, circuits]

    def at(self, block: int) -> NDArray[np.float32]:
        """What had come together when a block began, 0-96 [days, circuits]."""
        found: NDArray[np.float32] = self.values[block]
        return found


@dataclass(frozen=True, eq=False)
class FrozenBaseline:
    """What each circuit did on the candidate days; rows are the plant's circuits, in its order."""

    ordinals: NDArray[np.int64]  # local days, oldest first [days]
    kinds: tuple[int, ...]  # kind of day of each weekday, Monday first [7]
    running_min: Accumulated
    energy_kwh: Accumulated
    runs_known: NDArray[np.bool_]  # enough of the day is known [days, circuits]
    energy_known: NDArray[np.bool_]  # likewise
    peak_kw: Floats  # most of a block, of all these days [circuits]; 0 = never seen
    floor_kw: Floats  # what is left when nothing runs [circuits]
    # views of some circuits, kept from call to call
    views: dict[object, object] = field(default_factory=dict, repr=False)

    def kind(self, ordinal: int) -> int:
        """Kind of a local day."""
        return self.kinds[(ordinal + 6) % len(self.kinds)]


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


def accumulated(blocks: Floats) -> InMemory:
    """Amounts per block of the day [days, circuits, 96], accumulated."""
    total = np.zeros((blocks.shape[2] + 1, *blocks.shape[:2]), dtype=np.float32)
    total[1:] = np.moveaxis(np.cumsum(blocks, axis=2), 2, 0)
    return InMemory(total)


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
    circuits = len(history.plant.circuits)
    days = candidate_days(history, alert)
    if not days or not circuits:
        return _empty(circuits)
    sums = block_sums(history, days)
    runs = _completed(sums.run, sums.run_known)
    kwh = _completed(sums.kwh, sums.kwh_known)
    energy_known = sums.kwh_known.sum(axis=2) >= LEAST_COVERAGE * DAY_MIN
    ordinals = np.array([d.toordinal() for d in days], dtype=np.int64)
    level = _level(history, kwh.sum(axis=2), energy_known)
    block_kw = kwh * (60.0 / BLOCK_MIN)
    flat = np.where(sums.kwh_known > 0, block_kw, np.nan).transpose(1, 0, 2)
    floor_kw, peak_kw = np.nan_to_num(_row_quantiles(flat.reshape(circuits, -1), (0.05, 0.995))).T
    return FrozenBaseline(
        ordinals=ordinals,
        kinds=weekday_kinds(ordinals.tolist(), level),
        running_min=accumulated(runs),
        energy_kwh=accumulated(kwh),
        runs_known=sums.run_known.sum(axis=2) >= LEAST_COVERAGE * DAY_MIN,
        energy_known=energy_known,
        peak_kw=peak_kw,
        floor_kw=floor_kw,
    )


def _row_quantiles(values: Floats, q: tuple[float, ...]) -> Floats:
    """Quantiles of what is known in each row; NaN where nothing is [rows, quantiles]."""
    known = [own[np.isfinite(own)] for own in values]
    return np.array([np.quantile(own, q) if len(own) else np.full(len(q), np.nan) for own in known])


def _empty(circuits: int) -> FrozenBaseline:
    nothing = accumulated(np.empty((0, circuits, BLOCKS)))
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
