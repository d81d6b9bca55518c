"""Live minutes are the batch's minutes, whatever order readings come in."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics.day import ColumnsBlock, Extent, day_columns, pairs_of, states_of
from analytics.detectors import frozen_reading
from analytics.live.fleet import Fleet
from analytics.live.latches import DOWN, KEEP, UP, Levels, dwelt
from analytics.live.minutes import CityMinutes
from analytics.plants import plant_of
from analytics.states.dwell import production_dwell
from analytics.states.histograms import day_histograms
from analytics.states.thresholds import learn
from gateway_sim.city import build_city
from gateway_sim.scenario import Scenario
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, to_us
from wattwitness.domain.readings import ReadingColumns
from wattwitness.domain.states import State, Thresholds

START = datetime(2026, 9, 7, tzinfo=DEFAULT_ZONE)
few = settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # days are too large to be shrunk
)


def simulated(interval_s: int):
    """Three plants over a day with gaps, late and lost readings: (plants, rows, day)."""
    shares = {"comms_outage": 1.0, "short_gap": 1.0, "treatment_off": 1.0}
    scenario = Scenario(
        enterprises=3, days=1, seed=5, verified_days=0, shares=shares, interval_s=interval_s
    )
    city = build_city(scenario, START)
    plants = [plant_of(city.registry, e, DEFAULT_ZONE) for e in sorted(city.registry.enterprises)]
    keys = dict(city.registry.circuit_keys)
    rows = np.concatenate([p.readings(city.start_us, city.end_us, keys) for p in city.plants])
    return plants, rows


@pytest.fixture(scope="module", params=[10, 60, 300, 900])
def city_day(request):
    plants, rows = simulated(request.param)
    day = START.date()
    until = to_us(START + timedelta(hours=15))
    rows = rows[(rows["ts"] >= to_us(START)) & (rows["ts"] < until)]
    return plants, rows, day, until


def sorted_rows(rows, plant):
    own = rows[np.isin(rows["circuit"], plant.keys)]
    return own[np.lexsort((own["ts"], own["circuit"]))]


def batch(plants, rows, day, until_us):
    """What the batch kernels say of each plant: thresholds, power, states."""
    found = []
    for plant in plants:
        extent = Extent({c.circuit_id: to_us(START) for c in plant.circuits}, until_us)
        (columns,) = day_columns(
            ColumnsBlock(plant, (day,), ReadingColumns.of(sorted_rows(rows, plant)), extent)
        )
        minutes = day_histograms(columns.power).astype(np.float64)
        thresholds = learn(minutes, list(plant.circuits))
        states = states_of(plant, columns.power, thresholds)
        frozen = [s for s in columns.spells if s.kind == frozen_reading.KIND]
        found.append((thresholds, columns.power, states, frozen))
    return found


def live(plants, thresholds) -> CityMinutes:
    fleet = Fleet.of(plants)
    levels = Levels.of([t for own in thresholds for t in own])
    return CityMinutes(fleet, levels, to_us(START))


def check(engine: CityMinutes, plants, said, minutes: int) -> None:
    """The first minutes of the window are those of the batch."""
    offset = engine.minute(to_us(START))
    for n, (_, power, states, frozen) in enumerate(said):
        assert not frozen, "the scenario must not freeze meters: live minutes do not look for it"
        rows = engine.fleet.span(n)
        begin = max(0, -offset)
        mine = slice(offset + begin, offset + minutes)
        np.testing.assert_array_equal(engine.power[rows, mine], power[:, begin:minutes])
        np.testing.assert_array_equal(engine.states[rows, mine], states[:, begin:minutes])
        expected = pairs_of(plants[n], states, power, said[n][0])
        own = (k for k, (number, _) in enumerate(engine.fleet.pairs.names) if number == n)
        off, short = engine.conditions(60)
        newest = engine.newest - offset + 1
        for pair, k in enumerate(own):
            then = slice(newest - 60, newest)
            np.testing.assert_array_equal(off[k, :60], expected.off[pair, then])
            np.testing.assert_array_equal(short[k, :60], expected.short[pair, then])


@few
@given(
    seed=st.integers(0, 2**32 - 1),
    lost=st.sampled_from([0.0, 0.02, 0.3]),
    step_min=st.sampled_from([1, 2, 7]),
)
def test_live_minutes_are_the_batchs_however_readings_come(city_day, seed, lost, step_min) -> None:
    plants, rows, day, until_us = city_day
    rng = np.random.default_rng(seed)
    rows = rows[rng.random(len(rows)) >= lost]
    said = batch(plants, rows, day, until_us)
    engine = live(plants, [s[0] for s in said])
    # most come at once, some up to eleven minutes late, some twice
    late = np.where(rng.random(len(rows)) < 0.1, rng.integers(0, 11, len(rows)), 0)
    arrival = rows["ts"] + late * US_PER_MINUTE
    turn = (arrival - arrival.min()) // (step_min * US_PER_MINUTE)
    order = np.lexsort((rng.random(len(rows)), turn))
    rows, turn = rows[order], turn[order]
    for piece in np.split(rows, np.flatnonzero(np.diff(turn)) + 1):
        again = piece[rng.random(len(piece)) < 0.1]
        engine.advance(np.concatenate((piece, again)))
    check(engine, plants, said, (until_us - to_us(START)) // US_PER_MINUTE)


def test_a_day_at_once_is_a_day_minute_by_minute(city_day) -> None:
    plants, rows, day, _ = city_day
    until_us = to_us(START + timedelta(hours=12))  # what the window holds
    rows = rows[rows["ts"] < until_us]
    said = batch(plants, rows, day, until_us)
    engine = live(plants, [s[0] for s in said])
    for plant in plants:
        engine.advance(rows[np.isin(rows["circuit"], plant.keys)])
    check(engine, plants, said, (until_us - to_us(START)) // US_PER_MINUTE)


def test_what_comes_later_than_the_tail_is_left_out(city_day) -> None:
    plants, rows, day, until_us = city_day
    said = batch(plants, rows, day, until_us)
    engine = live(plants, [s[0] for s in said])
    first = rows["ts"] < to_us(START) + 30 * 900 * 1_000_000
    engine.advance(rows[first & (rows["ts"] > to_us(START))])
    before = engine.power.copy()
    late = rows[(rows["ts"] == to_us(START)) & np.isin(rows["circuit"], plants[1].keys)]
    found = engine.advance(late)
    assert found.plants.tolist() == []
    np.testing.assert_array_equal(engine.power, before)


@given(
    st.lists(
        st.lists(st.sampled_from([State.OFF, State.STANDBY, State.RUNNING, State.UNKNOWN]),
                 min_size=12, max_size=12),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_dwell_is_the_batchs_dwell(states) -> None:
    grid = np.array(states, dtype=np.int8)
    dwells = np.array([True, False] * 3)[: len(grid)]
    expected = production_dwell(grid, dwells)
    np.testing.assert_array_equal(dwelt(grid, dwells), expected)


def test_the_window_moves_on_and_keeps_what_was_last_said(kit) -> None:
    plant = plant_of(kit.press_and_fan(), "E", DEFAULT_ZONE)
    levels = Thresholds(
        standby_kw=1.0, standby_release_kw=0.5, running_kw=40.0, running_release_kw=20.0,
        running_level_kw=80.0, basis="learned",
    )  # fmt: skip
    engine = CityMinutes(Fleet.of([plant]), Levels.of([levels, levels]), kit.start_us)
    minutes = 3000
    power = np.full(minutes, 30.0)  # between the edges: what was last said holds
    power[0] = 80.0
    rows = kit.readings({1: power})
    for start in range(0, minutes, 50):
        engine.advance(rows[start : start + 50])
    assert engine.power.shape[1] < minutes
    assert engine.states[0, engine.newest] == State.RUNNING
    assert engine.minute(kit.start_us) < 0
    engine.reach(kit.start_us + 10 * minutes * US_PER_MINUTE)  # a day without any reading
    assert (engine.states == State.UNKNOWN).all()


def test_what_the_batch_told_goes_before_what_this_window_saw(kit) -> None:
    plant = plant_of(kit.press_and_fan(), "E", DEFAULT_ZONE)
    levels = Thresholds(
        standby_kw=1.0, standby_release_kw=0.5, running_kw=40.0, running_release_kw=20.0,
        running_level_kw=80.0, basis="learned",
    )  # fmt: skip
    rows = kit.readings({1: np.full(120, 22.0)})  # nearer to the lower edge
    told = np.array([[UP, KEEP], [KEEP, KEEP]], dtype=np.int8)
    at_us = kit.start_us + 60 * US_PER_MINUTE
    for first in (True, False):  # told before the readings come, and afterwards
        engine = CityMinutes(Fleet.of([plant]), Levels.of([levels, levels]), kit.start_us)
        if first:
            engine.stood(0, at_us, told)
        engine.advance(rows[:110])
        if not first:
            engine.stood(0, at_us, told)
        engine.advance(rows[110:])
        assert (engine.states[0, :60] == State.STANDBY).all()
        assert (engine.states[0, 60:120] == State.RUNNING).all()
        down = np.where(told == UP, DOWN, told).astype(np.int8)
        engine.stood(0, at_us + 30 * US_PER_MINUTE, down)  # a newer look
        assert (engine.states[0, 90:120] == State.STANDBY).all()
