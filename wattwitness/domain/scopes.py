"""What the scope of a measure names: circuits, a line, or the plant.

The plan check and the verdicts resolve a scope here, so that what is checked before the season is
what is judged in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from wattwitness.domain.registry import (
    PRODUCTION_ROLES,
    Circuit,
    Measure,
    MeasureAction,
    Role,
)

EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Named:
    """What a scope names in a plant."""

    circuits: tuple[Circuit, ...]  # each once, in the plant's order
    unresolved: tuple[str, ...]  # parts of the scope that name nothing


def standing_for_plant(circuits: Sequence[Circuit]) -> tuple[Circuit, ...]:
    """The circuits whose energy stands for a plant's production.

    The production and combined ones; the main meters where there are none.
    """
    producing = tuple(c for c in circuits if c.role in PRODUCTION_ROLES)
    return producing or tuple(c for c in circuits if c.role is Role.MAIN)


def named_by(scope: Sequence[str], circuits: Sequence[Circuit]) -> Named:
    """What a scope names.

    `*` and a line mean what produces there. Circuits that are named are taken as they are, whatever
    their role; an id goes before a line of the same name.

    Args:
        scope: circuit ids, a line, or `*`.
        circuits: of the enterprise.
    """
    chosen: set[str] = set()
    unresolved = []
    for name in scope:
        if name == EVERYTHING:
            own = standing_for_plant(circuits)
        else:
            own = tuple(c for c in circuits if c.circuit_id == name) or tuple(
                c for c in circuits if c.line == name and c.role in PRODUCTION_ROLES
            )
        chosen.update(c.circuit_id for c in own)
        if not own:
            unresolved.append(name)
    return Named(tuple(c for c in circuits if c.circuit_id in chosen), tuple(unresolved))


def judged_by(measure: Measure, circuits: Sequence[Circuit]) -> Named:
    """What a measure is judged by: what its scope names; a limit by the production among that.

    Args:
        measure: of the enterprise's plan.
        circuits: of the enterprise.
    """
    named = named_by(measure.scope, circuits)
    if measure.action is not MeasureAction.LIMIT:
        return named
    return replace(named, circuits=standing_for_plant(named.circuits) or named.circuits)
