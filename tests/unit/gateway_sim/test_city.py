import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from gateway_sim.answer_key import answer_key
from gateway_sim.city import build_city
from gateway_sim.effects import Action
from gateway_sim.faults.catalogue import DEFAULT_SHARES, PLANNERS
from gateway_sim.scenario import Scenario
from wattwitness.domain.instants import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, local_day
from wattwitness.domain.readings import MEASURANDS, sort_readings
from wattwitness.domain.registry import Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import State

START = datetime(2026, 11, 2, 3, 17, tzinfo=UTC)
EVERYTHING = dict.fromkeys(DEFAULT_SHARES, 0.2)
SCENARIO = Scenario(enterprises=20, days=8, seed=3, alert="closed", shares=EVERYTHING)


@pytest.fixture(scope="module")
def city():
    return build_city(SCENARIO, START)


@pytest.fixture(scope="module")
def history(city):
    return {p.enterprise_id: p.readings(city.start_us, city.end_us) for p in city.plants}


def _of(city, history, circuit_id):
    rows = history[city.registry.enterprise_of(circuit_id)]
    return rows[rows["circuit"] == city.registry.circuit_keys[circuit_id]]


def _calm(city, plant):
    """Without anything at its meters and network."""
    return plant.with_effects([e for e in plant.around.effects if e.action in PHYSICS])


PHYSICS = {
    Action.LINE_STOP, Action.LINE_RUN, Action.LINE_IDLE, Action.FORCE_OFF, Action.SCALE,
    Action.OUTAGE,
}  # fmt: skip


def test_the_same_seed_gives_the_same_bytes(city, history):
    again = build_city(SCENARIO, START)
    assert answer_key(again) == answer_key(city)
    assert again.registry == city.registry
    for plant in again.plants:
        same = plant.readings(again.start_us, again.end_us)
        assert same.tobytes() == history[plant.enterprise_id].tobytes()
    other = build_city(replace(SCENARIO, seed=4), START)
    assert answer_key(other) != answer_key(city)


def test_a_day_alone_is_the_day_in_the_run(city, history):
    third = local_day(START + timedelta(days=3))
    for plant in build_city(SCENARIO, START).plants:
        alone = plant.day(third)
        run = history[plant.enterprise_id]
        # samples, not device times: a skewed clock moves the latter
        skewed = any(e.action is Action.SKEW for e in plant.around.effects)
        if skewed:
            continue
        low, high = alone["ts"].min(), alone["ts"].max()
        part = run[(run["ts"] >= low) & (run["ts"] <= high)]
        assert alone.tobytes() == part.tobytes()


def test_any_cut_gives_the_same_readings(city, history):
    for plant in city.plants[:4]:
        fresh = build_city(SCENARIO, START).plant(plant.enterprise_id)
        cuts = [city.start_us, city.start_us + 7 * US_PER_MINUTE, city.start_us + 29 * US_PER_HOUR]
        cuts += [city.start_us + 5 * US_PER_DAY, city.end_us]
        parts = [fresh.readings(a, b) for a, b in pairwise(cuts)]
        joined = sort_readings(np.concatenate(parts))
        assert joined.tobytes() == sort_readings(history[plant.enterprise_id]).tobytes()


def test_registers_never_fall_and_agree_with_power(city):
    for plant in city.plants[:8]:
        calm = _calm(city, plant)
        rows = calm.readings(city.start_us, city.start_us + 2 * US_PER_DAY)
        for meter in plant.blueprint.meters:
            mine = rows[rows["circuit"] == city.registry.circuit_keys[meter.circuit_id]]
            steps = np.diff(mine["e_kwh"])
            assert (steps > -1e-9).all()
            energy = mine["p_kw"][:-1].sum() / 60
            if energy > 200 * 10.0**-meter.p_decimals:
                assert steps.sum() == pytest.approx(energy, rel=0.02)


def test_the_main_meter_sees_the_sum(city):
    plant = next(p for p in city.plants if p.blueprint.circuits[0].role is Role.MAIN)
    load = _calm(city, plant).load(plant.origin_s, plant.origin_s + 86_400)
    rest = load.p_kw[1:].sum(axis=0)
    live = load.p_kw[0] > 0
    assert (load.p_kw[0][live] >= rest[live]).all()


def test_running_power_is_clear_of_standby(city):
    for plant in city.plants:
        load = plant.with_effects([]).load(plant.origin_s, plant.origin_s + 3 * 86_400)
        for n, circuit in enumerate(plant.blueprint.circuits):
            if circuit.role is not Role.PRODUCTION:
                continue
            running = load.p_kw[n][load.states[n] == State.RUNNING]
            standby = load.p_kw[n][load.states[n] == State.STANDBY]
            if running.size and standby.size:
                assert running.min() > 1.7 * standby.max()


def test_voltage_drifts_as_sites_do(city):
    plant = city.plants[0].with_effects([])
    volts = plant.load(plant.origin_s, plant.origin_s + 5 * 86_400).volts
    within_the_hour = np.ptp(volts[: 120 * 60].reshape(-1, 60), axis=1).mean()
    assert 0.008 < within_the_hour < 0.03


def test_registry_is_consistent(city):
    registry = city.registry
    assert len(set(registry.circuit_keys.values())) == len(registry.circuits)
    for pairing in registry.pairings.values():
        owners = {registry.enterprise_of(c) for c in (*pairing.production, *pairing.treatment)}
        assert len(owners) == 1
        assert {registry.circuits[c].role for c in pairing.production} == {Role.PRODUCTION}
        assert {registry.circuits[c].role for c in pairing.treatment} == {Role.TREATMENT}
    names = [e.name for e in registry.enterprises.values()]
    assert len(set(names)) == len(names)


def test_every_kind_has_a_code_or_is_lawful(city):
    for incident in city.incidents:
        assert incident.lawful or incident.kind in CATALOGUE
    assert set(DEFAULT_SHARES) == {*PLANNERS, "curtailment_violation"}


def test_most_kinds_happen_when_asked_for():
    wide = Scenario(enterprises=40, days=16, seed=5, alert="closed", shares=EVERYTHING)
    kinds = Counter(i.kind for i in build_city(wide, START).incidents)
    missing = set(DEFAULT_SHARES) - set(kinds)
    # growth needs forty days
    assert missing <= {"capacity_growth"}


def test_treatment_off_is_on_the_curves(city, history):
    found = [i for i in city.incidents if i.kind == "treatment_off"]
    assert found
    for incident in found:
        assert incident.parts
        treatment = incident.circuits
        for a, b in incident.parts:
            for name in treatment:
                rows = _of(city, history, name)
                inside = rows[(rows["ts"] >= a * 1_000_000) & (rows["ts"] < b * 1_000_000)]
                assert (np.abs(inside["p_kw"]) < 1e-9).all()


def test_truth_without_incidents_has_no_treatment_off(city):
    for plant in city.plants:
        clean = plant.with_effects([])
        for pairing in plant.blueprint.pairings:
            span = (city.start_us // 1_000_000, city.end_us // 1_000_000)
            spells = clean.live_without_treatment(pairing.pairing_id, *span)
            limit_s = 1800 if pairing.duty_cycled else 600
            assert max((b - a for a, b in spells), default=0) <= limit_s


def test_frozen_lost_late_and_skewed(city, history):
    by_kind = {i.kind: i for i in city.incidents}
    frozen = by_kind["frozen_reading"]
    rows = _of(city, history, frozen.circuits[0])
    still = rows[(rows["ts"] >= frozen.from_s * 10**6) & (rows["ts"] < frozen.to_s * 10**6)]
    assert len(still) >= (frozen.to_s - frozen.from_s) // 60 - 1
    for name in MEASURANDS:
        assert len(np.unique(still[name][~np.isnan(still[name])])) <= 1
    late = by_kind["comms_outage"]
    rows = _of(city, history, late.circuits[0])
    held = rows[(rows["ts"] >= late.from_s * 10**6) & (rows["ts"] < late.to_s * 10**6)]
    assert held["resent"].all()
    assert (held["received_at"] >= late.to_s * 10**6).all()
    gap = by_kind["short_gap"]
    rows = _of(city, history, gap.circuits[0])
    assert not ((rows["ts"] >= gap.from_s * 10**6) & (rows["ts"] < gap.to_s * 10**6)).any()
    skew = by_kind["clock_skew"]
    rows = _of(city, history, skew.circuits[0])
    assert len(np.unique(rows["ts"])) == len(rows)
    assert (rows["ts"] % US_PER_MINUTE != 0).any()


def test_a_replayed_day_repeats_an_earlier_one(city, history):
    replayed = next(i for i in city.incidents if i.kind == "replayed_data")
    old_us = int(replayed.effects[0].amount) * 10**6
    rows = _of(city, history, replayed.circuits[0])
    day = rows[(rows["ts"] >= replayed.from_s * 10**6) & (rows["ts"] < replayed.to_s * 10**6)]
    before = rows[np.isin(rows["ts"], day["ts"] - old_us)]
    common = np.isin(day["ts"] - old_us, before["ts"])
    assert common.mean() > 0.5
    assert np.array_equal(day["p_kw"][common], before["p_kw"])
    assert (np.diff(day["e_kwh"]) > -1e-6).all()


def test_a_demonstration_has_its_two_episodes():
    shown = Scenario(
        enterprises=10, days=3, seed=11, alert="open", live_days=1, recent_fault=True,
        live_fault_after_min=5,
    )  # fmt: skip
    city = build_city(shown, START)
    end_s = city.end_us // 1_000_000
    off = [i for i in city.incidents if i.kind == "treatment_off"]
    live = next(i for i in off if i.from_s == end_s + 300)
    assert sum(b - a for a, b in live.parts) >= 60 * 60
    recent = [i for i in off if end_s - 8 * 3600 <= i.from_s < end_s - 1800]
    assert any(sum(b - a for a, b in i.parts) >= 30 * 60 for i in recent)
    (alert,) = city.registry.alerts.values()
    assert alert.lifted_at is None


@pytest.mark.parametrize("enterprises", [1, 2])
@pytest.mark.parametrize("hour", [0, 12, 19])
def test_the_smallest_city_at_any_hour_has_its_live_fault(enterprises, hour):
    shown = Scenario(enterprises=enterprises, days=1, seed=2, live_days=1, live_fault_after_min=5)
    city = build_city(shown, START.replace(hour=hour))
    live = [i for i in city.incidents if i.from_s == city.end_us // 1_000_000 + 300]
    assert live
    assert sum(b - a for a, b in live[0].parts) >= 30 * 60


@pytest.mark.parametrize("interval_s", [10, 60, 300, 900])
def test_intervals(interval_s):
    city = build_city(Scenario(enterprises=2, days=1, interval_s=interval_s), START)
    rows = city.plants[1].with_effects([]).readings(city.start_us, city.end_us)
    one = rows[rows["circuit"] == rows["circuit"][0]]
    assert len(one) == 86_400 // interval_s
    assert (np.diff(one["ts"]) == interval_s * 10**6).all()
    assert (one["ts"] % (interval_s * 10**6) == 0).all()


def test_the_key_is_json(city):
    text = json.dumps(answer_key(city), ensure_ascii=False)
    assert "treatment_off" in text
