"""How long to wait before the next attempt: doubling, capped, jittered."""

import random
from dataclasses import dataclass

_MAX_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Backoff:
    """Half of the wait is fixed and half is random, so that many clients do not come at once.

    Attributes:
        first_s: the longest wait after the first failure [s]; it doubles with each further one.
        most_s: what it never exceeds [s].
    """

    first_s: float = 0.2
    most_s: float = 30.0

    def delay_s(self, failures: int, chance: random.Random) -> float:
        """The wait after the `failures`-th failure in a row (from 1) [s]."""
        doublings = min(max(failures, 1) - 1, _MAX_DOUBLINGS)
        ceiling = min(self.most_s, self.first_s * 2.0**doublings)
        return ceiling * (0.5 + 0.5 * chance.random())
