"""Confusers: what each one does to the plant, its meters and its network."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gateway_sim.city import City, build_city
from gateway_sim.effects import Incident
from gateway_sim.faults.catalogue import DEFAULT_SHARES, FURTHER
from gateway_sim.scenario import Scenario
from wattwitness.domain.registry import DeclarationReason, Role
from wattwitness.domain.states import State

START = datetime(2026, 9, 7, tzinfo=ZoneInfo("Asia/Shanghai"))
US = 1_000_000


def city_with(kind: str, seed: int = 5, share: float = 1.0) -> City:
    shares = dict.fromkeys(DEFAULT_SHARES, 0.0) | {kind: share}
    return build_city(
        Scenario(enterprises=14, days=8, verified_days=1, seed=seed, shares=shares), START
    )


def one(kind: str) -> tuple[City, Incident]:
    city = city_with(kind)
    found = [i for i in city.incidents if i.kind == kind]
    assert found, kind
    return city, found[0]


def rows_of(city: City, incident: Incident, circuit: str, before_s: int = 0, after_s: int = 0):
    plant = city.plant(incident.enterprise_id)
    end_s = min(incident.to_s + after_s, city.end_us // US)
    rows = plant.readings((incident.from_s - before_s) * US, end_s * US)
    return rows[rows["circuit"] == plant.keys[circuit]]


def test_a_city_has_none_of_them_unless_asked() -> None:
    assert {DEFAULT_SHARES[kind] for kind in FURTHER} == {0.0}


@pytest.mark.parametrize("kind", FURTHER)
def test_each_kind_occurs_is_lawful_and_the_same_again(kind: str) -> None:
    city = city_with(kind)
    found = [i for i in city.incidents if i.kind == kind]
    assert found
    assert all(i.lawful for i in found)
    assert city_with(kind).incidents == city.incidents


def test_the_spare_unit_runs_while_the_other_rests() -> None:
    city, incident = one("spare_switch")
    plant = city.plant(incident.enterprise_id)
    load = plant.load(incident.from_s, incident.to_s)
    unit, spare = (plant.circuit_ids.index(c) for c in incident.circuits)
    assert (load.states[unit] == State.OFF).all()
    assert (load.states[spare] == State.RUNNING).all()


def test_a_trial_run_is_declared_for_production() -> None:
    city, incident = one("trial_run")
    (paper,) = incident.declarations
    assert paper.reason is DeclarationReason.TRIAL
    roles = {city.registry.circuits[c].role for c in paper.circuits}
    assert roles == {Role.PRODUCTION}


def test_a_fan_on_a_timer_rests_less_than_ten_minutes() -> None:
    city, incident = one("duty_cycled_fan")
    plant = city.plant(incident.enterprise_id)
    load = plant.load(city.start_us // US, city.start_us // US + 2 * 86_400)
    on = load.states[plant.circuit_ids.index(incident.circuits[0])] == State.RUNNING
    edges = np.flatnonzero(np.diff(on.astype(int)))
    rests = np.diff(edges)[int(on[edges[0]]) ^ 1 :: 2]
    assert 0 < np.median(rests) < 10


def test_a_fan_follows_the_lines() -> None:
    city, incident = one("fan_follows_lines")
    plant = city.plant(incident.enterprise_id)
    load = plant.load(city.start_us // US, city.start_us // US + 4 * 86_400)
    fan = plant.circuit_ids.index(incident.circuits[0])
    lines = {m.line: plant.circuit_ids.index(m.circuit_id) for m in plant.blueprint.machines}
    running = sum((load.states[n] == State.RUNNING).astype(int) for n in lines.values())
    on = load.states[fan] == State.RUNNING
    few = load.p_kw[fan][on & (running == 1)].mean()
    assert few < 0.95 * load.p_kw[fan][on & (running == len(lines))].mean()


def test_a_new_meter_begins_near_nothing_after_a_silence() -> None:
    city, incident = one("meter_replaced")
    rows = rows_of(city, incident, incident.circuits[0], 600, 600)
    gap = int(np.argmax(np.diff(rows["ts"])))
    assert np.diff(rows["ts"])[gap] == (incident.to_s - incident.from_s + 60) * US
    assert rows["e_kwh"][gap] > 1000.0
    assert 0.0 <= rows["e_kwh"][gap + 1] < 25.0


def test_a_full_register_begins_again() -> None:
    city, incident = one("register_rolled_over")
    kwh = rows_of(city, incident, incident.circuits[0], 7200, 7200)["e_kwh"]
    full = next(m for m in (1e4, 1e5, 1e6) if kwh.max() < m)
    steps = np.diff(kwh)
    assert (steps < 0).sum() == 1
    assert steps.min() == pytest.approx(-full, abs=60.0)


def test_a_queue_is_worked_off_first_in_first_out_and_unmarked() -> None:
    city, incident = one("late_queue")
    rows = rows_of(city, incident, incident.circuits[0], 0, 7200)
    lag_s = (rows["received_at"] - rows["ts"]) / US
    assert not rows["resent"].any()
    assert lag_s[0] > 3000
    assert (np.diff(rows["received_at"]) > 0).all()
    assert (np.diff(lag_s) <= 1).sum() > 0.8 * len(rows)


def test_a_load_on_one_phase_and_a_meter_of_whole_kilowatts() -> None:
    city, incident = one("single_phase_load")
    rows = rows_of(city, incident, incident.circuits[0])
    used = rows[rows["p_kw"] > 0.5]
    assert len(used)
    assert (used["i_b"] == 0).all()
    assert (used["i_a"] > 0).all()
    city, incident = one("coarse_meter")
    power = rows_of(city, incident, incident.circuits[0])["p_kw"]
    assert (power == np.rint(power)).all()
    assert power.max() > 1


def test_a_reversed_transformer_shows_less_than_nothing() -> None:
    city, incident = one("reversed_ct")
    assert rows_of(city, incident, incident.circuits[0])["p_kw"].max() <= 0


def test_recipe_and_season_change_levels_a_little() -> None:
    for kind, low, high in (("recipe_change", 0.55, 1.25), ("seasonal_level", 0.95, 1.05)):
        _, incident = one(kind)
        assert all(low <= e.amount <= high for e in incident.effects)


def test_long_warm_up_is_standby_not_work() -> None:
    city, incident = one("long_warm_up")
    plant = city.plant(incident.enterprise_id)
    warm = incident.effects[1]
    load = plant.load(warm.from_s + 300, warm.to_s - 300)
    rows = [plant.circuit_ids.index(c) for c in incident.circuits]
    assert (load.states[rows] == State.STANDBY).all()
