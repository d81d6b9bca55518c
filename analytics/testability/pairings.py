"""What the meters of a pairing can show about its treatment."""

from collections.abc import Callable, Mapping

import numpy as np

from analytics.detectors.measured import measured
from analytics.detectors.stages import History
from analytics.detectors.treatment_dummy_load import PHYSICS_FACT, is_readable
from analytics.detectors.treatment_inspection_only import RUN_FACT
from analytics.pairing.levels import levels_of
from analytics.plants import Plant
from wattwitness.domain.registry import Pairing, Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import Thresholds
from wattwitness.domain.testability import NOT_APPLICABLE

STEADY = (
    "treatment_late_start",
    "treatment_early_stop",
    "treatment_underload",
    "treatment_gradual_underrun",
    "treatment_inspection_only",
)
"""Kinds that duty-cycled treatment cannot be asked about."""
KINDS = ("treatment_off", *STEADY, "treatment_dummy_load", "shared_treatment_short")


def plant_limit(plant: Plant) -> str:
    """Why nothing about treatment can be tested here; empty = something can."""
    roles = {circuit.role for circuit in plant.circuits}
    if not roles:
        return NOT_APPLICABLE
    if roles == {Role.MAIN}:
        return "only_main_meter"
    if Role.COMBINED in roles and not roles & {Role.PRODUCTION, Role.TREATMENT}:
        return "combined_meter"
    if Role.TREATMENT not in roles:
        return "no_treatment_meter"
    if Role.PRODUCTION not in roles and Role.COMBINED not in roles:
        return "no_production_meter"
    return "" if plant.pairings else "no_pairing"


def pairing_limit(plant: Plant, pairing: Pairing, newest: Mapping[str, Thresholds]) -> str:
    """Why the states of a pairing do not carry a judgement; empty = they do."""
    production = [newest.get(c) for c in pairing.production if c in plant.row]
    treatment = [newest.get(c) for c in pairing.treatment if c in plant.row]
    if not production:
        return "no_production_meter"
    if not treatment:
        return "no_treatment_meter"
    if any(t is not None and t.basis == "unresolvable" for t in production + treatment):
        return "below_resolution"
    if not any(t is not None and t.running_kw > 0 for t in production):
        return "too_little_history"
    if any(t is None or not t.standby_kw > 0 for t in treatment):
        return "too_little_history"
    return ""


def _inspection_limit(history: History, pairing: Pairing) -> str:
    days = history.facts_of(RUN_FACT, pairing.pairing_id).days
    least = CATALOGUE["treatment_inspection_only"].parameters["least_days"]
    return "too_little_history" if len(days) < least else ""


def _level_days(history: History, pairing: Pairing) -> int:
    """Days over which the levels of a pairing's units can be held against a reference."""
    units = [c for c in pairing.treatment if c in history.plant.row]
    levels = [found for c in units if (found := levels_of(history, c)) is not None]
    spans = (int(found.day_numbers[-1] - found.day_numbers[0]) + 1 for found in levels)
    return max(spans, default=0)


def _underload_limit(history: History, pairing: Pairing) -> str:
    return "" if _level_days(history, pairing) else "too_little_history"


def _gradual_limit(history: History, pairing: Pairing) -> str:
    least = CATALOGUE["treatment_gradual_underrun"].parameters["least_days"]
    return "" if _level_days(history, pairing) > least else "too_little_history"


def _physics_limit(history: History, pairing: Pairing) -> str:
    units = [c for c in pairing.treatment if c in history.plant.row]
    shown = (measured(history, c) for c in units)
    if not any({"pf", "q_kvar"} & own or own >= {"u_a", "u_b", "u_c"} for own in shown):
        return "no_voltage_or_power_factor"
    if any(is_readable(history, c) for c in units):
        return ""
    seen = any(np.isfinite(history.facts_of(PHYSICS_FACT, c).values).any() for c in units)
    return "too_coarse" if seen else "too_little_history"


_OWN_LIMITS: Mapping[str, Callable[[History, Pairing], str]] = {
    "treatment_underload": _underload_limit,
    "treatment_gradual_underrun": _gradual_limit,
    "treatment_dummy_load": _physics_limit,
    "treatment_inspection_only": _inspection_limit,
}


def kind_limit(history: History, pairing: Pairing, kind: str) -> str:
    """Why one kind cannot be tested on a pairing that can be judged; empty = it can."""
    if kind in STEADY and pairing.duty_cycled:
        return "duty_cycled"
    if kind == "shared_treatment_short" and len(pairing.treatment) < 2:
        return NOT_APPLICABLE
    own = _OWN_LIMITS.get(kind)
    return "" if own is None else own(history, pairing)
