"""What an alert demands of a plant."""

from dataclasses import replace
from datetime import time

import pytest

from analytics.plants import plant_of
from analytics.verdicts.orders import forbidden, plan_of
from wattwitness.domain.instants import from_us, to_us
from wattwitness.domain.registry import AlertLevel, Grade, Role
from wattwitness.domain.verdicts import VerdictCode


def local(yard, windows):
    """Windows [µs] as hours since the first midnight."""
    start = to_us(yard.at(0))
    return [((a - start) / 3.6e9, (b - start) / 3.6e9) for a, b in windows]


@pytest.mark.parametrize(
    ("hours", "windows"),
    [
        ((time(8), time(18)), [(0, 8), (18, 32), (42, 48)]),
        ((time(20), time(6)), [(6, 20), (30, 44)]),
        ((time(18), time(0)), [(0, 18), (24, 42)]),
        ((time(0), time(6)), [(6, 24), (30, 48)]),
    ],
)
def test_hours_may_wrap_midnight(yard, hours, windows):
    plan = plan_of(
        plant_of(yard.plant().registry, "E"), [yard.measure("hours", hours=hours)], Grade.C,
        yard.alert,
    )  # fmt: skip
    found = forbidden(plan.orders[0], to_us(yard.at(0)), to_us(yard.at(2)), plan.plant)
    assert local(yard, found) == windows


def test_no_measure_at_the_level_is_exempt(yard):
    found = yard.plant(yard.measure(level=AlertLevel.RED)).verdict(yard.usual())
    assert (found.verdict, found.why) == (VerdictCode.EXEMPT, ("no_measure",))
    leading = yard.plant(grade=Grade.A).verdict(yard.usual())
    assert (leading.verdict, leading.why) == (VerdictCode.EXEMPT, ("voluntary",))


def test_a_plant_without_circuits_or_readings_has_its_record(yard, kit):
    plant = yard.plant(yard.measure())
    trial = plant.kit.Trial(plant.registry)
    far = yard.readings({"P1": yard.usual()["P1"]})
    trial.series.add(replace_circuit(far, 99))  # somebody else's: the store goes on
    trial.analyse([])
    (found,) = trial.results.findings["E"].verdicts
    assert found.verdict is VerdictCode.INSUFFICIENT_DATA
    assert found.measures[0].coverage == 0.0
    bare = yard.plant(yard.measure(), circuits=[kit.circuit("T", Role.TREATMENT)])
    assert bare.verdict({"T": yard.usual()["T"]}).verdict is VerdictCode.INSUFFICIENT_DATA


def replace_circuit(rows, key):
    rows = rows.copy()
    rows["circuit"] = key
    return rows


def test_every_alert_of_the_district_has_its_own(yard):
    second = replace(yard.alert, alert_id="HP-2", response_from=yard.at(20), lifted_at=None)
    power = yard.usual()
    for name in ("P1", "P2"):
        power[name][yard.minutes(19.25, 21)] = 0.0
    plant = yard.plant(yard.measure(), alerts=[yard.alert, second])
    found = plant.trial(power).results.findings["E"].verdicts
    assert [v.alert_id for v in found] == ["HP-1", "HP-2"]
    assert found[1].as_of > found[0].as_of
    assert from_us(to_us(yard.alert.lifted_at)) == found[0].as_of


def test_what_is_demanded_has_a_name(yard):
    plant = plant_of(yard.plant().registry, "E")
    one = plan_of(plant, [yard.measure()], Grade.C, yard.alert)
    assert one.basis == plan_of(plant, [yard.measure()], Grade.C, yard.alert).basis
    lifted = replace(yard.alert, lifted_at=yard.at(21))
    assert one.basis != plan_of(plant, [yard.measure()], Grade.C, lifted).basis


def test_power_now_usual_and_required(yard):
    open_alert = replace(yard.alert, lifted_at=None)
    power = yard.usual()
    power["P1"][yard.minutes(19.25, 22)] = 0.0
    for values in power.values():
        values[yard.minutes(21.5, 22)] = float("nan")
    found = yard.plant(yard.measure("limit", limit_pct=50), alerts=[open_alert]).verdict(power)
    assert found.now_kw == pytest.approx(60, rel=0.1)
    assert found.baseline_kw == pytest.approx(140, rel=0.1)
    assert found.required_kw == pytest.approx(70, rel=0.1)
