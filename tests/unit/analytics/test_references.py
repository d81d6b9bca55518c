from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors.stages import History
from analytics.plants import plant_of
from analytics.references import Period, reference_period, within
from wattwitness.domain.facts import FactTable


def period(kit, days, verified=None):
    plant = plant_of(kit.press_and_fan(), "E")
    history = History(
        plant=plant,
        watermark_us=0,
        first_us={},
        spells=(),
        facts=(),
        thresholds={},
        verified=verified,
    )
    return reference_period(history, [kit.day0 + timedelta(days=n) for n in days])


def test_nothing_without_days(kit) -> None:
    assert period(kit, []) is None


@pytest.mark.parametrize(("days", "early"), [(60, 14), (28, 14), (10, 5), (3, 1), (1, 1)])
def test_the_first_days_are_provisional_and_never_more_than_half(kit, days, early) -> None:
    found = period(kit, range(days))
    assert (found.first, found.last) == (kit.day0, kit.day0 + timedelta(days=early - 1))
    assert found.basis == "provisional"


def test_later_days_do_not_move_it(kit) -> None:
    assert period(kit, range(40)) == period(kit, range(90))


def test_a_verified_period_is_taken_as_it_is(kit) -> None:
    found = period(kit, range(60), (kit.at(20, 0), kit.at(27, 0)))
    assert (found.first, found.last) == (
        kit.day0 + timedelta(days=20),
        kit.day0 + timedelta(days=26),
    )
    assert found.basis == "verified"


def test_days_within(kit) -> None:
    days = [kit.day0 + timedelta(days=n) for n in range(4)]
    found = within(FactTable(days, np.zeros((4, 1))), Period(days[1], days[2], verified=True))
    assert found.tolist() == [False, True, True, False]
