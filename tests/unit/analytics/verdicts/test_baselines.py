"""Which days are alike, what is usual in a window, how wide a spread is."""

from datetime import date

import numpy as np
import pytest

from analytics.baselines.calendar import weekday_kinds
from analytics.baselines.frozen import FrozenBaseline, accumulated
from analytics.baselines.horizons import DayPart, usual_in, view_of
from analytics.day import pairs_of
from analytics.detectors.conduct_facts import facts, read
from analytics.detectors.stages import JudgedDay
from analytics.plants import plant_of
from analytics.verdicts.uncertainty import Spread
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import Role
from wattwitness.domain.states import State

MONDAY = date(2026, 11, 2).toordinal()


@pytest.mark.parametrize(
    ("saturday", "sunday", "kinds"),
    [
        (100.0, 98.0, (0, 0, 0, 0, 0, 0, 0)),
        (100.0, 5.0, (0, 0, 0, 0, 0, 0, 2)),
        (5.0, 5.0, (0, 0, 0, 0, 0, 1, 1)),
        (50.0, 5.0, (0, 0, 0, 0, 0, 1, 2)),
        (np.nan, 5.0, (0, 0, 0, 0, 0, 0, 2)),
    ],
)
def test_kinds_of_days_follow_what_the_plant_does(saturday, sunday, kinds):
    ordinals = list(range(MONDAY, MONDAY + 28))
    week = np.array([100.0, 102.0, 99.0, 101.0, 100.0, saturday, sunday])
    assert weekday_kinds(ordinals, np.tile(week, 4)) == kinds


def flat(days, per_block, known=None):
    """A baseline of one circuit whose days use so much in every block."""
    each = np.asarray(per_block, dtype=np.float64)[:, None, None] * np.ones((days, 1, 96))
    told = np.ones((days, 1), dtype=np.bool_) if known is None else known
    return FrozenBaseline(
        ordinals=np.arange(MONDAY, MONDAY + days),
        kinds=(0,) * 7,
        running_min=accumulated(each),
        energy_kwh=accumulated(each),
        runs_known=told,
        energy_known=told,
        peak_kw=np.ones(1),
        floor_kw=np.zeros(1),
    )


def test_the_usual_is_the_median_of_the_ten_newest():
    baseline = flat(14, [9, 9, 9, 9, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3])
    view = view_of(baseline, (0,), energy=True)
    part = DayPart(MONDAY + 14, 60.0, 127.5, (0,))
    usual = usual_in(baseline, view, view.energy_kwh, [part])
    assert usual.like_days == 10
    assert usual.amount == pytest.approx(2.0 * 4.5)  # 67.5 min are four and a half blocks


def test_days_that_are_not_known_are_left_out():
    known = np.ones((14, 1), dtype=np.bool_)
    known[9:] = False
    baseline = flat(14, [1] * 9 + [5] * 5, known)
    view = view_of(baseline, (0,), energy=True)
    usual = usual_in(baseline, view, view.energy_kwh, [DayPart(MONDAY + 20, 0.0, 1440.0, (0,))])
    assert (usual.like_days, usual.amount) == (9, pytest.approx(96.0))


def test_a_window_of_days_is_tried_on_as_many_days():
    rng = np.random.default_rng(3)
    baseline = flat(40, rng.uniform(0.8, 1.2, 40))
    view = view_of(baseline, (0,), energy=True)
    parts = [DayPart(MONDAY + 40 + n, 0.0, 1440.0, (0,)) for n in range(5)]
    one = usual_in(baseline, view, view.energy_kwh, parts[:1])
    five = usual_in(baseline, view, view.energy_kwh, parts)
    assert (len(one.ratios), len(five.ratios)) == (40, 36)
    assert five.amount == pytest.approx(5 * one.amount)
    assert five.ratios.std() < 0.7 * one.ratios.std()


def test_a_spread_of_few_days_rules_nothing_out():
    few, many = Spread(np.array([0.9, 1.0, 1.1] * 2)), Spread(np.linspace(0.9, 1.1, 60))
    assert few.below(1.0) == pytest.approx(0.5, abs=0.05)
    assert few.below(0.7) > 0.0
    assert many.below(0.89) < 0.2
    assert many.below(1.11) > 0.8
    assert Spread(np.linspace(0.9, 1.1, 20), 2.0).below(0.85) > many.below(0.85)
    low, high = many.interval()
    assert 0.9 <= low < 0.95
    assert 1.05 < high <= 1.1001


def test_a_day_comes_back_from_its_fact(drawn_day):
    judged, power = drawn_day
    (fact,) = facts(judged)
    held = read(fact.values)
    assert held.running.tolist() == [[480, 700], [720, 1080]]
    assert held.dark.tolist() == [[700, 720]]
    assert held.stateless.tolist() == [[700, 720]]
    assert held.block_kw[32] == pytest.approx(power[480:495].mean())
    assert held.block_kw[0] == 0.0


@pytest.fixture
def drawn_day(yard, kit):
    """A day of one circuit: running from eight to six but for twenty minutes without data."""
    plant = plant_of(kit.registry([kit.circuit("P", Role.PRODUCTION)]), "E")
    clock = np.arange(1440)
    power = np.where((clock >= 480) & (clock < 1080), 50.0 + clock / 1000, 0.0)
    power[700:720] = np.nan
    states = np.where(power > 0, State.RUNNING, State.OFF)
    states = np.where(np.isnan(power), State.UNKNOWN, states).astype(np.int8)
    judged = JudgedDay(
        plant=plant,
        day=date(2026, 11, 2),
        start_us=to_us(yard.at(0)),
        skip=0,
        power=power[None, :].astype(np.float32),
        states=states[None, :],
        thresholds=[],
        pairs=pairs_of(plant, states[None, :], power[None, :].astype(np.float32), []),
    )
    return judged, power
