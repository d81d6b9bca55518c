"""The same days, had the order been given and followed."""

import numpy as np

from analytics.baselines.frozen import FrozenBaseline
from analytics.verdicts.conduct import Conduct
from wattwitness.domain.registry import Measure, MeasureAction

A_LITTLE_BELOW = 0.95  # of what a limit allows, by the day as it would have been


def limit_share(measure: Measure) -> float:
    """Share that a limit leaves; 0 of a stop."""
    return (measure.limit_pct or 0.0) / 100


def followed(conduct: Conduct, baseline: FrozenBaseline, measure: Measure) -> Conduct:
    """A stop leaves what the plant draws when nothing runs; a limit leaves its share of the day."""
    energy, running = conduct.energy_kwh, conduct.running
    if measure.action is MeasureAction.LIMIT:
        energy = energy * np.float32(A_LITTLE_BELOW * limit_share(measure))
    else:
        running = np.zeros_like(running)
        energy = np.minimum(energy, (baseline.floor_kw / 60.0).astype(np.float32)[:, None])
    # a new one, not a copy: what a conduct has added up already stays its own
    return Conduct(
        start_us=conduct.start_us, running=running, known=conduct.known, energy_kwh=energy
    )
