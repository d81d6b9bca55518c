"""A plant as the kernels see it: one enterprise of the registry, frozen and cheap to send."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_SECOND, to_us
from wattwitness.domain.registry import (
    PRODUCTION_ROLES,
    Circuit,
    Declaration,
    DeclarationStatus,
    Pairing,
    Registry,
    Role,
)

Interval = tuple[int, int]
"""[from, to) in µs since 1970."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A pairing that has circuits of the plant on both sides, and their rows."""

    pairing: Pairing
    production: list[int]
    treatment: list[int]


@dataclass(frozen=True, kw_only=True)
class Plant:
    """One enterprise: its circuits in a fixed order, which is the row order of all arrays."""

    enterprise_id: str
    circuits: tuple[Circuit, ...]
    keys: tuple[int, ...]  # integer keys, row by row
    intervals_s: tuple[int, ...]
    pairings: tuple[Pairing, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    zone: ZoneInfo = field(default=DEFAULT_ZONE)

    @cached_property
    def row(self) -> dict[str, int]:
        """Circuit id → row."""
        return {circuit.circuit_id: n for n, circuit in enumerate(self.circuits)}

    def rows(self, circuit_ids: Sequence[str]) -> list[int]:
        """Rows of circuits; ids of other enterprises are left out."""
        return [self.row[c] for c in circuit_ids if c in self.row]

    def rows_of(self, role: Role) -> list[int]:
        """Rows of the circuits with this role."""
        return [n for n, circuit in enumerate(self.circuits) if circuit.role is role]

    @cached_property
    def paired(self) -> tuple[Paired, ...]:
        """The pairings that have circuits on both sides."""
        return tuple(
            Paired(pairing, production, treatment)
            for pairing in self.pairings
            if (production := self.rows(pairing.production))
            and (treatment := self.rows(pairing.treatment))
        )

    @cached_property
    def produces(self) -> NDArray[np.bool_]:
        """Which rows are production [circuits]."""
        return np.array([c.role in PRODUCTION_ROLES for c in self.circuits], dtype=np.bool_)

    @cached_property
    def interval_us(self) -> NDArray[np.int64]:
        """Reading interval per row [µs]."""
        return np.array(self.intervals_s, dtype=np.int64) * US_PER_SECOND

    @cached_property
    def rated_kw(self) -> NDArray[np.float64]:
        """Nameplate power per row [kW]; NaN = not known."""
        return np.array([c.rated_kw or np.nan for c in self.circuits], dtype=np.float64)

    @cached_property
    def resolution_kw(self) -> NDArray[np.float64]:
        """Power step of the meter per row [kW]; 0 = fine enough."""
        return np.array([c.resolution_kw or 0.0 for c in self.circuits], dtype=np.float64)

    def declared(self, circuit_id: str) -> list[Interval]:
        """Windows of accepted declarations that cover a circuit, oldest first."""
        return [
            (to_us(d.from_), to_us(d.to))
            for d in self.declarations
            if d.status is DeclarationStatus.ACCEPTED and d.covers(circuit_id)
        ]


def plant_of(registry: Registry, enterprise_id: str, zone: ZoneInfo = DEFAULT_ZONE) -> Plant:
    """The plant of one enterprise of the registry."""
    circuits = registry.circuits_of(enterprise_id)
    return Plant(
        enterprise_id=enterprise_id,
        circuits=circuits,
        keys=tuple(registry.circuit_keys[c.circuit_id] for c in circuits),
        intervals_s=tuple(registry.interval_s(c.circuit_id) for c in circuits),
        pairings=registry.pairings_of(enterprise_id),
        declarations=registry.declarations_of(enterprise_id),
        zone=zone,
    )
