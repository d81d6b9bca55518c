"""What the ingest needs to know of each circuit, as arrays indexed by circuit key."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattwitness.store.database import Database

_FACTS = """
SELECT circuit_key, enterprise_key, gateway_key, gateway_id
FROM circuits JOIN gateways USING (gateway_key)
"""


@dataclass(frozen=True, slots=True)
class CircuitFacts:
    """Owner of each circuit; 0 = there is no such circuit."""

    enterprise: NDArray[np.int64]
    gateway: NDArray[np.int64]
    gateway_ids: dict[int, str]

    def knows(self, keys: NDArray[np.int32]) -> bool:
        """Whether every key is a circuit."""
        if len(keys) == 0:
            return True
        return bool(keys.max() < len(self.gateway) and (self.gateway[keys] > 0).all())


async def circuit_facts(db: Database) -> CircuitFacts:
    """Load the facts of all circuits."""
    async with db.connection() as connection:
        rows = await connection.fetch(_FACTS)
    size = max((row["circuit_key"] for row in rows), default=0) + 1
    enterprise, gateway = np.zeros((2, size), dtype=np.int64)
    for row in rows:
        enterprise[row["circuit_key"]] = row["enterprise_key"]
        gateway[row["circuit_key"]] = row["gateway_key"]
    return CircuitFacts(
        enterprise, gateway, {row["gateway_key"]: row["gateway_id"] for row in rows}
    )
