import numpy as np
import pytest

from analytics.detectors import treatment_off
from analytics.detectors.stages import History


def day(drawn, fan_off=(0, 0), plant=None, unknown=(0, 0), names="T"):
    """Production from 8:00 to 18:00, the fan with it, but for [from, to) minutes after 10:00."""
    minutes = np.arange(1440)
    press = np.where((minutes >= 480) & (minutes < 1080), 50.0, 0.0)
    fan = np.where((minutes >= 480) & (minutes < 1080), 10.0, 0.0)
    fan[600 + fan_off[0] : 600 + fan_off[1]] = 0.0
    fan[600 + unknown[0] : 600 + unknown[1]] = np.nan
    plant = plant or drawn.plant()
    return drawn.judged(plant, drawn.day, {"P": press} | dict.fromkeys(names.split(), fan))


def found(drawn, judged) -> list:
    spells = treatment_off.conditions(judged)
    history: History = drawn.history(judged.plant, drawn.day, spells=spells)
    return treatment_off.episodes(history)


def test_a_fan_that_follows_is_no_finding(drawn) -> None:
    assert treatment_off.conditions(day(drawn)) == []


@pytest.mark.parametrize(("minutes", "count"), [(29, 0), (30, 1), (35, 1)])
def test_thirty_minutes_make_an_episode(drawn, minutes, count) -> None:
    assert len(found(drawn, day(drawn, (0, minutes)))) == count


def test_an_episode_has_the_bounds_and_the_numbers(drawn, kit) -> None:
    (episode,) = found(drawn, day(drawn, (0, 60)))
    assert (episode.from_, episode.to) == (kit.at(0, 10), kit.at(0, 11))
    assert episode.detected_at == kit.at(0, 10 + 10 / 60)
    assert episode.evidence["production_mean"] == {"value": 50.0, "unit": "kW"}
    assert episode.evidence["treatment_mean"] == {"value": 0.0, "unit": "kW"}
    assert episode.evidence["known_minutes"] == {"value": 60.0, "unit": "min"}


def test_unknown_minutes_of_the_fan_count_for_nothing(drawn) -> None:
    assert found(drawn, day(drawn, (0, 35), unknown=(10, 20))) == []
    (episode,) = found(drawn, day(drawn, (0, 45), unknown=(10, 20)))
    assert episode.evidence["missing_minutes"]["value"] == 10.0
    assert found(drawn, day(drawn, unknown=(0, 300))) == []


def test_any_spare_unit_is_enough(drawn, kit) -> None:
    pairing = kit.pairing.__class__(
        pairing_id="PT", production=("P",), treatment=("T", "T2"), require="any"
    )
    plant = drawn.plant("P T T2", [pairing])
    judged = day(drawn, (0, 60), plant, names="T T2")
    power = {"P": judged.power[0], "T": judged.power[1], "T2": np.where(judged.power[0], 9.0, 0.0)}
    assert found(drawn, drawn.judged(plant, drawn.day, power)) == []
    assert len(found(drawn, judged)) == 1
