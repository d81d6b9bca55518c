"""`treatment_underload` and `treatment_gradual_underrun`: blocks against a frozen reference."""

from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors import treatment_gradual_underrun, treatment_underload
from analytics.pairing.levels import LEVEL_FACT
from wattwitness.domain.facts import BLOCKS
from wattwitness.domain.registry import Declaration, DeclarationReason

DAYS = 30
WORK = slice(32, 72)  # 8:00 to 18:00


def levels(ratios, low=(), duty=1.0):
    """Mean kW of a 10 kW unit on each day × its ratio; `low` = (day, first, last block, ratio)."""
    rng = np.random.default_rng(5)
    found = []
    for day, ratio in enumerate(ratios):
        kw = np.full(BLOCKS, np.nan)
        kw[WORK] = 10.0 * ratio * (1 + 0.01 * rng.standard_normal(40))
        for which, first, last, share in low:
            if which == day:
                kw[first:last] *= share
        found.append(np.concatenate((kw, np.full(BLOCKS, duty))))
    return found


def history(drawn, kit, values, declarations=()):
    plant = drawn.plant(declarations=declarations)
    facts = drawn.facts(LEVEL_FACT, "T", drawn.day, values)
    verified = (kit.at(0, 0), kit.at(8, 0))
    return drawn.history(plant, drawn.day, DAYS, facts=facts, verified=verified)


def underload(drawn, kit, low, declarations=()):
    values = levels(np.ones(DAYS), low)
    return treatment_underload.episodes(history(drawn, kit, values, declarations))


@pytest.mark.parametrize(
    ("low", "count"),
    [
        ((), 0),
        ([(20, 40, 42, 0.75)], 1),
        ([(20, 40, 41, 0.75)], 0),  # a quarter of an hour
        ([(20, 40, 48, 0.83)], 1),
        ([(20, 40, 48, 0.90)], 0),
        ([(20, 40, 48, 0.6), (22, 40, 48, 0.6)], 2),
    ],
)
def test_half_an_hour_below_85_percent_of_the_own_level(drawn, kit, low, count) -> None:
    assert len(underload(drawn, kit, low)) == count


def test_an_episode_tells_bounds_ratio_and_reference(drawn, kit) -> None:
    (episode,) = underload(drawn, kit, [(20, 40, 48, 0.6)])
    assert (episode.from_, episode.to) == (kit.at(20, 10), kit.at(20, 12))
    assert episode.detected_at == kit.at(20, 10.5)
    assert episode.evidence["level_share"]["value"] == pytest.approx(60, abs=1)
    assert episode.evidence["reference_level"]["value"] == pytest.approx(10, abs=0.1)
    assert episode.evidence["reference"]["value"] == "verified"


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((9, 13), [(10, 12, True)]),
        ((9, 11), [(10, 11, True), (11, 12, False)]),
        ((10.5, 11.5), [(10, 10.5, False), (10.5, 11.5, True), (11.5, 12, False)]),
        ((9, 11.75), [(10, 11.75, True)]),  # a quarter outside is too short
    ],
)
def test_a_declaration_of_the_unit_cuts_it(drawn, kit, window, expected) -> None:
    paper = Declaration(
        enterprise_id="E",
        from_=kit.at(20, window[0]),
        to=kit.at(20, window[1]),
        reason=DeclarationReason.MAINTENANCE,
        circuits=("T",),
    )
    episodes = underload(drawn, kit, [(20, 40, 48, 0.6)], [paper])
    hour = timedelta(hours=1)
    assert [
        ((e.from_ - kit.at(20, 0)) / hour, (e.to - kit.at(20, 0)) / hour, bool(e.suppressed_by))
        for e in episodes
    ] == expected


def decline(per_day, first=12, days=DAYS):
    return 1.0 - per_day * np.clip(np.arange(days) - first, 0, None)


@pytest.mark.parametrize(
    ("ratios", "count"),
    [
        (np.ones(DAYS), 0),
        (decline(0.01), 1),
        (decline(0.02), 1),
        (decline(0.002), 0),  # four percent in all
        (np.where(np.arange(DAYS) < 15, 1.0, 0.8), 0),  # a step is under-load
        (decline(0.015, first=25), 0),  # too short so far
    ],
)
def test_a_slow_decline_and_nothing_else(drawn, kit, ratios, count) -> None:
    own = history(drawn, kit, levels(ratios))
    assert len(treatment_gradual_underrun.episodes(own)) == count


def test_a_decline_is_dated_and_is_not_under_load_as_well(drawn, kit) -> None:
    own = history(drawn, kit, levels(decline(0.015)))
    (episode,) = treatment_gradual_underrun.episodes(own)
    assert abs((episode.from_ - kit.at(12, 0)).days) <= 2
    assert episode.to == kit.at(DAYS, 0)
    assert episode.evidence["decline"]["value"] == pytest.approx(1.5, abs=0.2)
    assert treatment_underload.episodes(own) == []


def test_a_declared_week_is_cut_out_of_a_decline(drawn, kit) -> None:
    paper = Declaration(
        enterprise_id="E",
        from_=kit.at(18, 0),
        to=kit.at(24, 0),
        reason=DeclarationReason.MAINTENANCE,
    )
    own = history(drawn, kit, levels(decline(0.015, first=8)), [paper])
    parts = treatment_gradual_underrun.episodes(own)
    assert [bool(e.suppressed_by) for e in parts] == [False, True, False]
    assert (parts[1].from_, parts[1].to) == (kit.at(18, 0), kit.at(24, 0))
