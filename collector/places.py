"""The registry as the wire sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.bounds import power_limit_kw
from wattwitness.domain.registry import Registry


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel's readings go."""

    key: int  # integer key of the circuit
    limit_kw: float


@dataclass(frozen=True)
class Places:
    """The registry as the wire sees it: gateway → channel → place."""

    by_gateway: Mapping[str, Mapping[str, Place]] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: Registry) -> "Places":
        """The places of all circuits; a gateway without circuits is known all the same."""
        found: dict[str, dict[str, Place]] = {gateway: {} for gateway in registry.gateways}
        for circuit in registry.circuits.values():
            key = registry.circuit_keys[circuit.circuit_id]
            found[circuit.gateway_id][circuit.channel] = Place(key, power_limit_kw(circuit))
        return cls(found)

    @cached_property
    def keys(self) -> Mapping[str, Mapping[str, int]]:
        """Gateway → channel → circuit key."""
        return {
            gateway: {channel: place.key for channel, place in channels.items()}
            for gateway, channels in self.by_gateway.items()
        }

    @cached_property
    def limit_kw(self) -> NDArray[np.float64]:
        """Power limits by circuit key."""
        known = [place for channels in self.by_gateway.values() for place in channels.values()]
        limits = np.zeros(max((place.key for place in known), default=0) + 1)
        for place in known:
            limits[place.key] = place.limit_kw
        return limits
