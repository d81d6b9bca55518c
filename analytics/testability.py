"""Honest limits: what the meters of an enterprise can show, told per kind and pairing.

Not testable is an answer of its own, never "clean". Codes of `why`:

    not_yet_judged        the kind has its place in the catalogue, this version does not judge it
    not_applicable        there is nothing to test
    only_main_meter       production and treatment are not metered apart
    combined_meter        production and treatment share a meter (产治一体)
    no_production_meter, no_treatment_meter, no_pairing
    below_resolution      a circuit runs below three steps of its meter
    too_little_history    a circuit was never seen running and has no nameplate
"""

from collections.abc import Mapping

from analytics.plants import Plant
from wattwitness.domain.registry import Pairing, Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import Thresholds
from wattwitness.domain.testability import NOT_APPLICABLE, Testability

KIND = "treatment_off"


def _plant_limit(plant: Plant) -> str:
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


def _pairing_limit(plant: Plant, pairing: Pairing, newest: Mapping[str, Thresholds]) -> str:
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


def testability_of(plant: Plant, newest: Mapping[str, Thresholds]) -> list[Testability]:
    """Every kind of the catalogue for one enterprise; pairing by pairing where it is judged.

    The record without a pairing says whether the kind can be tested anywhere in the enterprise.

    Args:
        plant: circuits and pairings.
        newest: circuit id → the thresholds of its newest judged day.
    """
    found = [
        Testability(
            enterprise_id=plant.enterprise_id,
            kind=code,
            pairing_id=None,
            testable=False,
            why="not_yet_judged",
        )
        for code, rule in CATALOGUE.items()
        if not rule.since
    ]
    whys = {p.pairing_id: _pairing_limit(plant, p, newest) for p in plant.pairings}
    limit = _plant_limit(plant)
    overall = limit or ("" if "" in whys.values() else next(iter(whys.values())))
    rows: list[tuple[str | None, str]] = [(None, overall)]
    rows += [(pairing_id, limit or why) for pairing_id, why in whys.items()]
    found += [
        Testability(
            enterprise_id=plant.enterprise_id,
            kind=KIND,
            pairing_id=pairing_id,
            testable=not why,
            why=why,
        )
        for pairing_id, why in rows
    ]
    return found
