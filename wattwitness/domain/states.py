"""Operating states of a circuit (工况)."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class State(IntEnum):
    """What a circuit does; the integers are what arrays and the store carry."""

    UNKNOWN = 0
    OFF = 1
    STANDBY = 2  # energised, no load
    RUNNING = 3

    @property
    def word(self) -> str:
        """The word of the export contract."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpell:
    """A circuit was in one state from `from_` to `to`."""

    circuit_id: str
    from_: datetime
    to: datetime
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """A circuit's own levels [kW] on one local day. NaN = this class does not exist here.

    `running_kw`: at or above is running; `standby_kw`: at or above is standby; the `*_release_kw`
    are the lower edges of the hysteresis.
    """

    standby_kw: float
    standby_release_kw: float
    running_kw: float
    running_release_kw: float
    running_level_kw: float  # typical power while running
    basis: str  # `learned`, `verified`, `nameplate`, `unresolvable`, `none`
