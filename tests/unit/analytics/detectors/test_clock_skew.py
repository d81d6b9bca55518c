import numpy as np
import pytest

from analytics.detectors import clock_skew

N = 1440


def found(drawn, lag_s, interval_s=60, resent=None):
    plant = drawn.plant("P T", interval_s=interval_s)
    columns = {"p_kw": np.full(len(lag_s), 5.0), "lag_s": lag_s}
    if resent is not None:
        columns["resent"] = resent
    facts = clock_skew.raw_facts(drawn.raw(plant, drawn.day, {"P": columns}))
    return clock_skew.episodes(drawn.history(plant, drawn.day, facts=facts))


def lags(off_s=0.0, hours=4.0, usual_s=2.0, n=N):
    """The clock is `off_s` ahead from 10:00 on."""
    rng = np.random.default_rng(1)
    lag = usual_s + rng.gamma(2.0, 0.5, n)
    per_hour = n / 24
    lag[int(10 * per_hour) : int((10 + hours) * per_hour)] -= off_s
    return lag


@pytest.mark.parametrize(
    ("off_s", "count"), [(0, 0), (45, 0), (90, 1), (-90, 1), (3600, 1), (-1800, 1)]
)
def test_more_than_a_minute_off(drawn, off_s, count) -> None:
    episodes = found(drawn, lags(off_s))
    assert len(episodes) == count
    for episode in episodes:
        assert episode.evidence["skew"]["value"] == pytest.approx(off_s, abs=5)
        assert set(episode.circuits) == {"P", "T"}  # the clock is the gateway's


def test_an_hour_at_least(drawn) -> None:
    assert found(drawn, lags(120, hours=0.75)) == []
    assert len(found(drawn, lags(120, hours=1.0))) == 1


def test_what_is_usual_for_the_gateway_is_no_skew(drawn) -> None:
    assert found(drawn, lags(usual_s=62.0)) == []  # a mean that is sent when its minute is over


@pytest.mark.parametrize("interval_s", [60, 900])
def test_a_queue_that_is_worked_off_is_no_wrong_clock(drawn, interval_s) -> None:
    n = 86_400 // interval_s
    ts = np.arange(n) * interval_s
    lag = np.full(n, 3.0)
    late = (ts >= 36_000) & (ts < 50_400)
    lag[late] = 50_400 - ts[late] + 5.0
    assert found(drawn, lag, interval_s) == []


def test_readings_that_were_resent_say_nothing(drawn) -> None:
    resent = np.zeros(N, dtype=bool)
    resent[600:840] = True
    assert found(drawn, lags(-1800), resent=resent) == []


def test_without_receipt_times_nothing_is_said(drawn) -> None:
    plant = drawn.plant("P T")
    raw = drawn.raw(plant, drawn.day, {"P": {"p_kw": np.full(N, 5.0)}})
    assert clock_skew.raw_facts(raw) == []
