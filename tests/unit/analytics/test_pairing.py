"""Pairing: conditions, edges, blocks, levels, from minutes drawn by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from analytics.pairing.blocks import block_instants_us, block_means
from analytics.pairing.condition import Condition, pair_minutes, required_units
from analytics.pairing.edges import Edge, starts, stops
from analytics.pairing.levels import settled
from analytics.plants import Paired
from wattwitness.domain.instants import DEFAULT_ZONE, day_bounds, to_us
from wattwitness.domain.registry import Pairing
from wattwitness.domain.states import State

LETTERS = {"r": State.RUNNING, "s": State.STANDBY, ".": State.OFF, "?": State.UNKNOWN}
SAYS = {"-": Condition.LAWFUL, "o": Condition.OPEN, "x": Condition.HOLDS}


def minutes(production, treatment, require="all", some_kw=0.0):
    """Each circuit a string, a minute a letter; a unit in standby draws `some_kw` of 10."""
    lines = [*production, *treatment]
    states = np.array([[LETTERS[letter] for letter in line] for line in lines], dtype=np.int8)
    power = np.where(states == State.RUNNING, 10.0, np.where(states == State.STANDBY, some_kw, 0.0))
    rows = list(range(len(lines)))
    split = len(production)
    level = np.full(len(lines), 10.0)
    pairing = Pairing(pairing_id="PT", production=(), treatment=(), require=require)
    pair = Paired(pairing, rows[:split], rows[split:])
    return pair_minutes(states, power.astype(np.float32), level, [pair])


def said(condition):
    return "".join({v: k for k, v in SAYS.items()}[Condition(int(c))] for c in condition)


@pytest.mark.parametrize(
    ("production", "treatment", "require", "off", "short"),
    [
        (["rrrr"], ["rrrr"], "all", "----", "----"),
        (["rrrr"], ["r..r"], "all", "-xx-", "-oo-"),
        (["rs.?"], ["...."], "all", "xooo", "oooo"),  # only running production counts
        (["rrrr"], ["r?.r"], "all", "-ox-", "-oo-"),
        (["rrrr"], ["rrrr", "r.?r"], "all", "----", "-xo-"),
        (["rrrr"], ["r...", "r.?r"], "any", "-xo-", "-oo-"),
        (["rrrr", "rr.."], ["rr..", "r..r"], "lines", "--x-", "-xo-"),
        (["r?"], [".."], "all", "xo", "oo"),
        (["?r", "r?"], ["..", ".."], "all", "xx", "oo"),  # one that runs is enough
    ],
)
def test_conditions_of_a_pairing(production, treatment, require, off, short) -> None:
    found = minutes(production, treatment, require)
    assert (said(found.off[0]), said(found.short[0])) == (off, short)


@pytest.mark.parametrize(("some_kw", "off"), [(1.0, "x"), (2.0, "-")])
def test_a_unit_that_is_only_energised_does_not_work(some_kw, off) -> None:
    assert said(minutes(["r"], ["s"], some_kw=some_kw).off[0]) == off


@pytest.mark.parametrize(
    ("require", "expected"),
    [
        ("all", [3, 3, 3]),
        ("any", [1, 1, 1]),
        ("2", [2, 2, 2]),
        ("9", [3, 3, 3]),
        ("lines", [1, 2, 3]),
    ],
)
def test_units_that_a_pairing_requires(require, expected) -> None:
    lines = np.array([0, 2, 5], dtype=np.int16)
    assert required_units(require, 3, lines).tolist() == expected


def edges(look, production, treatment, blind=""):
    found = minutes([production], [treatment])
    unknown = np.array([[letter == "?" for letter in blind or " " * len(production)]])
    return [edge for _, edge in look(replace(found, blind=unknown))]


REST, RUN = "." * 12, "r" * 20


@pytest.mark.parametrize(
    ("treatment", "lag"),
    [
        (REST + RUN, 0),
        (REST + "....." + RUN[5:], 5),
        (REST[:-4] + "rrrr" + RUN, -4),
        (REST + "." * 20, None),  # it never starts
        ("r" * 32, None),  # it never rested
    ],
)
def test_a_start_and_its_treatment(treatment, lag) -> None:
    found = edges(starts, REST + RUN, treatment)
    assert [edge.lag_min for edge in found] == ([] if lag is None else [lag])
    assert all(edge.production == 12 for edge in found)


def test_a_short_pause_is_no_start() -> None:
    assert edges(starts, RUN + "." * 9 + RUN, "r" * 49) == []


def test_a_start_is_told_when_treatment_works() -> None:
    (edge,) = edges(starts, REST + RUN, REST + "....." + RUN[5:])
    assert edge == Edge(production=12, treatment=17, told=17)


@pytest.mark.parametrize("at", [5, 14])
def test_a_start_with_an_unknown_minute_is_none(at) -> None:
    blind = " " * at + "?" + " " * (31 - at)
    assert edges(starts, REST + RUN, REST + "....." + RUN[5:], blind) == []


@pytest.mark.parametrize(
    ("treatment", "lag"),
    [(RUN + REST, 0), (RUN[:15] + "." * 5 + REST, -5), (RUN + "rrr" + REST[3:], 0)],
)
def test_a_stop_and_its_treatment(treatment, lag) -> None:
    (edge,) = edges(stops, RUN + REST, treatment)
    assert (edge.lag_min, edge.production, edge.told) == (lag, 20, 29)


def test_a_fan_that_flickers_did_not_stop() -> None:
    (edge,) = edges(stops, RUN + REST, "r" * 10 + "..." + "r" * 7 + REST)
    assert edge.lag_min == 0


def test_blocks_need_thirteen_minutes() -> None:
    values = np.arange(1440, dtype=np.float64)
    use = np.ones(1440, dtype=np.bool_)
    use[:2], use[15:18] = False, False
    found = block_means(values, use, 0)
    assert found[0] == pytest.approx(8.0)
    assert np.isnan(found[1])
    assert found[95] == pytest.approx(1432.0)


def test_warm_up_belongs_to_no_block() -> None:
    values = np.concatenate((np.full(60, 9.0), np.full(1440, 1.0)))
    assert np.allclose(block_means(values, np.isfinite(values), 60), 1.0)


def test_blocks_begin_with_the_local_day() -> None:
    day = date(2026, 11, 2)
    start = to_us(day_bounds(day, DEFAULT_ZONE)[0])
    numbers = np.array([day.toordinal() * 96, day.toordinal() * 96 + 5])
    found = block_instants_us(numbers, DEFAULT_ZONE) - start
    assert found.tolist() == [0, 5 * 15 * 60_000_000]


@pytest.mark.parametrize(
    ("margin", "expected"),
    [(0, "..xxxxx.xx"), (1, "...xxx...x"), (2, "....x....."), (3, "..........")],
)
def test_readings_around_a_switch_show_a_part_of_the_level(margin, expected) -> None:
    works = np.array([[letter == "x" for letter in "..xxxxx.xx"]])
    assert "".join(".x"[int(w)] for w in settled(works, [margin])[0]) == expected
