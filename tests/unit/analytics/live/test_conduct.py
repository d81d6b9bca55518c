"""Live conduct is what the batch says of the same readings."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.day import ColumnsBlock, DayBlock, Extent, day_columns, judge_day
from analytics.detectors.conduct_facts import CONDUCT_FACT
from analytics.detectors.stages import History
from analytics.live.conduct import (
    SETTLED_US,
    Base,
    base_end_us,
    conduct_now,
    doubted,
    stood_words,
)
from analytics.live.fleet import Fleet
from analytics.live.latches import DOWN, KEEP, NOTHING, UP, Levels
from analytics.live.minutes import CityMinutes
from analytics.live.packed import Packed
from analytics.plants import plant_of
from analytics.states.histograms import day_histograms
from analytics.states.thresholds import learn
from analytics.verdicts.conduct import Conduct, conduct_of, nothing_known
from gateway_sim.city import build_city
from gateway_sim.scenario import Scenario
from wattwitness.domain.facts import FactBook
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, to_us
from wattwitness.domain.readings import ReadingColumns
from wattwitness.domain.spells import SpellBook
from wattwitness.domain.states import Thresholds

START = datetime(2026, 9, 7, tzinfo=DEFAULT_ZONE)
START_US = to_us(START)


class Scene:
    """A simulated plant with gaps, its readings of a morning, and what the batch makes of them."""

    def __init__(self, interval_s: int) -> None:
        shares = {"comms_outage": 1.0, "short_gap": 1.0}
        scenario = Scenario(
            enterprises=1, days=1, seed=8, verified_days=0, shares=shares, interval_s=interval_s
        )
        city = build_city(scenario, START)
        (name,) = city.registry.enterprises
        self.plant = plant_of(city.registry, name, DEFAULT_ZONE)
        keys = dict(city.registry.circuit_keys)
        self.until_us = to_us(START + timedelta(hours=11, minutes=22))
        rows = city.plants[0].readings(city.start_us, city.end_us, keys)
        rows = rows[(rows["ts"] >= START_US) & (rows["ts"] < self.until_us)]
        self.rows = rows[np.lexsort((rows["ts"], rows["circuit"]))]
        first = {c.circuit_id: START_US for c in self.plant.circuits}
        extent = Extent(first, int(self.rows["ts"].max()))
        day = START.date()
        (columns,) = day_columns(
            ColumnsBlock(self.plant, (day,), ReadingColumns.of(self.rows), extent)
        )
        minutes = day_histograms(columns.power).astype(np.float64)
        levels = learn(minutes, list(self.plant.circuits))
        names = [c.circuit_id for c in self.plant.circuits]
        self.thresholds = dict(zip(names, levels, strict=True))
        judged = judge_day(DayBlock(self.plant, None, columns, self.thresholds, extent))
        self.history = History(
            plant=self.plant,
            watermark_us=extent.watermark_us,
            first_us=first,
            spells=SpellBook.of([]),
            # what registers tell of silences comes with the batch alone
            facts=FactBook.of([f for f in judged.facts if f.kind == CONDUCT_FACT]),
            thresholds=self.thresholds,
        )

    @property
    def levels(self) -> Levels:
        return Levels.of([self.thresholds[c.circuit_id] for c in self.plant.circuits])

    def city(self, since_us: int = START_US) -> CityMinutes:
        """A window that readings since an instant are in."""
        found = CityMinutes(Fleet.of([self.plant]), self.levels, START_US)
        found.advance(self.rows[self.rows["ts"] >= since_us])
        return found


@pytest.fixture(scope="module", params=[10, 60])
def scene(request) -> Scene:
    return Scene(request.param)


def no_doubt(scene: Scene):
    return np.zeros(len(scene.plant.circuits), dtype=np.bool_)


def same(one: Conduct, other: Conduct) -> None:
    assert one.start_us == other.start_us
    np.testing.assert_array_equal(one.running, other.running)
    np.testing.assert_array_equal(one.known, other.known)
    np.testing.assert_allclose(one.energy_kwh, other.energy_kwh, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("base_until_min", [0, 95, 460, 671])
def test_live_conduct_is_the_batchs_wherever_the_base_ends(scene: Scene, base_until_min) -> None:
    begin = START_US + 42 * US_PER_MINUTE
    whole = conduct_of(scene.history, begin, scene.until_us)
    cut = max(begin, base_end_us(START_US + base_until_min * US_PER_MINUTE))
    base = conduct_of(scene.history, begin, cut)
    city = scene.city()
    assert not doubted(city, 0, base).any()
    live = conduct_now(city, 0, Base.of(base), no_doubt(scene), scene.until_us)
    same(live, whole)
    assert whole.running.any()
    assert whole.known.any()
    assert not whole.known.all()  # there are gaps


@pytest.mark.parametrize("base_until_min", [155, 247, 331, 460, 595, 671])
def test_who_began_to_read_a_moment_ago_says_the_same(scene: Scene, base_until_min) -> None:
    cut = base_end_us(START_US + base_until_min * US_PER_MINUTE)
    base = conduct_of(scene.history, START_US, cut)
    stood_us = cut - SETTLED_US
    words = stood_words(conduct_of(scene.history, START_US, stood_us), scene.levels)
    whole = conduct_of(scene.history, START_US, scene.until_us)
    for since_us in (START_US, stood_us - 30 * US_PER_MINUTE):
        city = scene.city(since_us)
        city.stood(0, stood_us, words)
        same(conduct_now(city, 0, Base.of(base), no_doubt(scene), scene.until_us), whole)
        again = scene.rows[scene.rows["ts"] >= stood_us - 30 * US_PER_MINUTE]
        city.advance(again[:1])  # known already: nothing moves
        same(conduct_now(city, 0, Base.of(base), no_doubt(scene), scene.until_us), whole)


def test_the_last_word_is_that_of_the_last_minute_that_is_known() -> None:
    running = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    known = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    energy = np.where(known, 1.0, np.nan)
    energy[4, 3] = 1.0  # power is known, and whether that is running is not
    before = Conduct(0, running.astype(bool), known.astype(bool), energy.astype(np.float32))
    level = Thresholds(
        standby_kw=1.0, standby_release_kw=0.5, running_kw=40.0, running_release_kw=20.0,
        running_level_kw=80.0, basis="learned",
    )  # fmt: skip
    idle = replace(level, running_kw=np.nan, running_release_kw=np.nan)
    words = stood_words(before, Levels.of([level, level, level, idle, idle]))
    assert words.tolist() == [
        [UP, DOWN, NOTHING, DOWN, NOTHING],
        [KEEP, KEEP, KEEP, DOWN, UP],
    ]
    nothing = nothing_known(5, 0, 0)
    assert (stood_words(nothing, Levels.of([level] * 5)) == NOTHING).all()


def test_a_meter_that_the_batch_does_not_believe_is_not_believed(scene: Scene) -> None:
    base = conduct_of(scene.history, START_US, START_US + 600 * US_PER_MINUTE)
    base.known[0] = base.running[0] = False
    base.energy_kwh[0] = np.nan
    city = scene.city()
    doubt = doubted(city, 0, base)
    assert doubt.tolist() == [True] + [False] * (len(doubt) - 1)
    live = conduct_now(city, 0, Base.of(base), doubt, scene.until_us)
    assert not live.known[0].any()
    assert np.isnan(live.energy_kwh[0]).all()
    assert live.known[1, 600:].any()


def test_what_the_window_does_not_hold_is_not_known(scene: Scene) -> None:
    begin = START_US - 90 * US_PER_MINUTE
    empty = Base.of(nothing_known(len(scene.plant.circuits), begin, begin))
    live = conduct_now(scene.city(), 0, empty, no_doubt(scene), scene.until_us)
    assert live.start_us == begin
    assert live.end_us == scene.until_us
    assert not live.known[:, :90].any()
    assert live.known[:, 90:].any()


def test_packing_gives_the_same_array_back() -> None:
    rng = np.random.default_rng(4)
    numbers = np.repeat(rng.random((3, 50)).astype(np.float32), 30, axis=1)
    numbers[1, 100:900] = np.nan
    packed = Packed.of(numbers)
    np.testing.assert_array_equal(packed.unpacked(), numbers)
    assert len(packed.values) < numbers.size / 10
    empty = Packed.of(np.zeros((4, 0), dtype=np.bool_))
    assert empty.unpacked().shape == (4, 0)
