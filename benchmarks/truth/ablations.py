"""What each idea is worth: the same city without it.

energised   production counts as running as soon as it is energised
fixed       states from a fixed 10 % of the nameplate instead of each circuit's own levels
symmetric   short runs of treatment are deleted as those of production are
power only  no voltages, currents, reactive power, power factor
no register likewise, and no energy register
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analytics.day import DayBlock, judge_day
from analytics.executors import Block, InProcess, Result
from analytics.plants import Plant
from benchmarks.truth.trial import PHYSICS
from wattwitness.domain.registry import Role
from wattwitness.domain.states import Thresholds

FIXED_SHARE = 0.1
_STATES = (
    "treatment_off",
    "treatment_late_start",
    "treatment_early_stop",
    "shared_treatment_short",
    "treatment_inspection_only",
)
_PHYSICS = (
    "treatment_dummy_load",
    "phase_loss",
    "frozen_reading",
    "replayed_data",
    "counter_anomaly",
)


def _energised(block: DayBlock) -> DayBlock:
    roles = {c.circuit_id: c.role for c in block.plant.circuits}

    def early(circuit: str, t: Thresholds) -> Thresholds:
        if roles[circuit] not in {Role.PRODUCTION, Role.COMBINED}:
            return t
        return replace(t, running_kw=t.standby_kw, running_release_kw=t.standby_release_kw)

    return replace(block, thresholds={c: early(c, t) for c, t in block.thresholds.items()})


def _fixed(block: DayBlock) -> DayBlock:
    rated = {c.circuit_id: c.rated_kw for c in block.plant.circuits}

    def plain(circuit: str, t: Thresholds) -> Thresholds:
        kw = FIXED_SHARE * (rated[circuit] or 0.0)
        if kw <= 0:
            return t
        return replace(
            t,
            running_kw=kw,
            running_release_kw=kw,
            standby_kw=0.1 * kw,
            standby_release_kw=0.1 * kw,
        )

    return replace(block, thresholds={c: plain(c, t) for c, t in block.thresholds.items()})


def _symmetric(block: DayBlock) -> DayBlock:
    """Treatment circuits smoothed like production: the dwell goes by the role."""
    plant: Plant = block.plant
    circuits = tuple(
        replace(c, role=Role.PRODUCTION) if c.role is Role.TREATMENT else c for c in plant.circuits
    )
    return replace(block, plant=replace(plant, circuits=circuits))


class _Altered(InProcess):
    """Judges altered days."""

    def __init__(self, alter: Callable[[DayBlock], DayBlock]) -> None:
        super().__init__()
        self._alter = alter

    def map(self, kernel: Callable[[Block], Result], blocks: Sequence[Block]) -> list[Result]:
        """Run the kernel over the altered blocks."""
        every: Sequence[Any] = blocks
        if kernel is judge_day:
            every = [self._alter(block) for block in every]
        return super().map(kernel, every)


@dataclass(frozen=True, slots=True)
class Ablation:
    """One idea taken away."""

    kinds: Sequence[str]  # that it touches
    alter: Callable[[DayBlock], DayBlock] | None = None
    left_out: Sequence[str] = ()

    def executor(self) -> InProcess:
        """A fresh executor that judges without the idea."""
        return InProcess() if self.alter is None else _Altered(self.alter)


ABLATIONS: Mapping[str, Ablation] = {
    "as it is": Ablation((*_STATES, *_PHYSICS)),
    "energised": Ablation(_STATES, _energised),
    "fixed": Ablation(_STATES, _fixed),
    "symmetric": Ablation(_STATES, _symmetric),
    "power only": Ablation(_PHYSICS, None, PHYSICS),
    "no register": Ablation(_PHYSICS, None, (*PHYSICS, "e_kwh")),
}
