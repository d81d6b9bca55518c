"""Arrays of long runs of equal values, kept small: a week of a city fits into memory."""

from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Packed(Generic[Value]):
    """Run lengths of a two-dimensional array, row after row."""

    shape: tuple[int, int]
    values: NDArray[Value]
    lengths: NDArray[np.int32]

    @classmethod
    def of(cls, array: NDArray[Value]) -> Self:
        """Pack; NaNs with the same bits are alike."""
        flat = np.ascontiguousarray(array).ravel()
        bits = flat.view(f"u{flat.dtype.itemsize}")
        starts = np.flatnonzero(np.concatenate(([True], bits[1:] != bits[:-1])))[: len(flat)]
        lengths = np.diff(starts, append=len(flat)).astype(np.int32)
        return cls((array.shape[0], array.shape[1]), flat[starts], lengths)

    def unpacked(self) -> NDArray[Value]:
        """The array."""
        return np.repeat(self.values, self.lengths).reshape(self.shape)
