"""A proportion with its uncertainty: no figure of the benchmark stands alone."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Proportion:
    """Successes out of trials."""

    successes: int
    trials: int

    @property
    def value(self) -> float | None:
        """The share; None without trials."""
        return self.successes / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval (Wilson 1927, JASA 22:209-212); (0, 1) without trials."""
        if not self.trials:
            return 0.0, 1.0
        n, share = self.trials, self.successes / self.trials
        centre = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
        half = Z_95 * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
        half /= 1 + Z_95**2 / n
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        if self.value is None:
            return "– (none)"
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] ({self.successes}/{self.trials})"


def pooled(proportions: Iterable[Proportion]) -> Proportion:
    """Successes and trials of several together."""
    found = list(proportions)
    return Proportion(sum(p.successes for p in found), sum(p.trials for p in found))
