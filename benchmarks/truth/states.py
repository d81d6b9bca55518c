"""States that were said against the states that were, minute by minute."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.evaluation.states import StateScore
from benchmarks.truth.trial import Job
from gateway_sim.effects import Action
from gateway_sim.spells import inside
from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.registry import Role
from wattwitness.domain.states import State, StateSpell

SCORED = (Role.PRODUCTION, Role.TREATMENT)
LYING = frozenset(
    {
        Action.RESISTOR,
        Action.FREEZE,
        Action.REPLAY,
        Action.SKEW,
        Action.DIVERT,
        Action.REVERSED,
        Action.SPIKE,
    }
)
"""Effects under which a meter does not show what its circuit does: nobody can know the state."""


def _painted(spells: Sequence[StateSpell], from_us: int, minutes: int) -> NDArray[np.int8]:
    grid = np.zeros(minutes, dtype=np.int8)
    for spell in spells:
        start = (to_us(spell.from_) - from_us) // US_PER_MINUTE
        end = (to_us(spell.to) - from_us) // US_PER_MINUTE
        grid[max(0, start) : max(0, min(minutes, end))] = int(spell.state)
    return grid


def score_states(job: Job, said: Sequence[StateSpell]) -> dict[str, StateScore]:
    """Production and treatment circuits of one enterprise, by role."""
    minutes = (job.end_us - job.start_us) // US_PER_MINUTE
    scores = {role.value: StateScore() for role in SCORED}
    at_us, truth = job.plant.true_states(job.start_us, job.end_us)
    sampled = (at_us - job.start_us) % US_PER_MINUTE == 0
    at_s = at_us[sampled] // 1_000_000
    by_circuit: dict[str, list[StateSpell]] = {}
    for spell in said:
        by_circuit.setdefault(spell.circuit_id, []).append(spell)
    for circuit in job.plant.blueprint.circuits:
        if circuit.role not in SCORED:
            continue
        name = circuit.circuit_id
        real = truth[name][sampled].astype(np.int8)[:minutes]
        lies = [
            e.spell for e in job.plant.around.effects if e.action in LYING and name in e.targets
        ]
        real[inside(lies, at_s)[:minutes]] = int(State.UNKNOWN)
        grid = _painted(by_circuit.get(name, ()), job.start_us, minutes)
        scores[circuit.role.value].add(real, grid)
    return scores
