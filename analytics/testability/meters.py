"""What the meters of an enterprise can show about themselves and about its energy."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from analytics.detectors.frozen_reading import is_lively
from analytics.detectors.measured import measured
from analytics.detectors.plant_energy import ENERGY_FACT, energy_rows
from analytics.detectors.replayed_data import DIGEST_FACT
from analytics.detectors.stages import History
from analytics.detectors.unmetered_production import LEAST_BLOCKS, MAIN_FACT, children
from analytics.references import reference_period, within
from wattwitness.domain.facts import BLOCKS
from wattwitness.domain.registry import Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.testability import NOT_APPLICABLE

_PHASES_U, _PHASES_I = frozenset({"u_a", "u_b", "u_c"}), frozenset({"i_a", "i_b", "i_c"})


def _measured(history: History) -> Iterator[frozenset[str]]:
    return (measured(history, c.circuit_id) for c in history.plant.circuits)


def _unmetered(history: History) -> str:
    mains = [history.plant.circuits[row].circuit_id for row in history.plant.rows_of(Role.MAIN)]
    if not mains:
        return "no_main_meter"
    with_subs = [main for main in mains if children(history.plant, main)]
    if not with_subs:
        return "no_sub_meters"
    for main in with_subs:
        table = history.facts_of(MAIN_FACT, main)
        period = reference_period(history, table.days)
        if period is not None:
            known = np.isfinite(table.values[within(table, period), :BLOCKS]).sum()
            if known >= LEAST_BLOCKS:
                return ""
    return "too_little_history"


def _gap(history: History) -> str:
    occasions = len(history.alerts) + len(history.inspections)
    return "" if occasions else NOT_APPLICABLE


def _counter(history: History) -> str:
    return "" if any("e_kwh" in m for m in _measured(history)) else "no_register"


def _frozen(history: History) -> str:
    fine = {"e_kwh", "u_a", "i_a"}
    if any(fine & m for m in _measured(history)):
        return ""
    ids = [c.circuit_id for c in history.plant.circuits]
    return "" if any(is_lively(history, c) for c in ids) else "power_only"


def _replayed(history: History) -> str:
    ids = [c.circuit_id for c in history.plant.circuits]
    return "" if any(history.facts_of(DIGEST_FACT, c).days for c in ids) else "too_coarse"


def _skew(history: History) -> str:
    told = any("received_at" in m for m in _measured(history))
    return "" if told else "no_receipt_times"


def _phases(history: History) -> str:
    shown = any(m >= _PHASES_U or m >= _PHASES_I for m in _measured(history))
    return "" if shown else "no_three_phases"


def _surge(history: History) -> str:
    if not history.alerts:
        return NOT_APPLICABLE
    if not energy_rows(history.plant):
        return "no_production_meter"
    days = history.facts_of(ENERGY_FACT, "").days
    return "" if len(days) >= 7 else "too_little_history"


def _curtailment(history: History) -> str:
    """Whether the orders of a plan can be held against what is metered."""
    if not history.alerts or not history.measures:
        return NOT_APPLICABLE
    rows = energy_rows(history.plant)
    if not rows:
        return "no_production_meter"
    own = [history.thresholds.get(history.plant.circuits[row].circuit_id) for row in rows]
    if all(t is not None and t.basis == "unresolvable" for t in own):
        return "below_resolution"
    days = history.facts_of(ENERGY_FACT, "").days
    least = CATALOGUE["curtailment_violation"].parameters["least_like_days"]
    return "" if len(days) >= least else "too_little_history"


def _growth(history: History) -> str:
    if not energy_rows(history.plant):
        return "no_production_meter"
    days = history.facts_of(ENERGY_FACT, "").days
    least = CATALOGUE["capacity_growth"].parameters["least_days"]
    enough = bool(days) and (days[-1] - days[0]).days + 1 >= least
    return "" if enough else "too_little_history"


LIMITS: Mapping[str, Callable[[History], str]] = {
    "unmetered_production": _unmetered,
    "data_gap_at_alert": _gap,
    "counter_anomaly": _counter,
    "frozen_reading": _frozen,
    "replayed_data": _replayed,
    "clock_skew": _skew,
    "phase_loss": _phases,
    "curtailment_violation": _curtailment,
    "production_surge": _surge,
    "capacity_growth": _growth,
}
"""Kind → why it cannot be tested in an enterprise; empty = it can."""
