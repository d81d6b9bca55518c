"""Pairs that miss from the first day on, and warnings before there is an episode."""

import numpy as np
import pytest

DAY_MIN = 1440


@pytest.fixture
def plant(kit):
    return kit.Plant(days=6)


def analysed(kit, plant, off=None, until=None):
    power = plant.power(off)
    if until is not None:
        for kw in power.values():
            kw[until:] = np.nan
    trial = kit.Trial(kit.press_and_fan())
    return trial.load(kit.readings(power)).results.findings["E"]


def everywhere(plant):
    return np.ones(plant.days * DAY_MIN, dtype=bool)


def test_a_pair_that_never_works_is_to_be_checked_and_is_still_a_lead(kit, plant) -> None:
    (lead,) = analysed(kit, plant, everywhere(plant)).leads
    (pair,) = lead.registration_check
    assert pair.pairing_id == "PT"
    assert pair.off_share > 0.95
    assert pair.days == 6
    assert "treatment_off" in lead.kinds
    assert lead.level != "low"


def test_a_pair_that_began_to_miss_later_is_not_chronic(kit, plant) -> None:
    off = everywhere(plant)
    off[: 3 * DAY_MIN] = False
    (lead,) = analysed(kit, plant, off).leads
    assert lead.registration_check == ()


def test_a_clean_pair_is_not_chronic(kit, plant) -> None:
    assert analysed(kit, plant).leads == []


def late_on_the_last_day(kit, plant, minutes):
    """Treatment goes off at ten, and the data end `minutes` later."""
    start = 5 * DAY_MIN + 10 * 60
    off = ~everywhere(plant)
    off[start:] = True
    return analysed(kit, plant, off, start + minutes)


@pytest.mark.parametrize(("minutes", "warns", "tells"), [(6, 0, 0), (16, 1, 0), (45, 0, 1)])
def test_a_warning_comes_before_the_episode(kit, plant, minutes, warns, tells) -> None:
    found = late_on_the_last_day(kit, plant, minutes)
    assert (len(found.warnings), len(found.episodes)) == (warns, tells)
    for warning in found.warnings:
        assert warning.pairing_id == "PT"
        assert warning.from_ == kit.at(5, 10)
        assert 10 <= warning.known_minutes < warning.required_minutes == 30


def test_what_is_over_does_not_warn(kit, plant) -> None:
    off = ~everywhere(plant)
    off[5 * DAY_MIN + 10 * 60 : 5 * DAY_MIN + 10 * 60 + 20] = True
    assert analysed(kit, plant, off, 5 * DAY_MIN + 11 * 60).warnings == []


def test_the_lawful_lag_of_a_start_does_not_warn(kit, plant) -> None:
    off = ~everywhere(plant)
    off[5 * DAY_MIN : 5 * DAY_MIN + 9 * 60] = True
    assert analysed(kit, plant, off, 5 * DAY_MIN + 8 * 60 + 15).warnings == []
