"""Registers that went back: from there on the meter, or its transformer, may be another one."""

from dataclasses import dataclass
from datetime import datetime

from analytics.detectors.stages import History

KIND = "counter_anomaly"  # whose spells tell of registers


@dataclass(frozen=True, slots=True)
class RegisterBack:
    """A register of one circuit that went back for good, whether that makes an episode or not."""

    circuit_id: str
    at: datetime
    before_kwh: float
    after_kwh: float


def register_backs(history: History) -> list[RegisterBack]:
    """Of all circuits of an enterprise, oldest first."""
    found = [
        RegisterBack(circuit_id, spell.from_, spell.sums["before_kwh"], spell.sums["after_kwh"])
        for circuit_id in history.subjects_of(KIND)
        for spell in history.spells_of(KIND, circuit_id)
        if "back_kwh" in spell.sums
    ]
    return sorted(found, key=lambda it: (it.at, it.circuit_id))
