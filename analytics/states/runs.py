"""Runs: maximal stretches of True in rows of minutes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of some rows, row after row, oldest first [n]."""

    row: NDArray[np.intp]
    start: NDArray[np.intp]  # first minute
    end: NDArray[np.intp]  # the one after the last

    def __len__(self) -> int:
        """How many."""
        return len(self.row)


def runs_of(mask: NDArray[np.bool_]) -> Runs:
    """Runs of True.

    Args:
        mask: [rows, minutes].
    """
    rows, width = mask.shape[0], mask.shape[1] + 1
    flat = np.zeros(rows * width + 1, dtype=np.bool_)  # False before, between and after the rows
    flat[1:].reshape(rows, width)[:, :-1] = mask
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    row = edges[::2] // width
    return Runs(row, edges[::2] - row * width, edges[1::2] - row * width)
