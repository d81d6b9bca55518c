"""The physics of a treatment unit block by block, and what in them speaks for a resistor.

Part of `treatment_dummy_load`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.quantiles import median, quantile
from analytics.references import Period, within
from wattwitness.domain.facts import BLOCKS, FactTable
from wattwitness.domain.rules import CATALOGUE

LEAST_BLOCKS = 8
POOLED_BLOCKS = 9  # blocks on both sides whose regressions are added up
LEAST_VARIATION = 2e-4  # Σ dlnU² that fixes an exponent well enough
SPEAKS_SHARE = 0.6  # of the signs that can be read in a block


@dataclass(frozen=True)
class Physics:
    """A unit's blocks, one after the other; NaN = not measured or not working."""

    table: FactTable
    period: Period

    @cached_property
    def _days(self) -> NDArray[np.float32]:
        """Block by block [days, 5, 96]."""
        return self.table.values.reshape(len(self.table.days), 5, BLOCKS)

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """Blocks in which it works [days, 96]."""
        return np.isfinite(self._days[:, 0])

    def _column(self, n: int) -> NDArray[np.float64]:
        return self._days[:, n][self._known].astype(np.float64)

    @cached_property
    def number(self) -> NDArray[np.int64]:
        """Ordinal of the day × 96 + block [blocks]."""
        return self.table.blocks[self._known.ravel()]

    @cached_property
    def reference(self) -> NDArray[np.bool_]:
        """Blocks of the reference period [blocks]."""
        return np.repeat(within(self.table, self.period), BLOCKS)[self._known.ravel()]

    @cached_property
    def kw(self) -> NDArray[np.float64]:
        """Mean power [blocks]."""
        return self._column(0)

    @cached_property
    def pf(self) -> NDArray[np.float64]:
        """Power factor [blocks]."""
        return self._column(1)

    @cached_property
    def imbalance(self) -> NDArray[np.float64]:
        """Of the currents [blocks]."""
        return self._column(2)

    @cached_property
    def exponent(self) -> NDArray[np.float64]:
        """Of power against voltage, pooled over neighbours [blocks]."""
        s_uu, s_up = _pooled(self._column(3)), _pooled(self._column(4))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(s_uu >= LEAST_VARIATION, s_up / s_uu, np.nan)

    def usual(self, values: NDArray[np.float64]) -> float:
        """Median of the reference; NaN where that holds too little.

        Args:
            values: of all blocks.
        """
        own = _finite(values[self.reference])
        return median(own) if len(own) >= LEAST_BLOCKS else float("nan")

    @cached_property
    def _own_pf(self) -> NDArray[np.float32]:
        """Known power factors of the reference."""
        inside = within(self.table, self.period)
        own = self._days[inside, 1]
        found: NDArray[np.float32] = own[self._known[inside] & np.isfinite(own)]
        return found

    @cached_property
    def tells_by_pf(self) -> bool:
        """Whether the power factor of the reference is a motor's, by its median."""
        most = CATALOGUE["treatment_dummy_load"].parameters["motor_pf"]
        n = len(self._own_pf)
        below = int(np.count_nonzero(self._own_pf <= np.float64(most)))  # not put in order
        if n < LEAST_BLOCKS or 2 * below != n:
            return n >= LEAST_BLOCKS and 2 * below > n
        return median(self._own_pf) <= most

    @property
    def _clear_pf(self) -> float:
        """From which power factor on it is no longer the motor's."""
        parameters = CATALOGUE["treatment_dummy_load"].parameters
        return max(parameters["resistor_pf"], median(self._own_pf) + parameters["pf_clearance"])

    def _is_below(self, pf: float) -> bool:
        """Whether the power factor of every block is known and below this."""
        below = self._days[:, 1] < np.float64(pf)
        return bool((below | ~self._known).all())

    @cached_property
    def votes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Per block: signs that speak for a resistor, and signs that could be read at all."""
        parameters = CATALOGUE["treatment_dummy_load"].parameters
        for_it = np.zeros(len(self.number), dtype=np.int64)
        read = np.zeros(len(self.number), dtype=np.int64)
        if self.tells_by_pf:
            read += 2 * np.isfinite(self.pf)  # the clearest sign counts twice
            for_it += 2 * (self.pf >= self._clear_pf)
        low, high = parameters["resistor_exponent_low"], parameters["resistor_exponent_high"]
        # the unit itself, with all its noise, never looked like one
        if self._upper_exponent <= low:
            read += np.isfinite(self.exponent)
            for_it += (self.exponent >= low) & (self.exponent <= high)
        imbalance = self.usual(self.imbalance)
        if imbalance >= parameters["motor_imbalance"]:
            read += np.isfinite(self.imbalance)
            for_it += self.imbalance <= 0.5 * imbalance
        return for_it, read

    @property
    def _upper_exponent(self) -> float:
        own = _finite(self.exponent[self.reference])
        return quantile(own, 0.99) if len(own) >= 4 * LEAST_BLOCKS else float("nan")

    @property
    def is_readable(self) -> bool:
        """Whether it differs from a resistor's in anything that is measured."""
        return self.tells_by_pf or bool(self.votes[1].any())

    @cached_property
    def is_motor(self) -> bool:
        """Whether the power factor of every block is the motor's.

        It has two votes of four: whatever the other signs say, they are too few.
        """
        resistor_pf = CATALOGUE["treatment_dummy_load"].parameters["resistor_pf"]
        return self.tells_by_pf and (self._is_below(resistor_pf) or self._is_below(self._clear_pf))

    def speaks(self) -> NDArray[np.bool_]:
        """Blocks in which enough of the signs speak for a resistor."""
        for_it, read = self.votes
        found: NDArray[np.bool_] = for_it >= np.maximum(1, SPEAKS_SHARE * read)
        return found


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _pooled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over the block and its neighbours on both sides."""
    kernel = np.ones(2 * POOLED_BLOCKS + 1)
    if len(values) < len(kernel):
        return np.full(values.shape, float(np.nansum(values)))
    return np.convolve(np.where(np.isnan(values), 0.0, values), kernel, mode="same")
