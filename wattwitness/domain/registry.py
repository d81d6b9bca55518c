"""The registry: who is watched, by which meters, under which plans.

One frozen value per file of the import contract; `Registry` holds them together and answers the
questions that the collector and the analytics ask. Ids are the outside's texts; the store maps them
to small integers (`circuit_keys`) which arrays carry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from functools import cached_property
from typing import Final


class Role(StrEnum):
    """What a circuit feeds (domain term 回路)."""

    MAIN = "main"
    PRODUCTION = "production"
    TREATMENT = "treatment"
    COMBINED = "combined"
    AUXILIARY = "auxiliary"


PRODUCTION_ROLES: Final = frozenset({Role.PRODUCTION, Role.COMBINED})
"""Roles of what produces; a combined meter counts production and treatment together."""


class Grade(StrEnum):
    """Performance grade for heavy-pollution emergencies (绩效分级)."""

    A = "A"
    B = "B"
    B_MINUS = "B-"
    C = "C"
    D = "D"
    LEADING = "leading"
    NONE = "none"


VOLUNTARY: Final = frozenset({Grade.A, Grade.LEADING})
"""Grades that take measures of their own will."""


class Protocol(StrEnum):
    """How a gateway speaks."""

    MQTT = "mqtt"
    SPARKPLUG = "sparkplug"
    HJ212 = "hj212"


class AlertLevel(StrEnum):
    """Heavy-pollution alert level (预警级别)."""

    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"


class MeasureAction(StrEnum):
    """What an emergency measure demands."""

    STOP = "stop"
    LIMIT = "limit"
    HOURS = "hours"


class DeclarationReason(StrEnum):
    """Why an enterprise filed a declaration (报备)."""

    MAINTENANCE = "maintenance"
    STOP = "stop"
    POWER_CUT = "power_cut"
    TRIAL = "trial"
    HOLIDAY = "holiday"


class DeclarationStatus(StrEnum):
    """Only an accepted declaration suppresses anything."""

    ACCEPTED = "accepted"
    FILED = "filed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enterprise:
    """A plant (企业)."""

    enterprise_id: str
    name: str
    credit_code: str | None = None
    district: str | None = None
    industry: str | None = None
    grade: Grade = Grade.NONE
    lon: float | None = None
    lat: float | None = None
    positive_list: bool = False
    # the period an officer verified as clean and typical; references are learned there
    verified_from: datetime | None = None
    verified_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The box that reads meters and publishes (采集网关)."""

    gateway_id: str
    enterprise_id: str
    protocol: Protocol = Protocol.MQTT
    interval_s: int = 60
    mn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """One metered feeder (回路)."""

    circuit_id: str
    gateway_id: str
    channel: str  # its name on the wire
    role: Role
    name: str | None = None
    line: str | None = None
    rated_kw: float | None = None
    resolution_kw: float | None = None
    register_resolution_kwh: float = 0.01
    nominal_v: float = 220.0
    parent_circuit_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which treatment must run when which production runs (产治关联)."""

    pairing_id: str
    production: tuple[str, ...]
    treatment: tuple[str, ...]
    require: str = "all"  # `all`, `any`, `lines`, or a whole number k
    lead_min: float = 0.0
    start_lag_min: float = 10.0
    stop_lag_min: float = 10.0
    duty_cycled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What an enterprise's plan demands at a level (应急减排措施)."""

    enterprise_id: str
    level: AlertLevel
    action: MeasureAction
    scope: tuple[str, ...] = ("*",)  # circuit ids, one line's name, or `*`
    limit_pct: float | None = None
    hours: tuple[time, time] | None = None  # allowed clock hours, local
    grace_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """An upgrade or downgrade in course; its level holds from its own `response_from`."""

    level: AlertLevel
    issued_at: datetime
    response_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPhase:
    """A time of an alert under one level; `to` None = not over."""

    level: AlertLevel
    from_: datetime
    to: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A heavy-pollution alert (重污染天气预警); measured from `response_from`."""

    alert_id: str
    level: AlertLevel  # with which it began
    issued_at: datetime
    response_from: datetime
    lifted_at: datetime | None = None
    districts: tuple[str, ...] = ()  # empty = all
    changes: tuple[AlertChange, ...] = ()  # oldest response first

    def concerns(self, district: str | None) -> bool:
        """Whether an enterprise of this district is under it."""
        return not self.districts or district in self.districts

    def phases(self) -> tuple[AlertPhase, ...]:
        """The alert's times by level, oldest first; without those that the lift left empty."""
        steps = [(self.level, self.response_from)]
        steps += [(c.level, max(c.response_from, self.response_from)) for c in self.changes]
        ends = [begins for _, begins in steps[1:]] + [None]
        found = []
        for (level, begins), end in zip(steps, ends, strict=True):
            until = self.lifted_at if end is None else min(end, self.lifted_at or end)
            if until is None or begins < until:
                found.append(AlertPhase(level=level, from_=begins, to=until))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A stop, repair, trial run or power cut that the enterprise filed (报备)."""

    enterprise_id: str
    from_: datetime
    to: datetime
    reason: DeclarationReason
    circuits: tuple[str, ...] = ()  # empty = all
    status: DeclarationStatus = DeclarationStatus.ACCEPTED

    @property
    def declaration_id(self) -> str:
        """A name that survives re-import: enterprise, start, reason, and the circuits it names."""
        name = f"{self.enterprise_id}@{self.from_:%Y%m%dT%H%M}Z-{self.reason.value}"
        return "-".join((name, *self.circuits))

    def covers(self, circuit_id: str) -> bool:
        """Whether the declaration names this circuit (an empty list names all)."""
        return not self.circuits or circuit_id in self.circuits


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A visit by officers, for the inspection-only rule."""

    enterprise_id: str
    from_: datetime
    to: datetime


@dataclass(frozen=True, kw_only=True)
class Registry:
    """All of it. Immutable: a changed registry is a new value with a higher revision."""

    enterprises: Mapping[str, Enterprise] = field(default_factory=dict)
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    circuits: Mapping[str, Circuit] = field(default_factory=dict)
    pairings: Mapping[str, Pairing] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    declarations: tuple[Declaration, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    # text id → the integer that arrays and the readings table carry; set by the store
    circuit_keys: Mapping[str, int] = field(default_factory=dict)
    revision: int = 0

    @cached_property
    def circuit_by_key(self) -> Mapping[int, Circuit]:
        """Integer key → circuit."""
        return {self.circuit_keys[c.circuit_id]: c for c in self.circuits.values()}

    @cached_property
    def _circuits_by_enterprise(self) -> Mapping[str, tuple[Circuit, ...]]:
        found: dict[str, list[Circuit]] = {e: [] for e in self.enterprises}
        for circuit in self.circuits.values():
            found[self.enterprise_of(circuit.circuit_id)].append(circuit)
        return {e: tuple(sorted(cs, key=lambda c: c.circuit_id)) for e, cs in found.items()}

    def circuits_of(self, enterprise_id: str) -> tuple[Circuit, ...]:
        """An enterprise's circuits, by id."""
        return self._circuits_by_enterprise.get(enterprise_id, ())

    def enterprise_of(self, circuit_id: str) -> str:
        """The enterprise that a circuit belongs to."""
        return self.gateways[self.circuits[circuit_id].gateway_id].enterprise_id

    @cached_property
    def _pairings_by_enterprise(self) -> Mapping[str, tuple[Pairing, ...]]:
        found: dict[str, list[Pairing]] = {}
        for pairing in self.pairings.values():
            found.setdefault(self.enterprise_of(pairing.production[0]), []).append(pairing)
        return {e: tuple(sorted(ps, key=lambda p: p.pairing_id)) for e, ps in found.items()}

    def pairings_of(self, enterprise_id: str) -> tuple[Pairing, ...]:
        """An enterprise's pairings, by id."""
        return self._pairings_by_enterprise.get(enterprise_id, ())

    def declarations_of(self, enterprise_id: str) -> tuple[Declaration, ...]:
        """An enterprise's declarations of any status, oldest first."""
        found = (d for d in self.declarations if d.enterprise_id == enterprise_id)
        return tuple(sorted(found, key=lambda d: (d.from_, d.to, d.reason)))

    def interval_s(self, circuit_id: str) -> int:
        """The reading interval of a circuit [s]."""
        return self.gateways[self.circuits[circuit_id].gateway_id].interval_s
