from datetime import date

import numpy as np
import pytest

from gateway_sim.blueprint import (
    Drive,
    GroupSpec,
    MachineSpec,
    MeterSpec,
    TreatmentMode,
    UnitSpec,
)
from gateway_sim.effects import Action, Effect
from gateway_sim.machines import at_voltage, machine_power, machine_states, reactive
from gateway_sim.meters import energy_micro_kwh, read
from gateway_sim.schedule import KILN, ONE_SHIFT, THREE_SHIFTS, line_day
from gateway_sim.treatment import demand, unit_on, wanted_units
from wattwitness.domain.states import State

TEN_MINUTES = np.arange(0, 600, 60, dtype=np.int64)
MACHINE = MachineSpec(
    circuit_id="P1", line="L", rated_kw=100.0, load=0.8, no_load=0.05, swing=0.05, ripple=0.02,
    offset_s=60,
)  # fmt: skip


def _meter(**changes):
    plain = {
        "circuit_id": "P1", "key": 1, "p_decimals": 1, "register_decimals": 2, "gain": 1.0,
        "register_start_micro_kwh": 0, "electrical": True, "imbalance": (0.0, 0.0, 0.0),
        "nominal_v": 220.0,
    }  # fmt: skip
    return MeterSpec(**{**plain, **changes})


def _unit(name, **changes):
    return UnitSpec(circuit_id=name, rated_kw=20.0, level=0.75, wander=0.02, **changes)


def _group(mode, units, **changes):
    return GroupSpec(
        name="G", lines=("L1", "L2"), units=units, mode=mode, pairing_id="R1", **changes
    )


def test_ten_minutes_of_a_machine():
    states = machine_states(MACHINE, [(60, 540)], [(180, 420)], TEN_MINUTES)
    off, standby, running = State.OFF, State.STANDBY, State.RUNNING
    expected = [off, off, standby, standby, running, running, running, running, standby, standby]
    assert states.tolist() == expected
    power = machine_power(MACHINE, 9, states, TEN_MINUTES, 60)
    assert np.all(power[states == off] == 0)
    assert np.all((power[states == standby] > 4) & (power[states == standby] < 6))
    assert np.all(power[states == running] > 60)


def test_a_heater_follows_the_square_of_the_voltage_and_a_motor_hardly():
    volts = np.array([0.95, 1.0, 1.05])
    ten_kw = np.full(3, 10.0)
    assert at_voltage(ten_kw, Drive.RESISTOR, volts) == pytest.approx(10 * volts**2)
    assert np.ptp(at_voltage(ten_kw, Drive.MOTOR, volts)) < 0.2
    assert np.all(reactive(ten_kw, Drive.RESISTOR, 100.0) == 0)


def test_power_factor_of_a_motor_is_poor_without_load():
    p_kw = np.array([5.0, 90.0])
    pf = p_kw / np.hypot(p_kw, reactive(p_kw, Drive.MOTOR, 100.0))
    assert pf[0] < 0.3
    assert 0.85 < pf[1] < 0.92


def test_a_shift_has_a_lunch_break_and_sundays_off():
    day = line_day(ONE_SHIFT, 5, date(2026, 11, 18))
    assert day.energised
    hours = [b - a for a, b in day.running]
    assert 6 * 3600 < sum(hours) < 10 * 3600
    assert any(11.8 * 3600 < a[1] < 12.2 * 3600 for a in day.running)
    assert line_day(ONE_SHIFT, 5, date(2026, 11, 22)).running == []
    assert line_day(ONE_SHIFT, 5, date(2026, 11, 18), closed=True).energised == []


@pytest.mark.parametrize("pattern", [KILN, THREE_SHIFTS])
def test_continuous_lines_run_most_of_the_day(pattern):
    running = sum(b - a for a, b in line_day(pattern, 5, date(2026, 11, 18)).running)
    assert running > 20 * 3600


def test_treatment_leads_bridges_and_runs_on():
    group = _group(TreatmentMode.EACH, (_unit("T1"),), lead_s=1800, run_on_s=600, bridge_s=900)
    wanted = demand(group, 3, [(10_000, 20_000), (20_600, 30_000), (40_000, 50_000)])
    assert len(wanted) == 2
    assert wanted[0][0] <= 10_000 - 1800
    assert 30_000 + 300 < wanted[0][1] < 30_000 + 900


def test_one_unit_per_running_line_and_spares_in_turn():
    at = np.arange(0, 12 * 86_400, 3600, dtype=np.int64)
    running = {"L1": [(0, 12 * 86_400)], "L2": [(0, 6 * 86_400)]}
    first, second = wanted_units(
        _group(TreatmentMode.LINES, (_unit("A"), _unit("B"))), 3, running, at
    )
    assert first[10:].all()
    assert second[10:140].all()
    assert not second[150:].any()
    units = tuple(_unit(name) for name in "ABC")
    on = np.array(wanted_units(_group(TreatmentMode.SPARE, units, need=2), 3, running, at))
    assert set(on[:, 10:].sum(axis=0).tolist()) <= {2, 3}  # three only while switching over
    assert not on.all(axis=1).any()


def test_duty_cycle_and_a_hand_on_the_switch():
    at = np.arange(0, 3600, 60, dtype=np.int64)
    unit = _unit("T1", duty_s=(600, 1200))
    off = Effect(action=Action.FORCE_OFF, targets=("T1",), from_s=1200, to_s=2400)
    on = unit_on(unit, np.ones(60, dtype=bool), [off], at)
    assert on.tolist() == ([True] * 10 + [False] * 10) + [False] * 20 + ([True] * 10 + [False] * 10)


def test_a_meter_shows_what_starts_and_counts_what_was():
    p_kw = np.array([0.0, 60.0, 60.0, 0.0])
    at = TEN_MINUTES[:4]
    counted = energy_micro_kwh(_meter(), p_kw, at, 60, [])
    assert counted.tolist() == [0, 1_000_000, 1_000_000, 0]
    before = np.cumsum(counted) - counted
    shown = read(_meter(), p_kw, 0.5 * p_kw, np.ones(4), before, at, [])
    assert shown["e_kwh"].tolist() == [0.0, 0.0, 1.0, 2.0]
    assert shown["p_kw"][0] == 0
    assert shown["p_kw"][1] == pytest.approx(60, abs=1)
    apparent = sum(shown[f"u_{x}"] * shown[f"i_{x}"] for x in "abc") / 1000
    assert apparent[1] == pytest.approx(np.hypot(60, 30), rel=0.02)
    assert shown["pf"][1] == pytest.approx(60 / np.hypot(60, 30), abs=0.01)


@pytest.mark.parametrize(("decimals", "step"), [(0, 1.0), (1, 0.1), (2, 0.01)])
def test_resolution(decimals, step):
    p_kw = np.linspace(1, 9, 10)
    shown = read(
        _meter(p_decimals=decimals), p_kw, p_kw, np.ones(10),
        np.zeros(10, dtype=np.int64), TEN_MINUTES, [],
    )["p_kw"]  # fmt: skip
    assert np.allclose(shown / step, np.rint(shown / step))


def test_power_only_meters_say_nothing_else():
    p_kw = np.full(10, 5.0)
    shown = read(
        _meter(electrical=False), p_kw, p_kw, np.ones(10),
        np.zeros(10, dtype=np.int64), TEN_MINUTES, [],
    )  # fmt: skip
    assert np.isnan(shown["pf"]).all()
    assert np.isnan(shown["u_a"]).all()


@pytest.mark.parametrize(
    ("action", "column", "expected"),
    [
        (Action.SPIKE, "p_kw", 1100.0),
        (Action.REGISTER_ZERO, "e_kwh", 0.0),
        (Action.REGISTER_BACK, "e_kwh", -90.0),
    ],
)
def test_a_sick_meter_on_three_of_ten_points(action, column, expected):
    effect = Effect(action=action, targets=("P1",), from_s=180, to_s=360, amount=1100.0)
    if action is Action.REGISTER_BACK:
        effect = Effect(action=action, targets=("P1",), from_s=180, to_s=360, amount=100.0)
    micro = np.full(10, 10_000_000, dtype=np.int64)
    p_kw = np.full(10, 5.0)
    shown = read(_meter(), p_kw, p_kw, np.ones(10), micro, TEN_MINUTES, [effect])[column]
    assert shown[3:6].tolist() == [expected] * 3
    assert np.all(shown[:3] > 0)


def test_phase_loss_and_reversed_ct():
    effects = [
        Effect(action=a, targets=("P1",), from_s=0, to_s=300)
        for a in (Action.PHASE_LOSS, Action.REVERSED)
    ]
    p_kw = np.full(10, 50.0)
    shown = read(
        _meter(), p_kw, p_kw, np.ones(10), np.zeros(10, dtype=np.int64), TEN_MINUTES, effects
    )
    assert (shown["u_b"][:5] < 0.78 * 220).all()
    assert (shown["i_b"][:5] < 0.05 * shown["i_a"][:5]).all()
    assert (shown["p_kw"] < 0).tolist() == [True] * 5 + [False] * 5
