"""Sub-meters that read nothing, words that differ, few like days, meters that fall silent."""

from dataclasses import replace

import numpy as np
import pytest

from wattwitness.domain.registry import Role
from wattwitness.domain.verdicts import VerdictCode


@pytest.fixture
def metered(kit, yard):
    """A plant whose main meter sees its lines, its fan and five kW more."""

    def plant(*measures, **known):
        circuits = [
            kit.circuit("M", Role.MAIN, 250.0),
            replace(kit.circuit("P1", Role.PRODUCTION, 110.0), line="one"),
            replace(kit.circuit("P2", Role.PRODUCTION, 80.0), line="two"),
            kit.circuit("T", Role.TREATMENT, 15.0),
        ]
        return yard.plant(*measures, circuits=circuits, **known)

    return plant


def with_main(power):
    return {**power, "M": power["P1"] + power["P2"] + power["T"] + 5.0}


def hidden(yard, *names, share=1.0, from_day=19.25, to_day=22.0):
    """The main sees everything, the sub-meters of these lines only the rest."""
    power = with_main(yard.usual())
    for name in names:
        power[name][yard.minutes(from_day, to_day)] *= 1.0 - share
    return power


@pytest.mark.parametrize("action", ["stop", "limit"])
def test_production_beside_the_meters_is_no_cut(yard, metered, action):
    order = yard.measure(action, limit_pct=50.0 if action == "limit" else None)
    found = metered(order).verdict(hidden(yard, "P1", "P2"))
    assert found.verdict is VerdictCode.VIOLATED
    assert found.why == ("shifted_unmetered",)
    assert found.confidence < 0.995


def test_some_production_beside_the_meters_leaves_it_open(yard, metered):
    power = hidden(yard, "P1", "P2")
    power["M"][yard.minutes(19.25, 22)] -= (
        0.7 * (yard.usual()["P1"] + yard.usual()["P2"])[yard.minutes(19.25, 22)]
    )
    found = metered(yard.measure()).verdict(power)
    assert found.verdict is VerdictCode.INSUFFICIENT_DATA
    assert "shifted_unmetered" in found.why


def test_a_stop_that_the_main_meter_confirms_stands(yard, metered):
    power = yard.usual()
    for name in power:
        power[name][yard.minutes(19.25, 22)] = 0.0
    found = metered(yard.measure()).verdict(with_main(power))
    assert found.verdict is VerdictCode.COMPLIED


def test_a_main_meter_that_is_silent_says_nothing(yard, metered):
    power = hidden(yard, "P1", "P2")
    power["M"][yard.minutes(19.25, 22)] = np.nan
    found = metered(yard.measure()).verdict(power)
    assert found.verdict is VerdictCode.COMPLIED


def test_different_words_are_as_sure_as_the_least_sure(yard):
    power = yard.usual()
    power["P1"][yard.minutes(19.25, 22)] = 0.0
    orders = [yard.measure(scope=("one",)), yard.measure("limit", limit_pct=30.0)]
    found = yard.plant(*orders).verdict(power)
    words = {m.action.value: m for m in found.measures}
    assert found.verdict is VerdictCode.PARTIAL
    assert words["stop"].verdict is VerdictCode.COMPLIED
    assert found.confidence == min(m.confidence for m in found.measures)


def test_a_silence_from_the_response_on_is_told(yard):
    power = yard.usual()
    for name in ("P1", "P2"):  # the fan goes on telling: the gateway is there
        power[name][yard.minutes(19.27, 22)] = np.nan
    found = yard.plant(yard.measure()).verdict(power, registers=False)
    assert found.verdict is VerdictCode.INSUFFICIENT_DATA
    assert "silent_with_alert" in found.notes


def test_a_silence_of_days_before_is_none_of_the_alert(yard):
    power = yard.usual()
    for name in ("P1", "P2"):
        power[name][yard.minutes(18.5, 22)] = np.nan
    found = yard.plant(yard.measure()).verdict(power, registers=False)
    assert "silent_with_alert" not in found.notes
