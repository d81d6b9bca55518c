import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.states.dwell import production_dwell
from analytics.states.histograms import BINS, day_histograms, window, window_sums
from analytics.states.hysteresis import classify, hold
from analytics.states.thresholds import learn
from wattwitness.domain.registry import Role
from wattwitness.domain.states import State

RNG = np.random.default_rng(5)


def noisy(level_kw: float, minutes: int, share: float = 0.03):
    return level_kw * (1 + share * RNG.standard_normal(minutes))


def learned(circuit, *parts: NDArray[np.float64]):
    power = np.concatenate(parts).astype(np.float32)[np.newaxis]
    minutes = day_histograms(power).astype(float)
    return learn(minutes, [circuit])[0]


def states(thresholds, kw):
    grid = classify(np.array([kw], dtype=np.float32), [thresholds])[0]
    return [State(int(s)).word for s in grid]


def test_three_classes_off_standby_running(kit) -> None:
    press = kit.circuit("P", Role.PRODUCTION, 110)
    found = learned(press, np.zeros(700), noisy(6, 90), noisy(80, 650))
    assert found.basis == "learned"
    assert 8 < found.running_release_kw < found.running_kw < 60
    assert found.running_level_kw == pytest.approx(80, rel=0.06)
    assert states(found, [0, 6, 80, 20, 6, 0]) == [
        "off", "standby", "running", "running", "standby", "off",
    ]  # fmt: skip


def test_two_levels_of_work_are_both_running(kit) -> None:
    press = kit.circuit("P", Role.PRODUCTION)
    found = learned(press, np.zeros(700), noisy(42, 300), noisy(80, 400))
    assert states(found, [0, 42, 80]) == ["off", "running", "running"]


def test_no_load_power_that_was_never_zero_is_standby(kit) -> None:
    found = learned(kit.circuit("M", Role.MAIN), noisy(13, 800), noisy(120, 600, 0.2))
    assert states(found, [13, 120, 0]) == ["standby", "running", "off"]


def test_a_circuit_that_always_runs_is_running_without_a_nameplate(kit) -> None:
    found = learned(kit.circuit("P", Role.PRODUCTION), noisy(50, 1440))
    assert states(found, [50, 0]) == ["running", "off"]


def test_a_circuit_that_only_shows_zero_is_off(kit) -> None:
    found = learned(kit.circuit("T", Role.TREATMENT), np.zeros(1440))
    assert found.basis == "none"
    assert states(found, [0, 5]) == ["off", "unknown"]


def test_the_nameplate_says_what_running_would_be(kit) -> None:
    found = learned(kit.circuit("T", Role.TREATMENT, 7.5), np.zeros(1440))
    assert found.basis == "nameplate"
    assert states(found, [0, 5]) == ["off", "running"]


def test_a_press_that_only_idled_is_not_running(kit) -> None:
    found = learned(kit.circuit("P", Role.PRODUCTION, 110), np.zeros(900), noisy(6, 500))
    assert found.basis == "nameplate"
    assert states(found, [6, 70]) == ["standby", "running"]


def test_below_three_steps_of_the_meter_nothing_is_resolved(kit) -> None:
    pump = kit.circuit("T", Role.TREATMENT, 2.2, step=1.0)
    found = learned(pump, np.zeros(700), np.full(700, 2.0))
    assert found.basis == "unresolvable"
    assert states(found, [0, 2]) == ["unknown", "unknown"]


def test_no_data_gives_no_thresholds(kit) -> None:
    found = learn(np.zeros((1, BINS)), [kit.circuit("P", Role.PRODUCTION, 110)])[0]
    assert found.basis == "none"
    assert states(found, [0, 80]) == ["unknown", "unknown"]


def test_one_broken_day_does_not_move_a_threshold(kit) -> None:
    press = kit.circuit("P", Role.PRODUCTION)
    good = np.concatenate((np.zeros(700), noisy(6, 90), noisy(80, 650))).astype(np.float32)
    broken = good.copy()
    broken[200:230] = 1100.0
    days = [kit.at(n, 1).date() for n in range(10)]

    def total(odd):
        kept = {d: day_histograms(good[np.newaxis])[0] for d in days}
        kept[days[3]] = day_histograms(odd[np.newaxis])[0]
        return learn(window_sums([kept], days[0], days[-1]), [press])[0]

    spoiled = states(total(broken), [0, 6, 80])
    assert spoiled == states(total(good), [0, 6, 80]) == ["off", "standby", "running"]


def test_the_first_days_share_one_window_and_later_ones_look_back(kit) -> None:
    day = [kit.at(n, 1).date() for n in range(60)]
    assert window(day[0], day[0]) == window(day[13], day[0]) == (day[0], day[13])
    assert window(day[40], day[0]) == (day[13], day[40])


def test_hysteresis_equals_the_scalar_loop() -> None:
    power = RNG.uniform(0, 10, (20, 500)).astype(np.float32)
    power[RNG.random(power.shape) < 0.1] = np.nan
    enter, release = np.full(20, 6.0), np.full(20, 4.0)
    found = hold(power, enter, release)
    for row in range(20):
        up: bool | None = None
        for minute, kw in enumerate(power[row]):
            up = True if kw >= 6 else False if kw < 4 else up
            if np.isfinite(kw):
                middle = bool(kw >= np.sqrt(24.0))
                assert found[row, minute] == (middle if up is None else up)


def test_dwell_is_on_production_only() -> None:
    off, run = State.OFF, State.RUNNING
    line = np.array([[off, run, run, off, run, run, run, off]] * 2, dtype=np.int8)
    press, fan = production_dwell(line, np.array([True, False]))
    assert press.tolist() == [off, 2, 2, off, run, run, run, off]
    assert fan.tolist() == line[1].tolist()
