from datetime import timedelta

import numpy as np
import pytest

from analytics.detectors import replayed_data

N = 1440


def days(repeat=slice(0, 0), interval_min=1, step=0.01, back=1, count=3):
    """Some days of noise; in `repeat` minutes the last one shows what came `back` days before."""
    rng = np.random.default_rng(4)
    power = [np.round(rng.normal(50, 4, N) / step) * step for _ in range(count)]
    power[-1][repeat] = power[-1 - back][repeat]
    return [p[::interval_min] for p in power]


def found(drawn, powers, interval_s=60):
    plant = drawn.plant("P T", interval_s=interval_s)
    facts = []
    for n, power in enumerate(powers):
        day = drawn.day + timedelta(days=n)
        columns = {"p_kw": power, "e_kwh": 1000.0 * n + np.cumsum(power) / 60}
        facts += replayed_data.raw_facts(drawn.raw(plant, day, {"P": columns}))
    return replayed_data.episodes(drawn.history(plant, drawn.day, len(powers), facts=facts))


@pytest.mark.parametrize(
    ("repeat", "count"),
    [(slice(0, 0), 0), (slice(0, N), 1), (slice(600, 720), 1), (slice(600, 705), 0)],
)
def test_two_hours_that_come_again(drawn, repeat, count) -> None:
    assert len(found(drawn, days(repeat))) == count


def test_it_tells_where_it_was_taken_from(drawn, kit) -> None:
    (episode,) = found(drawn, days(slice(0, N), back=2))
    assert (episode.from_, episode.to) == (kit.at(2, 0), kit.at(3, 0))
    assert episode.evidence["hours_before"]["value"] == 48.0


@pytest.mark.parametrize("interval_min", [5, 15])
def test_slow_meters_repeat_too(drawn, interval_min) -> None:
    interval_s = 60 * interval_min
    assert found(drawn, days(interval_min=interval_min), interval_s) == []
    repeated = days(slice(0, N), interval_min)
    assert len(found(drawn, repeated, interval_s)) == 1


def test_a_timer_repeats_itself_lawfully(drawn) -> None:
    timer = np.where(np.arange(N) % 8 < 3, 6.0, 0.0)
    assert found(drawn, [timer] * 3) == []
    slow = np.where(np.arange(96) % 8 < 3, 6.0, 0.0)
    assert found(drawn, [slow] * 3, 900) == []


def test_constant_power_is_not_a_replay(drawn) -> None:
    assert found(drawn, [np.full(N, 5.5)] * 3) == []


def test_a_digest_says_nothing_about_other_circuits_or_unmeasured_channels(drawn) -> None:
    plant = drawn.plant("P T")
    rng = np.random.default_rng(8)
    power, volts = np.round(rng.normal(50, 4, N), 1), np.round(rng.normal(220, 1, N), 1)

    def digests(of_p, of_t):
        facts = replayed_data.raw_facts(drawn.raw(plant, drawn.day, {"P": of_p, "T": of_t}))
        return {fact.subject: fact.values for fact in facts}["P"]

    alone = digests({"p_kw": power}, {"p_kw": power})
    beside = digests({"p_kw": power}, {"p_kw": power, "u_a": volts})
    assert np.isfinite(alone).all()
    np.testing.assert_array_equal(alone, beside)
    measured = digests({"p_kw": power, "u_a": volts}, {"p_kw": power})
    assert (measured != alone).all()
    zero = digests({"p_kw": power, "u_a": np.zeros(N)}, {"p_kw": power})
    assert (zero != alone).all()
