"""What the pipeline works with, and what a run of it did."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from analytics.calibration import CALIBRATION, Calibration
from analytics.executors import Executor
from analytics.results import ResultStore
from analytics.series import SeriesStore
from wattwitness.domain.errors import WattWitnessError
from wattwitness.domain.instants import DEFAULT_ZONE
from wattwitness.domain.registry import Registry


class AnalysisStoppedError(WattWitnessError):
    """Told to stop before the end; what was not finished is still marked as changed."""

    def __init__(self) -> None:
        super().__init__(
            "stopped; what was finished is stored", "run the same again for what is left"
        )


def _wall_clock_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Bench:
    """What the pipeline works with."""

    registry: Registry
    series: SeriesStore
    results: ResultStore
    executor: Executor
    zone: ZoneInfo = DEFAULT_ZONE
    stop: asyncio.Event = field(default_factory=asyncio.Event)  # looked at between pieces
    clock_us: Callable[[], int] = _wall_clock_us  # for "last run"; nothing is judged by it
    calibration: Calibration = CALIBRATION  # what confidence is worth

    def check_stop(self) -> None:
        """Go on only if nobody said stop.

        Raises:
            AnalysisStoppedError: somebody did.
        """
        if self.stop.is_set():
            raise AnalysisStoppedError


@dataclass
class Summary:
    """What a run did."""

    enterprises: int = 0
    days: int = 0  # enterprise-days judged
    readings: int = 0
    episodes: int = 0
    suppressed: int = 0
    leads: int = 0

    def add(self, other: "Summary") -> None:
        """Count another run in."""
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))
