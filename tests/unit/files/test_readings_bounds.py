"""The same bounds for files as over the air."""

from datetime import UTC, datetime

import numpy as np
import pytest

from collector import bounds as over_the_air
from wattwitness.domain.instants import US_PER_DAY, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.files import readings_bounds as from_files

NOW = to_us(datetime(2026, 1, 10, tzinfo=UTC))
KEEP = to_us(datetime(2010, 1, 1, tzinfo=UTC))
CALENDAR = from_files.Calendar(keep_from_us=KEEP, tolerance_us=US_PER_DAY, now_us=NOW)


def found_for(**cells: float):
    rows = empty_readings(2)
    rows["ts"] = NOW
    for name, value in cells.items():
        rows[name][1] = value
    return from_files.beyond_bounds(rows, np.full(2, 1e6), CALENDAR)


@pytest.mark.parametrize(
    "cells",
    [
        {"p_kw": -85.0},  # a reversed current transformer
        {"p_kw": 1100.0},  # a spike
        {"e_kwh": 0.0},
        {"i_a": -3.0},
        {"pf": 1.001},
        {"u_a": 0.0},
        {"ts": NOW + US_PER_DAY},
        {"ts": KEEP},
        {"ts": NOW - 30 * US_PER_DAY, "received_at": NOW},  # resent late
    ],
)
def test_what_is_strange_but_possible_is_taken(cells):
    assert found_for(**cells) == {}


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"p_kw": 1.1e6}, "p_kw", "impossible"),
        ({"q_kvar": -1.1e6}, "q_kvar", "impossible"),
        ({"e_kwh": 1.1e12}, "e_kwh", "impossible"),
        ({"u_b": -1.0}, "u_b", "impossible"),
        ({"i_c": 1.1e6}, "i_c", "impossible"),
        ({"pf": 1.1}, "pf", "impossible"),
        ({"ts": NOW + US_PER_DAY + 1}, "ts", "ts_future"),
        ({"ts": NOW - 1, "received_at": NOW - 2 * US_PER_DAY}, "ts", "ts_future"),
        ({"received_at": NOW + 2 * US_PER_DAY}, "received_at", "ts_future"),
        ({"ts": KEEP - 1}, "ts", "ts_past"),
        ({"ts": -62_135_596_800_000_001}, "ts", "ts_past"),
    ],
)
def test_what_cannot_be_is_refused(cells, column, code):
    found = found_for(**cells)
    assert list(found) == [1]
    assert found[1][0] == column
    assert found[1][1].code == code


def test_a_file_and_the_air_refuse_the_same():
    rng = np.random.default_rng(7)
    rows = empty_readings(500)
    rows["ts"] = rng.choice([NOW, KEEP - 1, NOW + US_PER_DAY + 1, NOW - US_PER_DAY], 500)
    rows["received_at"] = NOW
    for name in ("p_kw", "q_kvar", "e_kwh", "u_a", "i_b", "pf"):
        rows[name] = rng.choice([np.nan, 0.0, -1.0, 1.005, 1e6, 1e7, -1e13], 500)
    limit = np.full(500, 1e6)
    air = over_the_air.refusals(rows, limit, over_the_air.Calendar(KEEP, US_PER_DAY))
    assert from_files.beyond_bounds(rows, limit, CALENDAR).keys() == air.keys()
