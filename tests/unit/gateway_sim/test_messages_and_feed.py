from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway_sim.city import build_city
from gateway_sim.clock import SimulatedClock
from gateway_sim.feed import PlantFeed
from gateway_sim.history import arrived_rows
from gateway_sim.messages import MAX_READINGS, addressed, bodies
from gateway_sim.scenario import Scenario
from wattwitness.domain.instants import US_PER_DAY, US_PER_MINUTE
from wattwitness.domain.readings import MEASURANDS, empty_readings, sort_readings
from wattwitness.wire.payload import Message, decode_message

START = datetime(2026, 11, 2, tzinfo=UTC)
FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)


@given(st.lists(st.tuples(FINITE, FINITE, st.integers(0, 2**50), st.booleans()), max_size=30))
def test_values_arrive_as_they_are(items):
    rows = empty_readings(len(items))
    for n, (p_kw, e_kwh, ts, resent) in enumerate(items):
        rows[n]["p_kw"], rows[n]["e_kwh"], rows[n]["ts"], rows[n]["resent"] = (
            p_kw,
            e_kwh,
            ts,
            resent,
        )
        rows[n]["u_b"] = 229.9
    for newest, body in bodies(rows, {0: "P1"}):
        assert newest == rows["ts"].max()
        payload = addressed(body, epoch="e", seq=7, oldest=3, sent_ms=None, late_before_us=None)
        message = decode_message(payload)
        assert isinstance(message, Message)
        assert message.mark.seq == 7
        assert message.mark.oldest == 3
        assert list(message.ts_us) == rows["ts"].tolist()
        assert [r.p for r in message.readings] == rows["p_kw"].tolist()
        assert [r.e for r in message.readings] == rows["e_kwh"].tolist()
        assert [r.rs for r in message.readings] == rows["resent"].tolist()
        assert all(r.u == (None, 229.9, None) and r.i is None for r in message.readings)


def test_late_readings_are_marked_and_only_they():
    rows = empty_readings(2 * MAX_READINGS + 1)
    rows["p_kw"] = 1.5
    rows["ts"] = np.arange(len(rows)) * 1000
    found = list(bodies(rows, {0: "P1"}))
    assert len(found) == 3
    payload = addressed(found[0][1], epoch="e", seq=1, oldest=1, sent_ms=5, late_before_us=7_000)
    assert [r.rs for r in decode_message(payload).readings] == [True] * 7 + [False] * 193


def test_live_continues_the_history_without_a_seam():
    scenario = Scenario(enterprises=6, days=3, seed=9, shares={"comms_outage": 1.0})
    city = build_city(scenario, START)
    middle = city.start_us + 2 * US_PER_DAY
    for plant in city.plants:
        past = arrived_rows(plant, city.start_us, middle, middle)
        feed = PlantFeed(plant, middle)
        parts, now = [], middle
        while now < city.end_us:
            now = min(city.end_us, now + 37 * US_PER_MINUTE)
            part = feed.due(now)
            assert (part["received_at"] <= now).all()
            parts.append(part)
        joined = sort_readings(np.concatenate([past, *parts]))
        whole = plant.readings(city.start_us, city.end_us)
        whole = whole[whole["received_at"] <= city.end_us]
        assert joined.tobytes() == sort_readings(whole).tobytes()
        assert set(MEASURANDS) <= set(joined.dtype.names)


def test_a_clock_of_rate_sixty():
    real_s = [100.0]
    clock = SimulatedClock(1_000_000, 60.0, lambda: real_s[0])
    real_s[0] += 2
    assert clock.now_us() == 121_000_000
    assert clock.wait_s(181_000_000) == 1.0
    assert clock.wait_s(0) == 0.0
