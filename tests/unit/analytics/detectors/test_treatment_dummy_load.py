import numpy as np
import pytest

from analytics.detectors import treatment_dummy_load
from analytics.detectors.treatment_dummy_load import PHYSICS_FACT
from wattwitness.domain.facts import BLOCKS

DAYS = 16
WORK = slice(32, 72)
DUMMY = slice(40, 56)  # 10:00 to 14:00 of day 12


def blocks(pf=None, imbalance=None, exponent=None, kw=10.0):
    """Physics of a day; the named quantities are measured, motors but for the `dummy` of day 12."""
    own = np.full((5, BLOCKS), np.nan)
    own[0, WORK] = kw
    for row, value in ((1, pf), (2, imbalance)):
        if value is not None:
            own[row, WORK] = value
    if exponent is not None:
        own[3, WORK] = 1e-4
        own[4, WORK] = exponent * 1e-4
    return own


def episodes(drawn, kit, motor, resistor, hours=DUMMY):
    values = []
    for day in range(DAYS):
        own = blocks(**motor)
        if day == 12:
            own[:, hours] = blocks(**resistor)[:, hours]
        values.append(own.ravel())
    facts = drawn.facts(PHYSICS_FACT, "T", drawn.day, values)
    verified = (kit.at(0, 0), kit.at(8, 0))
    history = drawn.history(drawn.plant(), drawn.day, DAYS, facts=facts, verified=verified)
    return treatment_dummy_load.episodes(history)


MOTOR, HEATER = {"pf": 0.83, "imbalance": 0.04}, {"pf": 0.999, "imbalance": 0.005}


@pytest.mark.parametrize(
    ("motor", "resistor", "count"),
    [
        (MOTOR, MOTOR, 0),
        (MOTOR, HEATER, 1),
        ({"pf": 0.83}, {"pf": 0.999}, 1),
        ({"pf": 0.99}, {"pf": 0.999}, 0),  # a drive looks like a resistor already
        ({"exponent": 0.1}, {"exponent": 2.0}, 1),
        ({"exponent": 0.1}, {"exponent": 0.3}, 0),
        (MOTOR, HEATER | {"kw": 2.0}, 0),  # not the power of the unit
        ({}, {}, 0),
    ],
)
def test_a_resistor_in_place_of_a_motor(drawn, kit, motor, resistor, count) -> None:
    assert len(episodes(drawn, kit, motor, resistor)) == count


def test_bounds_and_numbers(drawn, kit) -> None:
    (episode,) = episodes(drawn, kit, MOTOR, HEATER)
    assert (episode.from_, episode.to) == (kit.at(12, 10), kit.at(12, 14))
    assert episode.detected_at == kit.at(12, 11)
    assert episode.evidence["power_factor"]["value"] == pytest.approx(0.999)
    assert episode.evidence["power_factor_reference"]["value"] == pytest.approx(0.83)


def test_it_has_to_last_an_hour(drawn, kit) -> None:
    assert episodes(drawn, kit, MOTOR, HEATER, slice(40, 43)) == []
    assert len(episodes(drawn, kit, MOTOR, HEATER, slice(40, 44))) == 1


@pytest.mark.parametrize("interval_s", [60, 300, 900])
def test_a_block_of_slow_meters_has_physics_too(drawn, interval_s) -> None:
    n = 86_400 // interval_s
    columns = {"p_kw": np.full(n, 9.0), "pf": np.full(n, 0.8)}
    plant = drawn.plant(interval_s=interval_s)
    (fact,) = treatment_dummy_load.raw_facts(drawn.raw(plant, drawn.day, {"T": columns}))
    power, pf = fact.values.reshape(5, BLOCKS)[:2]
    assert np.allclose(power, 9.0)
    assert np.allclose(pf, 0.8)
