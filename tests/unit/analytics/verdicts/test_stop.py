"""`stop` and `hours`: running minutes of the named circuits, minute by minute."""

from dataclasses import replace
from datetime import time

import numpy as np
import pytest

from wattwitness.domain.registry import AlertChange, AlertLevel, Role
from wattwitness.domain.verdicts import VerdictCode


def cut(yard, power, *names, from_day=19.25, to_day=22.0):
    for name in names:
        power[name][yard.minutes(from_day, to_day)] = 0.0
    return power


def test_all_lines_stopped_is_complied(yard):
    found = yard.plant(yard.measure()).verdict(cut(yard, yard.usual(), "P1", "P2", "T"))
    assert found.verdict is VerdictCode.COMPLIED
    assert found.confidence > 0.95
    (told,) = found.measures
    assert told.running_minutes == 0.0
    assert told.allowed_minutes == 20.0
    assert told.usual_minutes == pytest.approx(1800, abs=20)
    assert told.coverage == 1.0
    assert told.circuits == ("P1", "P2")
    assert (found.as_of, told.from_, told.to) == (
        yard.alert.lifted_at, yard.at(19, 8), yard.alert.lifted_at
    )  # fmt: skip


def test_working_on_is_violated(yard):
    found = yard.plant(yard.measure()).verdict(yard.usual())
    assert found.verdict is VerdictCode.VIOLATED
    assert found.measures[0].running_share == pytest.approx(1.0, abs=0.02)


def test_one_of_two_lines_is_partial(yard):
    found = yard.plant(yard.measure()).verdict(cut(yard, yard.usual(), "P1"))
    assert found.verdict is VerdictCode.PARTIAL
    assert found.measures[0].running_share == pytest.approx(0.5, abs=0.02)
    assert found.measures[0].running_minutes == pytest.approx(1800, abs=20)


def test_the_named_line_alone_counts(yard):
    power = cut(yard, yard.usual(), "P1")
    by_line = yard.plant(yard.measure(scope=("one",)))
    assert by_line.verdict(power).verdict is VerdictCode.COMPLIED
    by_circuit = yard.plant(yard.measure(scope=("P2",)))
    assert by_circuit.verdict(power).verdict is VerdictCode.VIOLATED


def test_a_line_that_nobody_knows_is_not_judged(yard):
    found = yard.plant(yard.measure(scope=("three",))).verdict(yard.usual())
    assert found.verdict is VerdictCode.INSUFFICIENT_DATA
    assert found.why == ("unknown_scope",)


@pytest.mark.parametrize(
    ("ran_min", "word"), [(15, VerdictCode.COMPLIED), (30, VerdictCode.PARTIAL)]
)
def test_twenty_minutes_are_allowed(yard, ran_min, word):
    power = cut(yard, yard.usual(), "P1", "P2")
    power["P1"][yard.minutes(20.5, 20.5 + ran_min / 1440)] = 80.0
    assert yard.plant(yard.measure()).verdict(power).verdict is word


def test_grace_is_not_judged(yard):
    power = cut(yard, yard.usual(), "P1", "P2", from_day=19.25 + 4.4 / 24)
    hours = yard.plant(yard.measure(grace_min=300)).verdict(power)
    assert hours.verdict is VerdictCode.COMPLIED
    assert yard.plant(yard.measure()).verdict(power).verdict is VerdictCode.PARTIAL


def test_within_grace_nothing_is_said(yard):
    open_alert = replace(yard.alert, lifted_at=None, response_from=yard.at(21, 23))
    plant = yard.plant(yard.measure(grace_min=480), alerts=[open_alert])
    found = plant.verdict(yard.usual())
    assert (found.verdict, found.why) == (VerdictCode.INSUFFICIENT_DATA, ("grace",))
    assert found.grace_until == yard.at(22, 7)


def test_before_the_response_nothing_is_said(yard):
    later = replace(yard.alert, lifted_at=None, response_from=yard.at(23))
    found = yard.plant(yard.measure(), alerts=[later]).verdict(yard.usual())
    assert (found.verdict, found.why) == (VerdictCode.INSUFFICIENT_DATA, ("not_begun",))


def test_hours_are_judged_outside_what_is_allowed(yard):
    power = yard.usual()
    allowed = yard.measure("hours", hours=(time(7), time(19)))
    assert yard.plant(allowed).verdict(power).verdict is VerdictCode.COMPLIED
    by_night = yard.measure("hours", hours=(time(20), time(6)))
    assert yard.plant(by_night).verdict(power).verdict is VerdictCode.VIOLATED


def test_a_silent_meter_is_never_complied(yard):
    power = yard.usual()
    for values in power.values():
        values[yard.minutes(19.25, 22)] = np.nan
    found = yard.plant(yard.measure()).verdict(power)
    # nothing came after the alert began: the newest data are older than the response
    assert found.verdict is VerdictCode.INSUFFICIENT_DATA
    power = cut(yard, yard.usual(), "P1", "P2")
    power["P1"][yard.minutes(19.25, 22)] = np.nan
    found = yard.plant(yard.measure()).verdict(power)
    assert (found.verdict, found.why) == (VerdictCode.INSUFFICIENT_DATA, ("low_coverage",))


def test_what_is_proven_stays_proven(yard):
    power = yard.usual()
    power["P1"][yard.minutes(19.25, 22)] = np.nan
    found = yard.plant(yard.measure()).verdict(power)
    assert found.verdict in (VerdictCode.PARTIAL, VerdictCode.VIOLATED)
    assert found.measures[0].coverage < 0.9


def test_a_short_silence_is_cleared_by_the_register(yard):
    power = cut(yard, yard.usual(), "P1", "P2")
    power["P1"][yard.minutes(20.5, 20.5 + 100 / 1440)] = np.nan
    assert yard.plant(yard.measure()).verdict(power).verdict is VerdictCode.COMPLIED
    found = yard.plant(yard.measure()).verdict(power, registers=False)
    assert (found.verdict, found.why) == (VerdictCode.INSUFFICIENT_DATA, ("missing_minutes",))


def test_each_phase_is_judged_by_its_own_measures(yard):
    raised = replace(
        yard.alert,
        changes=(
            AlertChange(level=AlertLevel.RED, issued_at=yard.at(20), response_from=yard.at(20, 6)),
        ),
    )
    plant = yard.plant(
        yard.measure(scope=("one",)), yard.measure(level=AlertLevel.RED), alerts=[raised]
    )
    power = cut(yard, yard.usual(), "P1")
    found = plant.verdict(power)
    assert [(m.level, m.verdict) for m in found.measures] == [
        (AlertLevel.ORANGE, VerdictCode.COMPLIED),
        (AlertLevel.RED, VerdictCode.PARTIAL),
    ]
    assert found.verdict is VerdictCode.PARTIAL
    assert found.level is AlertLevel.RED


def test_a_measure_that_goes_on_under_a_new_level_is_judged_from_its_change(yard):
    """Its grace ran from when it was first ordered; the tighter one beside it has its own."""
    raised = replace(
        yard.alert,
        changes=(
            AlertChange(level=AlertLevel.RED, issued_at=yard.at(20), response_from=yard.at(20, 9)),
        ),
    )
    red = (
        yard.measure(level=AlertLevel.RED, scope=("one",)),
        yard.measure(level=AlertLevel.RED, scope=("two",)),
    )
    plant = yard.plant(yard.measure(scope=("one",)), *red, alerts=[raised])
    found = plant.verdict(cut(yard, yard.usual(), "P1"))
    begins = {(m.level.value, m.scope): m.from_ for m in found.measures}
    assert begins == {
        ("orange", ("one",)): yard.at(19, 8),
        ("red", ("one",)): yard.at(20, 9),
        ("red", ("two",)): yard.at(20, 11),
    }


def test_an_alert_that_was_called_off_asks_nothing(yard):
    off = replace(yard.alert, lifted_at=yard.at(19, 3))
    found = yard.plant(yard.measure(), alerts=[off]).verdict(yard.usual())
    assert (found.verdict, found.why) == (VerdictCode.EXEMPT, ("called_off",))
    assert (found.as_of, found.measures) == (yard.at(19, 3), ())


def test_a_main_meter_alone(yard, kit):
    main = [kit.circuit("M", Role.MAIN, 200.0)]
    plant = yard.plant(yard.measure(), circuits=main)
    own = yard.usual()
    power = {"M": own["P1"] + own["P2"] + own["T"] + 6.0}
    assert plant.verdict(power).verdict is VerdictCode.VIOLATED
    power["M"][yard.minutes(19.25, 22)] = 6.0
    assert plant.verdict(power).verdict is VerdictCode.COMPLIED


def test_the_energy_of_a_stop_is_told_when_it_is_over(yard):
    plant = yard.plant(yard.measure())
    used = plant.verdict(cut(yard, yard.usual(), "P1", "P2", "T")).measures[0]
    assert used.energy_kwh == pytest.approx(0.0, abs=0.5)
    low, high = used.interval_kwh
    assert low < used.baseline_kwh < high
    # whoever works on uses about what is usual
    went_on = plant.verdict(yard.usual()).measures[0]
    assert went_on.baseline_kwh == used.baseline_kwh
    assert went_on.energy_kwh == pytest.approx(went_on.baseline_kwh, rel=0.05)
