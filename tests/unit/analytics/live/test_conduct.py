"""Live conduct is what the batch says of the same readings."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.day import ColumnsBlock, DayBlock, Extent, day_columns, judge_day
from analytics.detectors.conduct_facts import CONDUCT_FACT
from analytics.detectors.stages import History
from analytics.live.conduct import Base, base_end_us, conduct_now, doubted
from analytics.live.fleet import Fleet
from analytics.live.latches import Levels
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
from wattwitness.domain.spells import SpellBook

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
        (columns,) = day_columns(ColumnsBlock(self.plant, (day,), self.rows, extent))
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

    def city(self) -> CityMinutes:
        levels = Levels.of([self.thresholds[c.circuit_id] for c in self.plant.circuits])
        found = CityMinutes(Fleet.of([self.plant]), levels, START_US)
        found.advance(self.rows)
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
