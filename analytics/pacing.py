"""How often following live data looks at an enterprise again. Pure: the clock is handed in.

A new reading a minute makes every enterprise's newest day dirty every minute, and an analysis
looks at whole days: a large city would never be done. So new readings wait until a look is worth
its cost. Older days never wait, and a small city hardly does: the wait is as long as it takes for
the looks to need their share of the time, and no longer than the setting.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

SOON_SHARE: Final = 0.4
"""Share of the time for enterprises under an open alert, or with an early warning."""
SHARE: Final = 0.15
"""Share of the time for all others."""
_MEMORY: Final = 0.05  # weight of the newest look in the mean


@dataclass
class Pace:
    """When an enterprise is due again."""

    most_s: float  # no wait is longer
    cost_s: float = 0.0  # mean of a look
    soon: Collection[str] = ()  # enterprises that are looked at sooner
    enterprises: int = 0  # all that there are
    looked_s: dict[str, float] = field(default_factory=dict)  # enterprise → newest look

    def looked(self, enterprise_id: str, at_s: float, took_s: float) -> None:
        """A look at an enterprise is over."""
        self.looked_s[enterprise_id] = at_s
        known = self.cost_s or took_s
        self.cost_s = known + _MEMORY * (took_s - known)

    def wait_s(self, enterprise_id: str) -> float:
        """How long its new readings wait after the newest look."""
        if enterprise_id in self.soon:
            return min(self.most_s, self.cost_s * len(self.soon) / SOON_SHARE)
        return min(self.most_s, self.cost_s * (self.enterprises - len(self.soon)) / SHARE)

    def due_s(self, enterprise_id: str) -> float:
        """When it is due; long ago if it was never looked at."""
        looked_s = self.looked_s.get(enterprise_id)
        return float("-inf") if looked_s is None else looked_s + self.wait_s(enterprise_id)
