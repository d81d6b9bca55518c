"""`treatment_late_start` and `treatment_early_stop`: the same events, seen from both ends."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors import treatment_early_stop, treatment_late_start
from wattwitness.domain.registry import Declaration, DeclarationReason


def day(drawn, plant, starts=480, stops=1080, press=(480, 1080), holes=()):
    minutes = np.arange(1440)
    power = {
        "P": np.where((minutes >= press[0]) & (minutes < press[1]), 50.0, 0.0),
        "T": np.where((minutes >= starts) & (minutes < stops), 10.0, 0.0),
    }
    for name, first, last in holes:
        power[name][first:last] = np.nan
    return drawn.judged(plant, drawn.day, power)


def found(drawn, look, judged, **known):
    spells = look.conditions(judged)
    return look.episodes(drawn.history(judged.plant, drawn.day, spells=spells, **known))


@pytest.mark.parametrize(("late", "count"), [(0, 0), (10, 0), (12, 0), (13, 1), (45, 1), (89, 1)])
def test_a_late_start_begins_beyond_the_lag_and_two_minutes(drawn, kit, late, count) -> None:
    episodes = found(drawn, treatment_late_start, day(drawn, drawn.plant(), 480 + late))
    assert len(episodes) == count
    for episode in episodes:
        assert (episode.from_, episode.to) == (kit.at(0, 8), kit.at(0, 8 + late / 60))
        assert episode.detected_at == kit.at(0, 8 + 10 / 60)


@pytest.mark.parametrize(("early", "count"), [(0, 0), (12, 0), (13, 1), (60, 1)])
def test_an_early_stop_likewise(drawn, kit, early, count) -> None:
    judged = day(drawn, drawn.plant(), stops=1080 - early)
    episodes = found(drawn, treatment_early_stop, judged)
    assert [(e.from_, e.to) for e in episodes] == [
        (kit.at(0, 18 - early / 60), kit.at(0, 18))
    ] * count


def test_treatment_that_must_lead_is_late_when_it_starts_with_production(drawn, kit) -> None:
    plant = drawn.plant(pairings=[replace(kit.pairing, lead_min=30.0)])
    (episode,) = found(drawn, treatment_late_start, day(drawn, plant, 480))
    assert (episode.from_, episode.to) == (kit.at(0, 7.5), kit.at(0, 8))
    assert found(drawn, treatment_late_start, day(drawn, plant, 445)) == []


@pytest.mark.parametrize("hole", [("T", 485, 486), ("P", 470, 480), ("T", 479, 481)])
def test_what_is_not_known_says_nothing(drawn, hole) -> None:
    judged = day(drawn, drawn.plant(), 510, holes=[hole])
    assert found(drawn, treatment_late_start, judged) == []


def test_a_machine_that_only_paused_has_not_started(drawn) -> None:
    judged = day(drawn, drawn.plant(), 700, press=(480, 1080))
    assert found(drawn, treatment_late_start, judged) == []  # that is off, not late


def test_a_duty_cycled_unit_cannot_be_late(drawn, kit) -> None:
    plant = drawn.plant(pairings=[replace(kit.pairing, duty_cycled=True)])
    assert found(drawn, treatment_late_start, day(drawn, plant, 510)) == []


def paper(kit, from_h, to_h):
    return Declaration(
        enterprise_id="E",
        from_=kit.at(0, from_h),
        to=kit.at(0, to_h),
        reason=DeclarationReason.MAINTENANCE,
    )


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((7, 9), [(480, 540, True)]),  # all of it is declared
        ((7, 8.25), [(480, 495, True), (495, 540, False)]),
        ((7, 8.8), [(480, 528, True)]),  # twelve minutes outside are lawful
        ((8.5, 10), [(480, 510, False), (510, 540, True)]),
        ((6, 7), [(480, 540, False)]),
    ],
)
def test_a_declaration_cuts_it_and_each_part_is_judged(drawn, kit, window, expected) -> None:
    plant = drawn.plant(declarations=[paper(kit, *window)])
    episodes = found(drawn, treatment_late_start, day(drawn, plant, 540))
    minute = timedelta(minutes=1)
    midnight = kit.at(0, 0)
    assert [
        ((e.from_ - midnight) / minute, (e.to - midnight) / minute, e.suppressed_by is not None)
        for e in episodes
    ] == expected
