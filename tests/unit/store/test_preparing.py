"""Rows made ready for the table: their order, and the days, hours and counts they leave."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from wattwitness.domain.instants import US_PER_DAY, US_PER_HOUR
from wattwitness.domain.readings import NEVER, Readings, empty_readings, sort_readings
from wattwitness.store.circuit_facts import CircuitFacts
from wattwitness.store.forms import Steps
from wattwitness.store.gateway_days import DayCounts, traffic_of
from wattwitness.store.local_days import distinct
from wattwitness.store.preparing import copy_payload, prepare_rows

UTC = ZoneInfo("UTC")
FACTS = CircuitFacts(np.array([0, 7, 7, 8]), np.array([0, 1, 1, 2]), {1: "A", 2: "B"})


class Database:
    """What preparing asks a database for."""

    def __init__(self) -> None:
        self.steps, self.zone, self.meets_known = Steps(), UTC, False


def rows_of(circuits: list[int], ts: list[int], received: int = 0) -> Readings:
    rows = empty_readings(len(circuits))
    rows["circuit"], rows["ts"], rows["received_at"] = circuits, ts, received
    rows["p_kw"] = np.arange(len(rows))  # tells them apart
    return rows


@pytest.mark.parametrize("years", [0, 7000])  # beyond what one number can hold with the circuit
def test_rows_are_sorted_as_everywhere_and_equal_keys_stay_in_order(years: int) -> None:
    chance, n = np.random.default_rng(3), 64
    rows = rows_of(chance.integers(1, n, 900).tolist(), chance.integers(-5, 5, 900).tolist())
    rows["ts"][:3] += years * 365 * US_PER_DAY
    facts = CircuitFacts(np.ones(n, dtype=np.int64), np.ones(n, dtype=np.int64), {1: "A"})
    ready = prepare_rows(Database(), rows, facts)  # type: ignore[arg-type]
    assert ready.rows.tobytes() == sort_readings(rows).tobytes()
    assert ready.again is not None
    pairs = list(zip(ready.rows["circuit"].tolist(), ready.rows["ts"].tolist(), strict=True))
    assert ready.again.tolist() == [k > 0 and pairs[k] == pairs[k - 1] for k in range(len(pairs))]


def test_a_payload_made_in_pieces_is_the_same_as_row_by_row() -> None:
    rows = rows_of([1] * 13_000, list(range(13_000)))
    rows["q_kvar"][5_990:6_010] = 3.0  # not measured anywhere else
    ready = prepare_rows(Database(), rows, FACTS)  # type: ignore[arg-type]
    steps = Steps()
    steps.learn(rows["circuit"], {"p_kw": rows["p_kw"] * 1000})
    singles = [copy_payload(rows[k : k + 1], steps) for k in range(0, len(rows), 1000)]
    assert ready.payload is not None
    for single in singles:
        assert single[19:-2] in ready.payload
    assert ready.payload[:19] == singles[0][:19]
    assert ready.payload[-2:] == b"\xff\xff"


def test_nothing_leaves_nothing() -> None:
    traces = prepare_rows(Database(), empty_readings(), FACTS).traces  # type: ignore[arg-type]
    assert (traces.days, traces.hours, traces.traffic) == (([], []), ([], []), [])
    assert len(traces.newest.circuit) == 0


def test_rows_leave_their_days_hours_and_newest_values() -> None:
    hours = [0, 1, 25, 1]
    rows = rows_of([1, 1, 2, 3], [hour * US_PER_HOUR for hour in hours], received=US_PER_DAY)
    rows["p_kw"][3] = np.nan
    traces = prepare_rows(Database(), rows, FACTS).traces  # type: ignore[arg-type]
    days = [(7, date(1970, 1, 1)), (7, date(1970, 1, 2)), (8, date(1970, 1, 1))]
    assert list(zip(*traces.days, strict=True)) == days
    assert list(zip(*traces.hours, strict=True)) == [(0, 0), (0, 1), (0, 25)]
    assert traces.newest.circuit.tolist() == [1, 2, 3]
    assert traces.newest.last_us.tolist() == [hour * US_PER_HOUR for hour in (1, 25, 1)]
    assert traces.newest.p_w.tolist()[:2] == [1000, 2000]
    assert traces.traffic == [("A", 3, US_PER_DAY, US_PER_DAY), ("B", 1, US_PER_DAY, US_PER_DAY)]


def test_receipts_of_two_days_are_counted_apart_and_unknown_ones_are_not_heard() -> None:
    rows = rows_of([1, 1, 3], [0, 1, 2])
    rows["received_at"] = [US_PER_DAY - 1, US_PER_DAY, NEVER]
    counts = DayCounts(UTC)
    counts.receive(traffic_of(rows, FACTS), fresh=True)
    counts.store(traffic_of(rows[:1], FACTS))
    gateways, days, received, stored, duplicate, *_, first, last = counts.columns
    assert list(gateways) == ["A", "A", "B"]
    assert list(days)[:2] == [date(1970, 1, 1), date(1970, 1, 2)]
    assert (list(received), list(stored), list(duplicate)) == ([1, 1, 1], [1, 0, 0], [0, 1, 1])
    assert list(first) == list(last) == [US_PER_DAY - 1, US_PER_DAY, None]


@pytest.mark.parametrize("values", [[], [3], [5, 1, 5, 1], [-(2**63), 0, -(2**63)]])
def test_distinct_is_what_numpy_calls_unique(values: list[int]) -> None:
    array = np.array(values, dtype=np.int64)
    assert distinct(array).tolist() == np.unique(array).tolist()
