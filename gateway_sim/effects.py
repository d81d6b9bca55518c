"""What can happen to a plant, its meters and its network - lawful or not.

An `Incident` is what the answer key tells; its `Effect`s are what the simulation does. Keeping the
two apart means that a maintenance stop and a violation are the same physics and differ only in the
papers, as in the field.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway_sim.spells import Spell
from wattwitness.domain.registry import Declaration


class Action(StrEnum):
    """What an effect does to its targets; `amount` in brackets."""

    # production lines (targets: line names)
    LINE_STOP = "line_stop"
    LINE_RUN = "line_run"
    LINE_IDLE = "line_idle"  # energised, but without work
    # circuits, in the plant
    FORCE_OFF = "force_off"
    FORCE_ON = "force_on"
    DUTY = "duty"  # [share of its 20 min period in which a unit works]
    FOLLOW_LINES = "follow_lines"  # [share of a unit's power that is left when no line works]
    SCALE = "scale"  # [factor]
    RAMP = "ramp"  # [factor reached at the end, and kept]
    RESISTOR = "resistor"  # the unit is off; a heater of the same power hangs on its feeder
    DIVERT = "divert"  # [share of the power that bypasses the sub-meter]
    OUTAGE = "outage"  # the feeder is dead
    # meters
    FREEZE = "freeze"
    SPIKE = "spike"  # [kW]
    REGISTER_ZERO = "register_zero"
    REGISTER_BACK = "register_back"  # [kWh that the register lost, for good]
    REGISTER_SLOW = "register_slow"  # [factor on what is registered]
    REVERSED = "reversed"
    PHASE_LOSS = "phase_loss"
    SINGLE_PHASE = "single_phase"  # all current on the first phase, by wiring
    COARSE = "coarse"  # [kW that a step of the display means]
    REGISTER_ROLL = "register_roll"  # [kWh at which the register begins again]
    REPLAY = "replay"  # [seconds that the repeated data are old]
    # gateway and network (targets: circuits)
    SKEW = "skew"  # [seconds that the clock is ahead]
    LOSE = "lose"  # readings that never come
    DELAY = "delay"  # readings that come, resent, after the end
    QUEUE = "queue"  # [s that each instant takes afterwards] the same, not marked as resent


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One change to the plant over [from_s, to_s)."""

    action: Action
    targets: tuple[str, ...]
    from_s: int
    to_s: int
    amount: float = 0.0
    because_of: str = ""  # the alert without which the plant would not have done so

    @property
    def spell(self) -> Spell:
        """The effect's interval."""
        return self.from_s, self.to_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One entry of the answer key."""

    kind: str  # a code of the rule catalogue, or a confuser's name
    enterprise_id: str
    from_s: int
    to_s: int
    circuits: tuple[str, ...]
    lawful: bool
    why: str
    pairing_id: str | None = None
    effects: tuple[Effect, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    # when the tell-tale condition held (production running without treatment, …); [] = all of it
    parts: tuple[Spell, ...] = field(default=())


def select(effects: Sequence[Effect], action: Action, target: str) -> Iterator[Effect]:
    """The effects of one kind on one target."""
    return (e for e in effects if e.action is action and target in e.targets)


def spells_of(effects: Sequence[Effect], action: Action, target: str) -> list[Spell]:
    """When `action` is in force on `target`."""
    return [e.spell for e in select(effects, action, target)]
