"""A plant while it is being drawn: meters are put on circuits one after the other."""

from dataclasses import dataclass, field

import numpy as np

from gateway_sim.blueprint import GroupSpec, LineSpec, MachineSpec, MeterSpec
from gateway_sim.noise import key_of
from wattwitness.domain.registry import Circuit, Pairing, Role


@dataclass(slots=True)
class Draft:
    """A plant being drawn."""

    rng: np.random.Generator
    seed: int
    enterprise_id: str
    electrical: bool
    circuits: list[Circuit] = field(default_factory=list)
    meters: list[MeterSpec] = field(default_factory=list)
    lines: list[LineSpec] = field(default_factory=list)
    machines: list[MachineSpec] = field(default_factory=list)
    groups: list[GroupSpec] = field(default_factory=list)
    pairings: list[Pairing] = field(default_factory=list)

    @property
    def gateway_id(self) -> str:
        """The enterprise's only gateway."""
        return f"{self.enterprise_id}-G1"

    def between(self, bounds: tuple[float, float]) -> float:
        """A uniform draw."""
        return float(self.rng.uniform(*bounds))

    def rated(self, bounds: tuple[float, float]) -> float:
        """A nameplate: whole kW, half ones for small motors."""
        kw = self.between(bounds)
        return float(round(kw)) if kw >= 10 else round(kw * 2) / 2

    def next_id(self, role: Role) -> str:
        """The next free circuit id of a role."""
        letter = {"main": "M", "production": "P", "treatment": "T", "combined": "C"}.get(role, "A")
        number = 1 + sum(c.role is role for c in self.circuits)
        return f"{self.enterprise_id}-{letter}{number}"

    def meter(self, role: Role, name: str, rated_kw: float, line: str | None = None) -> str:
        """Put a meter on a new circuit; returns the circuit's id."""
        circuit_id = self.next_id(role)
        coarse = rated_kw >= 150 and self.rng.random() < 0.25
        p_decimals = 0 if coarse else (1 if rated_kw >= 60 else 2)
        register_decimals = 1 if rated_kw >= 500 else 2
        main = next((c.circuit_id for c in self.circuits if c.role is Role.MAIN), None)
        self.circuits.append(
            Circuit(
                circuit_id=circuit_id,
                gateway_id=self.gateway_id,
                channel=circuit_id.rpartition("-")[2],
                role=role,
                name=name,
                line=line,
                rated_kw=rated_kw,
                resolution_kw=10.0**-p_decimals,
                register_resolution_kwh=10.0**-register_decimals,
                parent_circuit_id=None if role is Role.MAIN else main,
            )
        )
        self.meters.append(self._meter(circuit_id, p_decimals, register_decimals))
        return circuit_id

    def _meter(self, circuit_id: str, p_decimals: int, register_decimals: int) -> MeterSpec:
        imbalance = self.rng.normal(0.0, 0.008, size=3)
        imbalance -= imbalance.mean()
        return MeterSpec(
            circuit_id=circuit_id,
            key=key_of(self.seed, circuit_id, "meter"),
            p_decimals=p_decimals,
            register_decimals=register_decimals,
            gain=float(1.0 + self.rng.uniform(-0.005, 0.005)),
            register_start_micro_kwh=int(self.rng.integers(10**9, 9 * 10**11)),
            electrical=self.electrical,
            imbalance=(float(imbalance[0]), float(imbalance[1]), float(imbalance[2])),
            nominal_v=220.0,
        )

    def forget(self, roles: frozenset[Role]) -> None:
        """Take the meters of these roles away again; what they fed stays."""
        keep = [n for n, c in enumerate(self.circuits) if c.role not in roles]
        self.circuits = [self.circuits[n] for n in keep]
        self.meters = [self.meters[n] for n in keep]
