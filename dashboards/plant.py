"""What the circuits of a plant do right now."""

from dataclasses import dataclass

from dashboards.desk import Desk
from dashboards.fleet import Condition, condition
from wattwitness.domain.instants import US_PER_DAY, US_PER_SECOND
from wattwitness.domain.registry import Circuit
from wattwitness.domain.states import State, StateSpell
from wattwitness.store.day_results import list_states
from wattwitness.store.latest import latest_values

_HOLD_INTERVALS = 2  # a reading stands for its interval, bridged over one lost sample


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitNow:
    """A circuit with its newest reading and the state that the analytics saw last."""

    circuit: Circuit
    last_us: int | None
    p_kw: float | None  # of the newest reading, however old
    state: State  # UNKNOWN once the newest reading no longer holds
    condition: Condition


def _state_at(spells: list[StateSpell]) -> State:
    return max(spells, key=lambda s: s.to).state if spells else State.UNKNOWN


async def circuits_now(desk: Desk, enterprise_id: str) -> list[CircuitNow]:
    """Every circuit of a plant, by role and id."""
    registry, now_us = await desk.registry(), desk.now_us()
    circuits = registry.circuits_of(enterprise_id)
    latest = {item.circuit_id: item for item in await latest_values(desk.db, enterprise_id)}
    ids = [c.circuit_id for c in circuits]
    spells = await list_states(desk.db, ids, now_us - US_PER_DAY, now_us)
    found = []
    for circuit in circuits:
        newest = latest.get(circuit.circuit_id)
        interval_s = registry.interval_s(circuit.circuit_id)
        last_us = None if newest is None else newest.ts_us
        holds = last_us is not None and (
            now_us - last_us <= (_HOLD_INTERVALS + 1) * interval_s * US_PER_SECOND
        )
        own = [s for s in spells if s.circuit_id == circuit.circuit_id]
        found.append(
            CircuitNow(
                circuit=circuit,
                last_us=last_us,
                p_kw=None if newest is None else newest.p_kw,
                state=_state_at(own) if holds else State.UNKNOWN,
                condition=condition(last_us, interval_s, now_us),
            )
        )
    return sorted(
        found, key=lambda item: (item.circuit.role.value != "main", item.circuit.circuit_id)
    )
