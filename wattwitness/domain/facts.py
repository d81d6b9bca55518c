"""Day facts: arrays that one local day contributes to findings over many days.

Readings are read once. What a method needs from other days (a daily level, the blocks of a day,
how long values stood still) is kept as a fact of its day, so that days can be analysed in any
order, alone, or again, and a conclusion over months never reads a month of readings.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

BLOCK_MIN = 15
"""Minutes in a block; a local day has 96."""
BLOCKS = 96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayFact:
    """One array of one local day; its kind says what it holds, how long it is, in which unit."""

    enterprise_id: str
    day: date
    kind: str  # documented where it is made
    subject: str  # a circuit id, a pairing id, or "" for the enterprise
    values: NDArray[np.float32]  # one-dimensional; NaN = not known
