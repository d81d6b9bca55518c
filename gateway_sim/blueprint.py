"""What a plant is built of: lines, machines, treatment groups, auxiliaries, meters.

Frozen values without behaviour; `layout` draws them, `machines`, `treatment` and `meters` bring
them to life, and the answer key needs nothing else to regenerate any day.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway_sim.schedule import ShiftPattern
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Measure, Pairing


class Drive(StrEnum):
    """How a load takes its power; decides power factor and the answer to voltage."""

    MOTOR = "motor"  # induction motor on the mains: magnetising current at any load
    VFD = "vfd"  # behind a converter: power factor nearly constant
    RESISTOR = "resistor"  # heaters: power follows the square of the voltage


class TreatmentMode(StrEnum):
    """Which units of a group must run when its lines do."""

    EACH = "each"  # every unit, whenever any line runs
    SPARE = "spare"  # k of n, taking turns
    LINES = "lines"  # one unit per running line
    ALWAYS = "always"  # never switched off (kilns)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSpec:
    """A production line."""

    name: str
    pattern: ShiftPattern
    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSpec:
    """A production machine on its own circuit."""

    circuit_id: str
    line: str
    rated_kw: float
    load: float  # typical share of rated while running
    no_load: float  # share of rated while energised without work: 3.6–11.1 % was measured
    swing: float  # slow variation of the load, relative
    ripple: float  # minute-to-minute variation, relative
    offset_s: int  # its switching lies this much after the line's
    drive: Drive = Drive.MOTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSpec:
    """A treatment unit (fan, pump, RTO, scrubber) on its own circuit."""

    circuit_id: str
    rated_kw: float
    level: float  # share of rated while running; it does not follow production
    wander: float  # slow variation (filter loading, dampers), relative
    drive: Drive = Drive.MOTOR
    duty_s: tuple[int, int] | None = None  # (on, period): a pump that cycles while in demand


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpec:
    """Treatment units that serve some lines together."""

    name: str
    lines: tuple[str, ...]
    units: tuple[UnitSpec, ...]
    mode: TreatmentMode
    pairing_id: str
    need: int = 0  # k of n for SPARE
    lead_s: int = 0  # starts this long before production
    run_on_s: int = 600  # stays on this long after production
    bridge_s: int = 1500  # stays on through pauses of at most this length


@dataclass(frozen=True, slots=True, kw_only=True)
class AuxiliarySpec:
    """A compressor, chiller or office feeder."""

    circuit_id: str
    rated_kw: float
    follows_lines: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSpec:
    """What the meter of one circuit makes of the truth."""

    circuit_id: str
    key: int
    p_decimals: int  # 0, 1 or 2: a resolution of 1, 0.1 or 0.01 kW
    register_decimals: int
    gain: float  # calibration error, within ±0.5 %
    register_start_micro_kwh: int
    electrical: bool  # has Q, U, I and PF
    imbalance: tuple[float, float, float]  # relative current of each phase, sums to 0
    nominal_v: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """One enterprise, complete."""

    enterprise: Enterprise
    gateway: Gateway
    key: int
    circuits: tuple[Circuit, ...]
    meters: tuple[MeterSpec, ...]  # one per circuit, same order
    lines: tuple[LineSpec, ...] = ()
    machines: tuple[MachineSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    auxiliaries: tuple[AuxiliarySpec, ...] = ()
    combined: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (circuit, unmetered parts it feeds)
    pairings: tuple[Pairing, ...] = ()
    measures: tuple[Measure, ...] = ()
    base_kw: float = 5.0  # lighting and whatever else only the main meter sees

    @property
    def enterprise_id(self) -> str:
        """The enterprise's id."""
        return self.enterprise.enterprise_id

    @property
    def step_s(self) -> int:
        """Resolution of the simulation [s]: the gateway's interval, at most a minute."""
        return min(self.gateway.interval_s, 60)
