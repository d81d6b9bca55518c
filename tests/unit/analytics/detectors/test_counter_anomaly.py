from dataclasses import replace

import numpy as np
import pytest

from analytics.detectors import counter_anomaly
from analytics.detectors.register_steps import rolls_over

N = 1440


def meter(kw=60.0, start_kwh=5000.0, step=0.01):
    """A load that hardly moves and the register that counts it."""
    power = kw + 0.2 * np.sin(np.arange(N))
    counted = start_kwh + np.concatenate(([0.0], np.cumsum(power)[:-1])) / 60.0
    return {"p_kw": power, "e_kwh": np.floor(counted / step) * step}


def found(drawn, columns, rated_kw=100.0, **of_registry):
    plant = drawn.plant("P T", rated_kw=rated_kw, **of_registry)
    spells = counter_anomaly.mark(drawn.raw(plant, drawn.day, {"P": columns}))
    level = {c: replace(drawn.runs, running_level_kw=60.0) for c in "PT"}
    history = drawn.history(plant, drawn.day, spells=spells, thresholds=level)
    return counter_anomaly.episodes(history)


def names(episodes):
    return [sorted(set(e.evidence) & {"rolled_back", "jumped", "register_share"}) for e in episodes]


def shifted(kwh, at=700, until=N):
    columns = meter()
    columns["e_kwh"][at:until] += kwh
    return columns


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (meter(), []),
        (shifted(-300.0), [["rolled_back"]]),
        (shifted(+300.0), [["jumped"]]),
        (shifted(+0.8), []),  # no more than the nameplate allows in a minute
        (shifted(-300.0, until=702), []),  # it comes back
        (shifted(+300.0, until=702), []),
    ],
)
@pytest.mark.parametrize("rated_kw", [100.0, None])
def test_a_step_that_lasts_and_no_load_explains(drawn, columns, expected, rated_kw) -> None:
    assert names(found(drawn, columns, rated_kw)) == expected


def test_a_step_back_tells_when_and_how_much(drawn, kit) -> None:
    (episode,) = found(drawn, shifted(-300.0))
    assert kit.at(0, 11.6) < episode.from_ <= kit.at(0, 11 + 40 / 60) < episode.to
    assert episode.evidence["rolled_back"]["value"] == pytest.approx(299.0, abs=0.1)
    assert episode.evidence["register_before"]["unit"] == "kWh"


@pytest.mark.parametrize("modulus", [1_000_000.0, 10_000.0, 2**23 * 0.01])
def test_a_full_register_begins_again(drawn, modulus) -> None:
    columns = meter(start_kwh=modulus - 500.0)
    columns["e_kwh"] %= modulus
    assert found(drawn, columns) == []


def test_the_digits_decide_what_rolls_over() -> None:
    assert rolls_over(999_999.5, 0.4, 1.2, 0.01)
    assert not rolls_over(999_900.0, 0.4, 1.2, 0.01)
    assert not rolls_over(5000.0, 4700.0, 1.2, 0.01)


def test_a_nameplate_that_the_power_itself_exceeds_is_no_jump(drawn) -> None:
    assert found(drawn, meter(kw=150.0), rated_kw=75.0) == []


def test_a_register_without_power_may_start_with_the_last_reading(drawn) -> None:
    columns = {"e_kwh": np.full(N, 700.0)}
    columns["e_kwh"][-20:] = 701.0 + np.arange(20)
    assert found(drawn, columns, rated_kw=None) == []
    columns["e_kwh"][700:] += 400.0
    assert names(found(drawn, columns, rated_kw=None)) == [["jumped"]]


def test_a_new_meter_is_told_as_such(drawn) -> None:
    columns = meter(start_kwh=50_000.0)
    columns["e_kwh"][700:] -= columns["e_kwh"][700]
    (episode,) = found(drawn, columns)
    assert episode.evidence["looks_like"]["value"] == "replaced_meter"
    assert episode.confidence < 0.7
    silent = np.arange(N) * 60.0
    silent[700:] += 1800.0
    assert found(drawn, {k: v[:1400] for k, v in (columns | {"ts_s": silent}).items()}) == []


def slow(share, hours=slice(600, 840)):
    columns = meter()
    counted = np.full(N, 1.0)
    counted[hours] = share
    columns["e_kwh"] = 5000.0 + np.cumsum(counted)
    return columns


@pytest.mark.parametrize(("share", "count"), [(0.95, 0), (0.7, 1), (0.0, 1), (1.3, 1)])
def test_hours_that_count_other_than_the_power(drawn, kit, share, count) -> None:
    episodes = found(drawn, slow(share))
    assert [(e.from_, e.to) for e in episodes] == [(kit.at(0, 10), kit.at(0, 14))] * count


def test_power_of_long_intervals_is_not_integrated(drawn) -> None:
    columns = {name: values[::5] for name, values in slow(0.7).items()}
    assert found(drawn, columns, interval_s=300) == []


def test_nights_do_not_end_a_slow_register_but_sound_hours_do(drawn, kit) -> None:
    def day(n, sound):
        columns = meter()
        columns["p_kw"][: 8 * 60] = columns["p_kw"][18 * 60 :] = 0.0
        counted = columns["p_kw"] / 60.0 * 0.7
        if sound:
            counted[16 * 60 :] /= 0.7
        columns["e_kwh"] = 5000.0 + 1000.0 * n + np.cumsum(counted)
        plant = drawn.plant("P T")
        day_ = drawn.day.fromordinal(drawn.day.toordinal() + n)
        return plant, counter_anomaly.mark(drawn.raw(plant, day_, {"P": columns}))

    for sound, count in ((False, 1), (True, 2)):
        (plant, one), (_, other) = day(0, sound), day(1, sound)
        history = drawn.history(plant, drawn.day, 2, spells=one + other)
        assert len(counter_anomaly.episodes(history)) == count


def test_a_clock_that_is_set_steps_all_registers_a_little(drawn) -> None:
    plant = drawn.plant("P T")
    level = {c: replace(drawn.runs, running_level_kw=60.0) for c in "PT"}

    def episodes(*circuits):
        rows = {c: shifted(30.0) if c in circuits else meter() for c in "PT"}
        spells = counter_anomaly.mark(drawn.raw(plant, drawn.day, rows))
        known = {"spells": spells, "thresholds": level}
        return counter_anomaly.episodes(drawn.history(plant, drawn.day, **known))

    assert [e.circuits for e in episodes("P")] == [("P",)]
    assert episodes("P", "T") == []
