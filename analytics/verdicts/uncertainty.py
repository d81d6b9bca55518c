"""How likely a plant would have used less than something: from its own placebo days.

The ratios of actual to usual on past days are spread with a heavy-tailed kernel (Student's t with
three degrees of freedom on the log scale), so that few days neither rule anything out nor claim
more than they saw.
"""

import math

import numpy as np

from analytics.baselines.frozen import Floats

LEAST_WIDTH = 0.015  # of the kernel, log scale
LEAST_RATIO = 0.02  # a day on which nothing ran
QUANTILES = (0.05, 0.95)  # of the interval that is told
_ROOT3 = math.sqrt(3.0)


def _t3(value: Floats) -> Floats:
    """Cumulative distribution of Student's t with three degrees of freedom."""
    scaled = value / _ROOT3
    found: Floats = 0.5 + (scaled / (1.0 + scaled**2) + np.arctan(scaled)) / math.pi
    return found


class Spread:
    """The spread of actual ÷ usual.

    Args:
        ratios: of placebo days [n], at least one.
        widened: factor on the log scale, where they are too few to trust.
    """

    def __init__(self, ratios: Floats, widened: float = 1.0) -> None:
        logs = np.log(np.maximum(ratios, LEAST_RATIO))
        ordered = np.sort(logs)
        n = len(ordered)
        centre = float(ordered[n // 2])
        low, high = ordered[n // 6], ordered[(5 * n) // 6 if n > 5 else n - 1]
        self._logs = centre + widened * (ordered - centre)
        robust = widened * 0.5 * float(high - low)
        self._width = max(LEAST_WIDTH, robust * n**-0.2 * 0.6)

    def below(self, ratio: float) -> float:
        """Probability that actual ÷ usual is below this."""
        if ratio <= 0:
            return 0.0
        if not math.isfinite(ratio):
            return 1.0
        return float(_t3((math.log(ratio) - self._logs) / self._width).mean())

    def interval(self) -> tuple[float, float]:
        """Ratios between which nine of ten placebo days lie, one rank wider for each side."""
        n = len(self._logs)
        low = max(0, math.floor((n + 1) * QUANTILES[0]) - 1)
        high = min(n - 1, math.ceil((n + 1) * QUANTILES[1]) - 1)
        return math.exp(self._logs[low]), math.exp(self._logs[high])
