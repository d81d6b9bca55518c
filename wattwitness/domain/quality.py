"""Data quality of one circuit on one local day (有效传输率)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class DayQuality:
    """Counts; the rates are derived from them.

    `in_time` counts valid readings that came in time; None = nothing is known about receipt.
    """

    circuit_id: str
    day: date
    expected: int
    received: int
    valid: int
    in_time: int | None

    @property
    def transmission_rate(self) -> float | None:
        """Received ÷ expected, at most 1; None when nothing was expected."""
        return min(1.0, self.received / self.expected) if self.expected else None

    @property
    def validity_rate(self) -> float | None:
        """Valid ÷ received; None when nothing was received."""
        return self.valid / self.received if self.received else None

    @property
    def effective_rate(self) -> float | None:
        """Transmission rate × validity rate (sourced definition); 0 when nothing came."""
        if not self.expected:
            return None
        return (self.transmission_rate or 0.0) * (self.validity_rate or 0.0)

    @property
    def effective_rate_in_time(self) -> float | None:
        """The effective rate without what came late; None when receipt is not known."""
        if not self.expected or self.in_time is None:
            return None
        return min(1.0, self.in_time / self.expected)
