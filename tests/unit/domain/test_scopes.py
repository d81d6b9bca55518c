"""What a scope names: circuits, a line, or the plant."""

import pytest

from wattwitness.domain.registry import AlertLevel, Circuit, Measure, MeasureAction, Role
from wattwitness.domain.scopes import judged_by, named_by, standing_for_plant


def circuit(name: str, role: str, line: str | None = None) -> Circuit:
    return Circuit(circuit_id=name, gateway_id="G", channel=name, role=Role(role), line=line)


PLANT = (
    circuit("A", "auxiliary", "L2"),
    circuit("C", "combined", "L1"),
    circuit("M", "main"),
    circuit("P1", "production", "L1"),
    circuit("P2", "production", "P1"),
    circuit("T", "treatment", "L1"),
)


def ids(circuits) -> list[str]:
    return [c.circuit_id for c in circuits]


@pytest.mark.parametrize(
    ("scope", "named", "unresolved"),
    [
        (("*",), ["C", "P1", "P2"], ()),
        (("L1",), ["C", "P1"], ()),
        (("P2",), ["P2"], ()),
        (("T", "P2"), ["P2", "T"], ()),
        (("P1",), ["P1"], ()),  # an id goes before the line of that name
        (("L2",), [], ("L2",)),  # nothing produces on that line
        (("P2", "gone"), ["P2"], ("gone",)),
        (("P1", "*"), ["C", "P1", "P2"], ()),
        ((), [], ()),
    ],
)
def test_what_a_scope_names(scope, named, unresolved):
    found = named_by(scope, PLANT)
    assert (ids(found.circuits), found.unresolved) == (named, unresolved)


def test_main_meters_stand_for_a_plant_only_where_nothing_that_produces_is_metered():
    assert ids(standing_for_plant(PLANT)) == ["C", "P1", "P2"]
    bare = (circuit("M", "main"), circuit("T", "treatment"))
    assert ids(standing_for_plant(bare)) == ["M"]
    assert named_by(("*",), bare[1:]).unresolved == ("*",)


@pytest.mark.parametrize(
    ("action", "scope", "judged"),
    [
        ("limit", ("P1", "T"), ["P1"]),
        ("limit", ("M", "P2"), ["P2"]),
        ("limit", ("M", "T"), ["M"]),
        ("limit", ("T",), ["T"]),
        ("stop", ("P1", "T"), ["P1", "T"]),
        ("hours", ("M", "P2"), ["M", "P2"]),
    ],
)
def test_a_limit_is_judged_by_the_production_that_its_scope_names(action, scope, judged):
    measure = Measure(
        enterprise_id="E", level=AlertLevel.RED, action=MeasureAction(action), scope=scope
    )
    assert ids(judged_by(measure, PLANT).circuits) == judged
