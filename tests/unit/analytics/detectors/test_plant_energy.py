"""`production_surge` and `capacity_growth`: information, from the energy of the production."""

from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors import capacity_growth, production_surge
from analytics.detectors.plant_energy import ENERGY_FACT
from wattwitness.domain.facts import BLOCKS
from wattwitness.domain.registry import Alert, AlertLevel, Declaration, DeclarationReason


def energy(factors, spread=0.03, weekend=1.0):
    rng = np.random.default_rng(9)
    rest = np.where(np.arange(len(factors)) % 7 >= 5, weekend, 1.0)
    factors = np.asarray(factors) * rest * (1 + spread * rng.standard_normal(len(factors)))
    return [np.full(BLOCKS, 50.0 * factor) for factor in factors]


def surge(drawn, kit, factors, **shape):
    at = kit.at(25, 0)  # a Friday
    alert = Alert(
        alert_id="A", level=AlertLevel.RED, issued_at=at - timedelta(hours=30), response_from=at
    )
    facts = drawn.facts(ENERGY_FACT, "", drawn.day, energy(factors, **shape))
    known = {"facts": facts, "alerts": [alert]}
    return production_surge.episodes(drawn.history(drawn.plant(), drawn.day, 28, **known))


def day_before(factor):
    factors = np.ones(28)
    factors[24] = factor
    return factors


@pytest.mark.parametrize(("factor", "count"), [(1.0, 0), (1.2, 0), (1.4, 1)])
def test_a_third_more_before_an_alert(drawn, kit, factor, count) -> None:
    episodes = surge(drawn, kit, day_before(factor))
    assert [(e.from_, e.to) for e in episodes] == [(kit.at(24, 0), kit.at(25, 0))] * count


def test_rest_days_are_no_like_days(drawn, kit) -> None:
    assert surge(drawn, kit, day_before(1.2), weekend=0.1) == []
    (episode,) = surge(drawn, kit, day_before(1.4), weekend=0.1)
    assert episode.evidence["ratio"]["value"] == pytest.approx(1.4, abs=0.1)


@pytest.mark.parametrize(("factor", "count"), [(1.0, 0), (1.5, 1)])
def test_a_plant_that_rests_on_sundays_only_has_saturdays_as_any_day(drawn, kit, factor, count):
    at = kit.at(27, 0)  # a Sunday: the window before it is a Saturday
    alert = Alert(
        alert_id="A", level=AlertLevel.RED, issued_at=at - timedelta(hours=30), response_from=at
    )
    factors = np.where(np.arange(30) % 7 == 6, 0.02, 1.0)
    factors[26] = factor
    facts = drawn.facts(ENERGY_FACT, "", drawn.day, energy(factors))
    history = drawn.history(drawn.plant(), drawn.day, 30, facts=facts, alerts=[alert])
    assert len(production_surge.episodes(history)) == count


def test_too_few_days_say_nothing(drawn, kit) -> None:
    factors = day_before(1.4)
    factors[:20] = np.nan
    assert surge(drawn, kit, factors) == []


def growth(drawn, kit, factors, declarations=(), **shape):
    facts = drawn.facts(ENERGY_FACT, "", drawn.day, energy(factors, **shape))
    plant = drawn.plant(declarations=declarations)
    return capacity_growth.episodes(drawn.history(plant, drawn.day, len(factors), facts=facts))


def ramp(to, first=30, over=14, days=60):
    return 1 + (to - 1) * np.clip((np.arange(days) - first) / over, 0, 1)


@pytest.mark.parametrize(
    ("factors", "count"),
    [
        (np.ones(60), 0),
        (ramp(1.3), 1),
        (ramp(1.15), 0),
        (ramp(1.3, first=5, over=5, days=38), 0),  # not forty days yet
        (np.where(np.arange(60) == 50, 3.0, 1.0), 0),  # a single day
    ],
)
def test_a_fifth_more_for_a_month(drawn, kit, factors, count) -> None:
    assert len(growth(drawn, kit, factors)) == count


def test_days_that_differ_by_a_third_anyway_do_not_grow(drawn, kit) -> None:
    assert growth(drawn, kit, ramp(1.22), spread=0.4) == []


def test_growth_ends_where_it_falls_back(drawn, kit) -> None:
    factors = np.concatenate((ramp(1.4), np.ones(30)))
    (episode,) = growth(drawn, kit, factors)
    assert kit.at(29, 0) <= episode.from_ <= kit.at(37, 0)
    assert kit.at(58, 0) <= episode.to <= kit.at(64, 0)


def test_weekends_of_rest_are_left_out(drawn, kit) -> None:
    assert growth(drawn, kit, np.ones(60), weekend=0.02) == []
    assert len(growth(drawn, kit, ramp(1.3), weekend=0.02)) == 1


def test_declared_days_are_left_out(drawn, kit) -> None:
    paper = Declaration(
        enterprise_id="E",
        from_=kit.at(28, 0),
        to=kit.at(59, 23),
        reason=DeclarationReason.TRIAL,
    )
    assert growth(drawn, kit, ramp(1.5, first=28, over=1), [paper]) == []
