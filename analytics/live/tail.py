"""The last readings of each circuit of a fleet, in a fixed number of slots, oldest first."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.live.fleet import Rows
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.readings import Readings

EMPTY: Final = np.iinfo(np.int64).min
LEAST_SLOTS: Final = 16
LEAST_US: Final = 12 * US_PER_MINUTE
BACK: Final = 5
"""A reading may change what the four before it say (a register that reads 0 for three samples), and
the first of these is judged beside the one before."""
TAIL_DTYPE: Final = np.dtype([("circuit", "<i8"), ("ts", "<i8"), ("p_kw", "<f8"), ("e_kwh", "<f8")])
"""What the minutes need of a reading; `circuit` is the row among those that are laid."""


@dataclass(frozen=True)
class Fresh:
    """What a tail took in: of each row with something new, all that is kept and all that came."""

    rows: Rows  # ascending [n]
    redo_us: NDArray[np.int64]  # what was laid before this instant stands [n]
    ts: NDArray[np.int64]  # EMPTY first, then ascending [n, wide]
    p_kw: NDArray[np.float64]
    e_kwh: NDArray[np.float64]

    def readings(self) -> Readings:
        """Those that matter since `redo_us`, in order; `circuit` is the place in `rows`."""
        use = self.ts != EMPTY
        use[:, :-1] &= self.ts[:, 1:] >= self.redo_us[:, np.newaxis]  # and one before
        place, slot = np.nonzero(use)
        found = np.zeros(len(place), dtype=TAIL_DTYPE)
        found["circuit"], found["ts"] = place, self.ts[place, slot]
        found["p_kw"], found["e_kwh"] = self.p_kw[place, slot], self.e_kwh[place, slot]
        return found


@dataclass
class Tail:
    """Readings [circuits, slots]; EMPTY instants stand first."""

    ts: NDArray[np.int64]
    p_kw: NDArray[np.float64]
    e_kwh: NDArray[np.float64]

    @classmethod
    def of(cls, interval_us: NDArray[np.int64]) -> "Tail":
        """An empty one, for circuits with these reading intervals."""
        shortest = int(interval_us.min(initial=US_PER_MINUTE))
        shape = (len(interval_us), max(LEAST_SLOTS, LEAST_US // shortest + BACK))
        return cls(np.full(shape, EMPTY), np.full(shape, np.nan), np.full(shape, np.nan))

    @property
    def slots(self) -> int:
        """Readings kept of a circuit."""
        return int(self.ts.shape[1])

    def take(self, row: Rows, rows: Readings) -> Fresh:
        """Take in what is not older than the tail; of two with one instant the first counts.

        Args:
            row: of each reading [n].
            rows: in any order [n].
        """
        order = np.lexsort(
            (rows["ts"], row)
        )  # stable: of two with one instant the first stays first
        row, rows = row[order], rows[order]
        oldest = self.ts[row, 0]
        use = (oldest == EMPTY) | (rows["ts"] >= oldest)
        row, rows = row[use], rows[use]
        own, starts, counts = np.unique(row, return_index=True, return_counts=True)
        place = np.arange(len(row)) - np.repeat(starts, counts)
        n = np.repeat(np.arange(len(own)), counts)
        wide = self.slots + int(counts.max(initial=1))
        ts = np.full((len(own), wide), EMPTY)
        p_kw, e_kwh = np.full(ts.shape, np.nan), np.full(ts.shape, np.nan)
        for mine, stored, given in (
            (ts, self.ts, rows["ts"]), (p_kw, self.p_kw, rows["p_kw"]),
            (e_kwh, self.e_kwh, rows["e_kwh"]),
        ):  # fmt: skip
            mine[:, : self.slots] = stored[own]
            mine[n, self.slots + place] = given
        return self._keep(own, ts, p_kw, e_kwh)

    def _keep(
        self,
        own: Rows,
        ts: NDArray[np.int64],
        p_kw: NDArray[np.float64],
        e_kwh: NDArray[np.float64],
    ) -> Fresh:
        """Sort, leave repeated instants out, keep the newest; tell what is new."""
        order = np.argsort(ts, axis=1, kind="stable")
        ts = np.take_along_axis(ts, order, axis=1)
        again = np.zeros(ts.shape, dtype=np.bool_)
        again[:, 1:] = (ts[:, 1:] == ts[:, :-1]) & (ts[:, 1:] != EMPTY)
        if again.any():
            ts = np.where(again, EMPTY, ts)
            second = np.argsort(ts, axis=1, kind="stable")
            order = np.take_along_axis(order, second, axis=1)
            ts = np.take_along_axis(ts, second, axis=1)
        new = (order >= self.slots) & (ts != EMPTY)
        some = new.any(axis=1)
        own, order, ts, new = own[some], order[some], ts[some], new[some]
        p_kw = np.take_along_axis(p_kw[some], order, axis=1)
        e_kwh = np.take_along_axis(e_kwh[some], order, axis=1)
        keep = slice(ts.shape[1] - self.slots, None)
        self.ts[own], self.p_kw[own], self.e_kwh[own] = ts[:, keep], p_kw[:, keep], e_kwh[:, keep]
        first = np.argmax(new, axis=1) if len(own) else np.zeros(0, dtype=np.intp)
        back = np.maximum(first - (BACK - 1), np.argmax(ts != EMPTY, axis=1) if len(own) else first)
        redo = np.take_along_axis(ts, back[:, np.newaxis], axis=1)[:, 0]
        redo = redo // US_PER_MINUTE * US_PER_MINUTE  # a minute is the mean of all its readings
        return Fresh(own, redo, ts, p_kw, e_kwh)
