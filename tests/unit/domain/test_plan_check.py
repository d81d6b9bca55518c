"""Plans against meters: one thing wrong → its code, and how far it takes the measure down."""

from dataclasses import replace
from datetime import time

import pytest

from wattwitness.domain.plan_check import (
    WHYS,
    MeterHistory,
    PlanStanding,
    check_plans,
)
from wattwitness.domain.registry import (
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    Grade,
    Measure,
    MeasureAction,
    Registry,
    Role,
)

GOOD = MeterHistory(days=40, running_kw=80.0)
STOP = Measure(enterprise_id="E", level=AlertLevel.RED, action=MeasureAction.STOP)
LIMIT = replace(STOP, action=MeasureAction.LIMIT, limit_pct=50.0)
HOURS = replace(STOP, action=MeasureAction.HOURS, hours=(time(22), time(6)))


def circuit(name, role, line=None, **more):
    return Circuit(
        circuit_id=name, gateway_id="G", channel=name, role=Role(role), line=line, **more
    )


def city(*measures, interval_s=60, grade=Grade.A, circuits=None) -> Registry:
    found = circuits or [
        circuit("M", "main"),
        circuit("P1", "production", "L1", resolution_kw=1.0),
        circuit("P2", "production", "L2"),
        circuit("T", "treatment", "L1"),
    ]
    return Registry(
        enterprises={"E": Enterprise(enterprise_id="E", name="厂", grade=grade)},
        gateways={"G": Gateway(gateway_id="G", enterprise_id="E", interval_s=interval_s)},
        circuits={c.circuit_id: c for c in found},
        measures=measures,
    )


def look(registry, *, no_register=False, **past):
    histories = {c: past.get(c, GOOD) for c in registry.circuits}
    registers = frozenset({"E"} if no_register else ())
    (found,) = check_plans(registry, histories, registers)
    return found


def test_a_scope_with_one_bad_part_tells_which():
    """Sound circuits beside it do not make it verifiable."""
    found = look(city(replace(STOP, scope=("P1", "gone"))))
    assert (found.standing, found.why) == (PlanStanding.UNVERIFIABLE, ("part_names_nothing",))
    assert found.circuits == ("P1",)
    assert found.parts_with("part_names_nothing") == ("gone",)


def test_a_silent_circuit_among_sound_ones_is_named():
    found = look(city(STOP), P2=MeterHistory(days=0, running_kw=None))
    assert (found.standing, found.why) == (PlanStanding.UNVERIFIABLE, ("no_data",))
    assert found.parts == {"P2": ("no_data",)}
    assert found.parts_with("no_data") == ("P2",)


def test_what_is_wrong_with_all_circuits_names_none():
    found = look(city(STOP, interval_s=400))
    assert found.parts_with("coarse_interval") == ()


@pytest.mark.parametrize("measure", [STOP, LIMIT, HOURS], ids=lambda m: m.action.value)
def test_a_sound_measure_is_verifiable(measure):
    found = look(city(measure))
    assert (found.standing, found.why) == (PlanStanding.VERIFIABLE, ())
    assert found.circuits == ("P1", "P2")


def test_the_main_meter_stands_for_a_plant_only_where_nothing_else_is_metered():
    registry = city(STOP, circuits=[circuit("M", "main"), circuit("T", "treatment")])
    found = look(registry)
    assert (found.circuits, found.why) == (("M",), ("only_main_meter",))
    assert found.standing is PlanStanding.WEAK


@pytest.mark.parametrize(
    ("measure", "interval_s", "why"),
    [
        (STOP, 300, ()),
        (STOP, 301, ("coarse_interval",)),
        (STOP, 1200, ("coarse_interval",)),
        (STOP, 1201, ("interval_too_long",)),
        (HOURS, 600, ("coarse_interval",)),
        (HOURS, 900, ("interval_too_long",)),
        (LIMIT, 3600, ()),
    ],
)
def test_readings_far_apart_count_no_minutes(measure, interval_s, why):
    assert look(city(measure, interval_s=interval_s)).why == why


@pytest.mark.parametrize(
    ("measure", "past", "why"),
    [
        (STOP, MeterHistory(days=0, running_kw=None), ("no_data", )),
        (LIMIT, MeterHistory(days=9, running_kw=80.0), ("short_history",)),
        (LIMIT, MeterHistory(days=10, running_kw=80.0), ()),
        (STOP, MeterHistory(days=9, running_kw=80.0), ("new_meter",)),
        (STOP, MeterHistory(days=40, running_kw=None), ("never_ran",)),
        (LIMIT, MeterHistory(days=40, running_kw=None), ()),
        (STOP, MeterHistory(days=40, running_kw=2.9), ("below_resolution",)),
        (STOP, MeterHistory(days=40, running_kw=3.0), ()),
        (STOP, MeterHistory(days=40, running_kw=None, unresolvable=True), ("below_resolution",)),
        (LIMIT, MeterHistory(days=40, running_kw=2.9), ()),
    ],
)  # fmt: skip
def test_what_the_past_of_a_meter_carries(measure, past, why):
    assert look(city(measure), P1=past).why == why


def test_the_nameplate_stands_in_for_a_level_that_was_never_seen():
    small = circuit("P1", "production", resolution_kw=1.0, rated_kw=2.0)
    unseen = MeterHistory(days=40, running_kw=None)
    found = look(city(STOP, circuits=[small]), P1=unseen)
    assert found.why == ("below_resolution", "never_ran")


@pytest.mark.parametrize(
    ("measure", "why"),
    [
        (replace(STOP, scope=("gone",)), ("scope_names_nothing",)),
        (replace(STOP, scope=("T",)), ("names_no_production",)),
        (replace(STOP, scope=("P1", "T")), ("names_treatment",)),
        (replace(LIMIT, limit_pct=70.0), ()),
        (replace(LIMIT, limit_pct=71.0), ("small_cut",)),
    ],
)
def test_what_a_measure_says(measure, why):
    assert look(city(measure)).why == why


def test_a_line_with_treatment_only_names_no_circuit_to_judge():
    registry = city(replace(STOP, scope=("L9",)), circuits=[circuit("T", "treatment", "L9")])
    assert look(registry).why == ("scope_names_nothing",)


def test_a_combined_meter_cannot_show_treatment_on_and_production_off():
    registry = city(STOP, circuits=[circuit("C", "combined")])
    assert look(registry).why == ("combined_meter",)


def test_a_limit_needs_a_register_where_power_is_not_integrated():
    assert look(city(LIMIT, interval_s=900), no_register=True).why == ("no_register",)
    assert look(city(LIMIT, interval_s=60), no_register=True).why == ()


@pytest.mark.parametrize(
    ("grade", "levels"),
    [
        ("A", []), ("leading", []), ("B", ["orange", "red"]), ("B-", ["orange", "red"]),
        ("C", ["orange", "red"]), ("D", ["yellow", "orange", "red"]),
        ("none", ["yellow", "orange", "red"]),
    ],
)  # fmt: skip
def test_levels_without_a_measure_are_told_by_grade(grade, levels):
    found = check_plans(city(grade=Grade(grade)), {})
    assert [f.level.value for f in found] == levels
    assert all(f.why == ("no_measure",) and f.measure is None for f in found)


def test_the_worst_reason_stands_and_every_reason_is_told():
    registry = city(replace(STOP, scope=("P1", "T")), interval_s=400)
    found = look(registry, P1=MeterHistory(days=3, running_kw=1.0))
    assert found.why == ("below_resolution", "names_treatment", "coarse_interval", "new_meter")
    assert found.standing is PlanStanding.UNVERIFIABLE
    assert set(found.why) <= set(WHYS)


def test_only_the_wanted_enterprises_are_looked_at():
    assert check_plans(city(STOP), {}, wanted=[]) == []
    assert len(check_plans(city(STOP), {}, wanted=["E"])) == 1
