import numpy as np
import pytest

from analytics.grid import minute_grid, samples
from analytics.plants import plant_of
from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Role


def laid(kit, at_s, kw, interval_s=60, minutes=10, energy=None):
    plant = plant_of(kit.registry([kit.circuit("P", Role.MAIN)], interval_s=interval_s), "E")
    rows = empty_readings(len(at_s))
    rows["circuit"] = 1
    rows["ts"] = kit.start_us + np.array(at_s) * 1_000_000
    rows["p_kw"] = kw
    if energy is not None:
        rows["e_kwh"] = energy
    grid = minute_grid(samples(rows, plant), plant, kit.start_us, minutes)[0]
    return [None if np.isnan(v) else round(float(v), 3) for v in grid]


def test_a_reading_stands_for_its_interval(kit) -> None:
    assert laid(kit, [0, 60], [1.0, 2.0], minutes=4) == [1.0, 2.0, None, None]


def test_one_lost_sample_is_bridged_two_are_not(kit) -> None:
    assert laid(kit, [0, 120, 300], [1, 2, 3], minutes=7) == [1, 1, 2, None, None, 3, None]


def test_several_readings_in_a_minute_are_averaged(kit) -> None:
    at = [0, 10, 20, 30, 40, 50]
    assert laid(kit, at, [1, 2, 3, 4, 5, 6], interval_s=10, minutes=2) == [3.5, None]


def test_a_quarter_hour_reading_holds_for_a_quarter_of_an_hour(kit) -> None:
    grid = laid(kit, [0, 900], [1, 2], interval_s=900, minutes=40)
    assert grid == [1] * 15 + [2] * 15 + [None] * 10


def test_a_clock_that_jitters_leaves_no_holes(kit) -> None:
    assert laid(kit, [0, 59, 121, 180], [1, 3, 2, 2], minutes=4) == [2, 3, 2, 2]


def test_power_comes_from_the_register_where_it_was_not_measured(kit) -> None:
    nan = float("nan")
    grid = laid(kit, [0, 60, 120], [nan] * 3, minutes=3, energy=[100.0, 101.0, 101.5])
    assert grid == [None, 60.0, 30.0]


def test_a_momentary_zero_of_the_register_is_no_power(kit) -> None:
    nan = float("nan")
    at = [0, 60, 120, 180]
    grid = laid(kit, at, [nan] * 4, minutes=4, energy=[100.0, 101.0, 0.0, 103.0])
    assert grid == [None, 60.0, 60.0, 60.0]


@pytest.mark.parametrize("minutes", [1, 5])
def test_no_readings_are_unknown(kit, minutes) -> None:
    assert laid(kit, [], [], minutes=minutes) == [None] * minutes


def test_noise_below_zero_is_zero(kit) -> None:
    assert laid(kit, [0], [-0.005], minutes=1) == [0.0]
    assert kit.start_us % US_PER_MINUTE == 0
