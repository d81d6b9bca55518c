import numpy as np

from analytics.quality.register_glitches import momentary_zeros
from analytics.quality.reversed_power import reversed_power
from analytics.quality.spikes import single_spikes

ONE = np.zeros(10, dtype=np.intp)


def mask(*places: int) -> list[bool]:
    return [n in places for n in range(10)]


def test_a_single_sample_above_one_and_a_half_rated_is_a_spike() -> None:
    power = np.array([80, 81, 1100, 79, 80, 120, 125, 80, np.nan, 200.0])
    rated = np.full(10, 85.0)
    assert single_spikes(power, ONE, rated).tolist() == mask(2, 9)


def test_a_run_above_rated_is_a_load_not_a_spike() -> None:
    power = np.array([80, 81, 200, 205, 80, 80, 80, 80, 80, 80.0])
    assert not single_spikes(power, ONE, np.full(10, 85.0)).any()


def test_without_a_nameplate_a_spike_towers_over_all_the_circuit_ever_does() -> None:
    power = np.tile([5.0, 5.1, 4.9], 20)
    power[30] = 70.0
    rows = np.zeros(60, dtype=np.intp)
    assert np.flatnonzero(single_spikes(power, rows, np.full(60, np.nan))).tolist() == [30]


def test_without_a_nameplate_a_lawful_jog_is_none() -> None:
    power = np.where(np.arange(60) < 30, 0.0, 85.0)
    power[10] = 80.0  # the same machine, started for a minute
    rows = np.zeros(60, dtype=np.intp)
    assert not single_spikes(power, rows, np.full(60, np.nan)).any()


def test_spikes_do_not_look_across_circuits() -> None:
    power = np.array([1, 1, 1, 1, 1, 100, 100, 100, 100, 100.0])
    rows = np.repeat([0, 1], 5).astype(np.intp)
    assert not single_spikes(power, rows, np.full(10, np.nan)).any()


def test_a_register_that_reads_zero_for_a_moment_is_marked() -> None:
    energy = np.array([5, 6, 0, 7, 8, 0, 0, 9, np.nan, 10.0])
    assert momentary_zeros(energy, ONE).tolist() == mask(2, 5, 6)


def test_a_new_register_counting_from_zero_is_not_a_glitch() -> None:
    energy = np.array([0, 0, 1, 2, 0, 0, 0, 0, 0.5, 1.0])
    assert not momentary_zeros(energy, ONE).any()


def test_a_register_that_is_zero_at_the_newest_sample_is_marked() -> None:
    energy = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 0.0])
    assert momentary_zeros(energy, ONE).tolist() == mask(9)


def test_power_negative_beyond_noise_is_reversed() -> None:
    power = np.array([-50, -0.01, 0, 1, -0.4, -0.6, np.nan, 5, -1, -0.03])
    found = reversed_power(power, np.full(10, 100.0), np.zeros(10))
    assert found.tolist() == mask(0, 5, 8)
