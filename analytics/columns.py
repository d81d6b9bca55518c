"""Readings of a plant, circuit by circuit and day by day: what the first kernel computes with."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from analytics.plants import Plant
from wattwitness.domain.readings import MEASURANDS, NEVER, ReadingColumns, Readings


class Keyed(Protocol):
    """Circuits in rows: a plant, or others."""

    @property
    def keys(self) -> Sequence[int] | NDArray[np.int64]:
        """Integer keys, row by row."""
        ...


@dataclass(frozen=True, eq=False)
class Columns:
    """Readings [n], circuit after circuit in the row order of the plant, time ascending in each."""

    ts: NDArray[np.int64]  # device time [µs]
    measured: NDArray[np.float64]  # NaN = not measured [names, n]
    ends: NDArray[np.intp]  # circuit r holds the readings [ends[r], ends[r + 1]) [circuits + 1]
    received_at: NDArray[np.int64]  # [µs]; NEVER = not known
    resent: NDArray[np.bool_]
    names: tuple[str, ...] = MEASURANDS  # of the measurands

    def __len__(self) -> int:
        """How many readings."""
        return len(self.ts)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """One measurand [n]."""
        column: NDArray[np.float64] = self.measured[self.names.index(name)]
        return column

    def phases(self, name: str) -> NDArray[np.float64]:
        """The three phases of a measurand, `u` or `i` [3, n]."""
        first = self.names.index(f"{name}_a")
        return self.measured[first : first + 3]

    def part(self, row: int) -> slice:
        """The readings of one circuit."""
        return slice(int(self.ends[row]), int(self.ends[row + 1]))

    @cached_property
    def count(self) -> NDArray[np.intp]:
        """Readings of each circuit [circuits]."""
        return np.diff(self.ends)

    @cached_property
    def filled(self) -> NDArray[np.intp]:
        """Circuits that have readings [k]."""
        return np.flatnonzero(self.count)

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """The first reading of each circuit that has any: where `reduceat` begins anew [k]."""
        return self.ends[self.filled]

    @cached_property
    def circuit_row(self) -> NDArray[np.intp]:
        """Which circuit each reading belongs to, ascending [n]."""
        return self.spread(np.arange(len(self.count)))

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """A value of each circuit [circuits] beside each of its readings [n]."""
        return np.repeat(values, self.count)

    def of(self, circuits: NDArray[np.intp]) -> NDArray[np.intp]:
        """The readings of some circuits [m]."""
        chosen = np.zeros(len(self.count), dtype=np.bool_)
        chosen[circuits] = True
        return np.flatnonzero(self.spread(chosen))

    @cached_property
    def step_us(self) -> NDArray[np.int64]:
        """Time from each reading to the one after it, whosever it is [n - 1]."""
        return np.diff(self.ts)

    @cached_property
    def known(self) -> NDArray[np.intp]:
        """How many readings of each circuit carry each measurand [names, circuits]."""
        found = np.zeros((len(self.measured), len(self.count)), dtype=np.intp)
        if not len(self):
            return found
        with np.errstate(invalid="ignore", over="ignore"):
            sums = np.add.reduceat(self.measured, self.starts, axis=1)  # NaN where one is missing
        found[:, self.filled] = self.count[self.filled]
        for row in self.filled[~np.isfinite(sums).all(axis=0)].tolist():
            own = np.isfinite(self.measured[:, self.part(row)])
            found[:, row] = np.count_nonzero(own, axis=1)
        return found

    @cached_property
    def whole(self) -> Collection[str]:
        """Measurands that every reading carries."""
        all_of_them = (self.known == self.count).all(axis=1).tolist()
        return frozenset(compress(self.names, all_of_them))

    def knows(self, name: str) -> NDArray[np.intp]:
        """How many readings of each circuit carry one measurand [circuits]."""
        counts: NDArray[np.intp] = self.known[self.names.index(name)]
        return counts


class PlantRows:
    """Readings of a plant over some days, from which days are cut.

    Args:
        rows: readings of the plant in (circuit, ts) order.
        plant: whose circuits they are; at least one.
    """

    def __init__(self, rows: ReadingColumns, plant: Plant) -> None:
        self._rows = rows
        keys = cast("Sequence[int]", rows.circuit)  # to look for 20 keys needs no copy of it
        self._spans = [(bisect_left(keys, key), bisect_left(keys, key + 1)) for key in plant.keys]

    def between(self, from_us: int, to_us: int) -> Columns:
        """The readings of [from, to)."""
        rows = self._rows
        ts = cast("Sequence[int]", rows.ts)
        spans = [
            slice(bisect_left(ts, from_us, *span), bisect_left(ts, to_us, *span))
            for span in self._spans
        ]

        def joined(column: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([column[..., span] for span in spans], axis=-1)

        return Columns(
            ts=joined(rows.ts),
            measured=joined(rows.measured),
            ends=np.cumsum([0, *(span.stop - span.start for span in spans)]),
            received_at=joined(rows.received_at),
            resent=joined(rows.resent),
        )


def columns_of(rows: Readings, meters: Keyed) -> Columns:
    """Readings of some circuits as columns.

    Args:
        rows: in (circuit, ts) order; an array that lacks fields lacks measurands, or receipts.
        meters: whose circuits they are.
    """
    keys = np.asarray(meters.keys, dtype=np.int64)
    order = np.argsort(keys)
    row = order[np.searchsorted(keys[order], rows["circuit"])]
    if (row[1:] < row[:-1]).any():
        again = np.argsort(row, kind="stable")
        row, rows = row[again], rows[again]
    fields = rows.dtype.names or ()
    names = tuple(name for name in MEASURANDS if name in fields)
    known = "received_at" in fields
    return Columns(
        ts=np.ascontiguousarray(rows["ts"]),
        measured=np.array([rows[name] for name in names], dtype=np.float64),
        ends=np.searchsorted(row, np.arange(len(keys) + 1)),
        received_at=np.array(rows["received_at"]) if known else np.full(len(rows), NEVER),
        resent=np.array(rows["resent"]) if known else np.zeros(len(rows), dtype=np.bool_),
        names=names,
    )
