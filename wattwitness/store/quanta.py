"""Scaled integers: how a reading's physical values become counts, and back.

Power counts are the circuit's own (finer than its meter's resolution, at most 100 W), energy counts
follow the register, the rest is the same for all. Integers compress several times better than
floats and sum faster; they are scaled after aggregation, never before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.readings import Readings
from wattwitness.domain.registry import Circuit
from wattwitness.store.database import Database

U_PER_V = 10
I_PER_A = 100
PF_PER_1 = 10_000
FIXED_SCALES = {
    "u_a": U_PER_V,
    "u_b": U_PER_V,
    "u_c": U_PER_V,
    "i_a": I_PER_A,
    "i_b": I_PER_A,
    "i_c": I_PER_A,
    "pf": PF_PER_1,
}
STORED = {  # measurand → column of the readings table and its big-endian type
    "p_kw": ("p", ">i4"),
    "e_kwh": ("e", ">i8"),
    "q_kvar": ("q", ">i4"),
    **{name: (name, ">i4") for name in ("u_a", "u_b", "u_c", "i_a", "i_b", "i_c")},
    "pf": ("pf", ">i2"),
}


def power_quantum_w(circuit: Circuit) -> int:
    """One count of power [W]: a tenth of the resolution as a power of ten, in 1 … 100 W."""
    if not circuit.resolution_kw:
        return 1
    exponent = int(np.floor(np.log10(circuit.resolution_kw * 100.0) + 1e-9))
    return int(10 ** min(2, max(0, exponent)))


def energy_quantum_wh(circuit: Circuit) -> int:
    """One count of energy [Wh]: 10 Wh, or 1 Wh where the register is finer than 0.01 kWh."""
    return 10 if circuit.register_resolution_kwh >= 0.01 else 1


@dataclass(frozen=True, slots=True)
class CircuitFacts:
    """What the ingest needs of each circuit; arrays indexed by circuit key, 0 = unknown key."""

    power_w: NDArray[np.int64]
    energy_wh: NDArray[np.int64]
    enterprise: NDArray[np.int64]
    gateway: NDArray[np.int64]
    gateway_ids: dict[int, str]

    def knows(self, keys: NDArray[np.int32]) -> bool:
        """Whether every key is a circuit."""
        if len(keys) == 0:
            return True
        return bool(keys.max() < len(self.power_w) and (self.power_w[keys] > 0).all())


_FACTS = """
SELECT circuit_key, power_quantum_w, energy_quantum_wh, enterprise_key, gateway_key, gateway_id
FROM circuits JOIN gateways USING (gateway_key)
"""


async def circuit_facts(db: Database) -> CircuitFacts:
    """Load the facts of all circuits."""
    async with db.connection() as connection:
        rows = await connection.fetch(_FACTS)
    size = max((row["circuit_key"] for row in rows), default=0) + 1
    columns = {
        name: np.zeros(size, dtype=np.int64)
        for name in ("power_quantum_w", "energy_quantum_wh", "enterprise_key", "gateway_key")
    }
    for name, column in columns.items():
        for row in rows:
            column[row["circuit_key"]] = row[name]
    return CircuitFacts(
        columns["power_quantum_w"],
        columns["energy_quantum_wh"],
        columns["enterprise_key"],
        columns["gateway_key"],
        {row["gateway_key"]: row["gateway_id"] for row in rows},
    )


def scale(name: str, keys: NDArray[np.int32], facts: CircuitFacts) -> NDArray[np.float64] | float:
    """Counts per physical unit of measurand `name`, per row."""
    if name in FIXED_SCALES:
        return float(FIXED_SCALES[name])
    quantum = facts.energy_wh if name == "e_kwh" else facts.power_w
    scales: NDArray[np.float64] = 1000.0 / quantum[keys]
    return scales


def to_counts(rows: Readings, facts: CircuitFacts) -> dict[str, NDArray[np.int64]]:
    """Measurand → counts [n]; 0 where it was not measured (the caller keeps the NULL mask)."""
    keys = rows["circuit"]
    return {
        name: np.rint(np.nan_to_num(rows[name]) * scale(name, keys, facts)).astype(np.int64)
        for name in STORED
    }
