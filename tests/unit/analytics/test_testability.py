from dataclasses import replace

import pytest

from analytics.plants import plant_of
from analytics.states.thresholds import UNKNOWN_THRESHOLDS
from analytics.testability import testability_of as judged
from wattwitness.domain.registry import Role
from wattwitness.domain.rules import CATALOGUE

SEEN = replace(
    UNKNOWN_THRESHOLDS,
    standby_kw=1.0,
    standby_release_kw=0.8,
    running_kw=20.0,
    running_release_kw=15.0,
    running_level_kw=80.0,
    basis="learned",
)


def why(kit, roles, pairings=(), newest=None):
    circuits = [kit.circuit(name, role, 10) for name, role in roles.items()]
    plant = plant_of(kit.registry(circuits, pairings), "E")
    found = judged(plant, newest or {})
    assert {t.kind for t in found} == set(CATALOGUE)
    return {t.pairing_id: t.why for t in found if t.kind == "treatment_off"}


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        ({}, "not_applicable"),
        ({"M": Role.MAIN}, "only_main_meter"),
        ({"M": Role.MAIN, "P": Role.PRODUCTION}, "no_treatment_meter"),
        ({"T": Role.TREATMENT}, "no_production_meter"),
        ({"C": Role.COMBINED}, "combined_meter"),
        ({"P": Role.PRODUCTION, "T": Role.TREATMENT}, "no_pairing"),
    ],
)
def test_what_the_meters_cannot_show(kit, roles, code) -> None:
    assert why(kit, roles) == {None: code}


@pytest.mark.parametrize(
    ("production", "treatment", "code"),
    [
        (SEEN, SEEN, ""),
        (SEEN, replace(SEEN, basis="unresolvable"), "below_resolution"),
        (UNKNOWN_THRESHOLDS, SEEN, "too_little_history"),
        (SEEN, UNKNOWN_THRESHOLDS, "too_little_history"),
    ],
)
def test_a_pairing_is_as_testable_as_its_circuits(kit, production, treatment, code) -> None:
    roles = {"P": Role.PRODUCTION, "T": Role.TREATMENT}
    found = why(kit, roles, [kit.pairing], {"P": production, "T": treatment})
    assert found == {None: code, "PT": code}
