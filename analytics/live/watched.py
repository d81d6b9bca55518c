"""An enterprise under open alerts: what its verdicts rest on, and what was last said."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analytics.baselines.frozen import FrozenBaseline
from analytics.live.conduct import Base, conduct_now
from analytics.live.minutes import CityMinutes
from analytics.verdicts.judging import judge
from analytics.verdicts.orders import Plan
from wattwitness.domain.instants import US_PER_MINUTE, US_PER_SECOND, to_us
from wattwitness.domain.verdicts import Verdict, VerdictCode

AHEAD: Final = timedelta(hours=2)
"""An alert is watched from so long before its response; its baselines are ready by then."""
AFTER: Final = timedelta(hours=2)
"""… and so long after its lift, for what is still on its way."""
REPEAT_US: Final = 55 * US_PER_SECOND
"""Of its own data: numbers that only moved on are written once a minute, words that turned at once.
"""
MATERIAL: Final = 0.05
"""A confidence that moved by so much is written at once, too."""


@dataclass
class Case:
    """An enterprise under one alert."""

    plan: Plan
    baseline: FrozenBaseline
    notes: tuple[str, ...] = ()  # what the batch told beside its verdict
    said: Verdict | None = None  # what was last written
    reach_us: int = 0  # data time of the enterprise's newest reading in it

    def is_news(self, verdict: Verdict, reach_us: int, *, turned: bool) -> bool:
        """Whether a verdict is to be written now.

        Args:
            verdict: on this case.
            reach_us: data time of the enterprise's newest reading in it.
            turned: whether a circuit changed its state.
        """
        before = self.said
        if before is None or turned or before.verdict is not verdict.verdict:
            return True
        if before.basis != verdict.basis or _words(before) != _words(verdict):
            return True
        if abs(before.confidence - verdict.confidence) >= MATERIAL:
            return True
        silent = to_us(verdict.as_of) - to_us(before.as_of) >= 2 * REPEAT_US
        return silent or reach_us - self.reach_us >= REPEAT_US

    def wrote(self, verdict: Verdict, reach_us: int) -> None:
        """It is written."""
        self.said, self.reach_us = verdict, reach_us


def _words(verdict: Verdict) -> list[VerdictCode]:
    return [measure.verdict for measure in verdict.measures]


@dataclass
class Watched:
    """An enterprise under open alerts."""

    enterprise_id: str
    plant: int  # number in the fleet
    rests_on_us: int  # wall clock of the analysis that the base is of
    base: Base
    doubt: NDArray[np.bool_]  # circuits that the batch does not believe
    cases: Sequence[Case] = field(default_factory=list)
    judged_us: int = 0  # data time of the newest verdict

    def judged(self, city: CityMinutes) -> list[tuple[Case, Verdict]]:
        """The verdicts on its alerts at the newest minute."""
        as_of_us = city.watermark_us
        end_us = -(-(as_of_us + 1) // US_PER_MINUTE) * US_PER_MINUTE
        conduct = conduct_now(city, self.plant, self.base, self.doubt, end_us)
        self.judged_us = as_of_us
        return [
            (case, judge(case.plan, case.baseline, conduct, as_of_us, case.notes))
            for case in self.cases
        ]
