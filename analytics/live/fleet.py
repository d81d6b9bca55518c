"""Many plants as one set of arrays: a row is a circuit, plants stand one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics.live.pairs import PairTable
from analytics.plants import Plant
from wattwitness.domain.registry import PRODUCTION_ROLES

Rows = NDArray[np.intp]
"""Rows of the fleet."""


@dataclass(frozen=True)
class Fleet:
    """Circuits of many plants; arrays are [circuits] unless told otherwise."""

    plants: tuple[Plant, ...]
    first: NDArray[np.intp]  # row at which each plant begins, and the number of rows [plants + 1]
    plant: NDArray[np.intp]  # number of the plant
    keys: NDArray[np.int64]
    interval_us: NDArray[np.int64]
    rated_kw: NDArray[np.float64]  # NaN = not known
    resolution_kw: NDArray[np.float64]
    dwells: NDArray[np.bool_]  # production: what runs for a moment only does not run
    pairs: PairTable
    _order: NDArray[np.intp]  # rows by key

    @classmethod
    def of(cls, plants: Sequence[Plant]) -> Self:
        """Line plants up."""
        sizes = [len(plant.circuits) for plant in plants]
        first = np.concatenate(([0], np.cumsum(sizes, dtype=np.intp))).astype(np.intp)
        keys = np.array([key for plant in plants for key in plant.keys], dtype=np.int64)
        return cls(
            plants=tuple(plants),
            first=first,
            plant=np.repeat(np.arange(len(plants)), sizes),
            keys=keys,
            interval_us=np.concatenate([np.zeros(0, np.int64), *(p.interval_us for p in plants)]),
            rated_kw=np.concatenate([np.zeros(0), *(p.rated_kw for p in plants)]),
            resolution_kw=np.concatenate([np.zeros(0), *(p.resolution_kw for p in plants)]),
            dwells=np.array(
                [c.role in PRODUCTION_ROLES for plant in plants for c in plant.circuits],
                dtype=np.bool_,
            ),
            pairs=PairTable.of(plants, first),
            _order=np.argsort(keys),
        )

    def __len__(self) -> int:
        return len(self.keys)

    def span(self, plant: int) -> slice:
        """The rows of a plant."""
        return slice(int(self.first[plant]), int(self.first[plant + 1]))

    def rows_of(self, circuit_keys: NDArray[np.int32]) -> Rows:
        """Row of each circuit key; -1 = not of this fleet [n]."""
        if len(self.keys) == 0:
            return np.full(len(circuit_keys), -1, dtype=np.intp)
        own = self.keys[self._order]
        place = np.minimum(np.searchsorted(own, circuit_keys), len(own) - 1)
        return np.where(own[place] == circuit_keys, self._order[place], -1)


def alike(some: Sequence[Plant], others: Sequence[Plant]) -> bool:
    """Whether plants have the same circuits and pairings in the same rows."""
    names = [
        [(p.enterprise_id, p.circuits, p.keys, p.intervals_s, p.pairings) for p in own]
        for own in (some, others)
    ]
    return names[0] == names[1]
