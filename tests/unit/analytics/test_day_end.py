"""A day is judged from the end of the day before as it would be from all of it."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.day import NO_HISTOGRAMS, DayBlock, DayColumns, Extent, judge_day
from analytics.day_end import day_end, laid_out, last_minutes, nothing_known
from analytics.plants import plant_of
from analytics.series import MemorySeries
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE
from wattwitness.domain.registry import Role
from wattwitness.domain.states import Thresholds

DAY_MIN = 1440
ON_AND_OFF = (0.0, 1.0)
ALL_LEVELS = (0.0, 0.0, 0.04, 0.1, 0.4, 0.5, 0.9, 1.0, 1.1, np.nan)


def thresholds(level_kw: float, width: float) -> Thresholds:
    return Thresholds(
        standby_kw=0.08 * level_kw,
        standby_release_kw=0.08 * level_kw / width,
        running_kw=0.5 * level_kw,
        running_release_kw=0.5 * level_kw / width,
        running_level_kw=level_kw,
        basis="learned",
    )


def drawn_power(seed: int, rows: int, stretch_min: float, levels: tuple[float, ...]) -> np.ndarray:
    """Two days of stretches of all lengths; some hang between two thresholds for hours."""
    rng = np.random.default_rng(seed)
    power = np.empty((rows, 2 * DAY_MIN), dtype=np.float32)
    for row in power:
        lengths = rng.exponential(stretch_min, 2 * DAY_MIN).astype(int) + 1
        drawn = np.repeat(rng.choice(levels, len(lengths)), lengths)[: len(row)]
        row[:] = 20.0 * drawn * (1.0 + rng.choice([0.0, 0.05]) * rng.standard_normal(len(row)))
    return power


def result(block: DayBlock):
    judged = judge_day(block)
    facts = sorted((f.kind, f.subject, f.values.tobytes()) for f in judged.facts)
    return judged.states, judged.spells, facts


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**32 - 1),
    stretch_min=st.sampled_from([2.0, 12.0, 40.0, 90.0, 500.0]),
    levels=st.sampled_from([ON_AND_OFF, ALL_LEVELS]),
    width=st.sampled_from([1.0, 1.3, 8.0]),
    lead_min=st.sampled_from([0.0, 5.0, 30.0, 300.0]),
    interval_s=st.sampled_from([60, 900]),
)
def test_the_end_of_a_day_tells_what_the_whole_day_tells(
    kit, seed, stretch_min, levels, width, lead_min, interval_s
) -> None:
    circuits = [
        kit.circuit("M", Role.MAIN),
        kit.circuit("P", Role.PRODUCTION),
        kit.circuit("Q", Role.PRODUCTION),
        kit.circuit("T", Role.TREATMENT),
        kit.circuit("U", Role.TREATMENT),
    ]
    pairing = replace(
        kit.pairing, production=("P", "Q"), treatment=("T", "U"), require="any", lead_min=lead_min
    )
    one = replace(kit.pairing, pairing_id="ONE", lead_min=lead_min)
    plant = plant_of(kit.registry(circuits, [pairing, one], (), interval_s), "E")
    power = drawn_power(seed, len(circuits), stretch_min, levels)
    before, today = power[:, :DAY_MIN], np.ascontiguousarray(power[:, DAY_MIN:])
    day = kit.day0
    whole = DayBlock(
        plant,
        before,
        DayColumns(day, today, NO_HISTOGRAMS, (), ()),
        {c.circuit_id: thresholds(20.0, width) for c in circuits},
        Extent(dict.fromkeys("MPQTU", 0), kit.start_us + DAY_MIN * US_PER_MINUTE - 1),
    )
    end = laid_out(day_end(before, last_minutes(plant)))
    assert end.shape[1] < DAY_MIN // 2
    assert result(replace(whole, before=end)) == result(whole)


def test_of_a_day_without_readings_nothing_is_known(kit) -> None:
    plant = plant_of(kit.press_and_fan(), "E")
    silent = np.full((2, DAY_MIN), np.nan, dtype=np.float32)
    kept = laid_out(day_end(silent, last_minutes(plant)))
    np.testing.assert_array_equal(kept, nothing_known(plant))


class Watched(MemorySeries):
    """Says from when on it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_from: list[int] = []

    async def block(self, circuit_keys, from_us, to_us):
        self.read_from.append(from_us)
        return await super().block(circuit_keys, from_us, to_us)


def test_no_day_is_read_for_the_sake_of_the_day_after(kit) -> None:
    days = 20  # beyond the first days, which are judged together
    off = kit.span(days, 18, 23.5, 90)
    power = kit.Plant(days=days).power(off)
    at_night = kit.span(days, 18, 22.0, 240)
    power[1] = np.where(at_night, 80.0, power[1])
    trial = kit.Trial(kit.press_and_fan(), series=Watched()).load(kit.readings(power))
    assert any(e.from_ < kit.at(19, 0) < e.to for e in trial.episodes)
    before = trial.results.findings["E"], dict(trial.results.days["E"])

    last, eve = (kit.at(n, 0).date() for n in (19, 18))
    day_us = kit.start_us + 19 * 24 * US_PER_HOUR
    trial.series.read_from.clear()
    trial.analyse({last})
    assert trial.series.read_from == [day_us - US_PER_HOUR]

    held = trial.results.days["E"][eve]
    trial.results.days["E"][eve] = replace(held, end=[])
    trial.series.read_from.clear()
    trial.analyse({last})
    assert min(trial.series.read_from) == day_us - 25 * US_PER_HOUR
    assert trial.results.findings["E"] == before[0]
    assert trial.results.days["E"][last].states == before[1][last].states
    assert trial.results.days["E"][last].spells == before[1][last].spells


def test_the_end_of_a_day_that_goes_on_is_not_kept(kit) -> None:
    power = kit.Plant(days=2).power()
    rows = kit.readings(power)
    until_us = kit.start_us + 30 * US_PER_HOUR
    trial = kit.Trial(kit.press_and_fan()).load(rows[rows["ts"] < until_us])
    first, second = (trial.results.days["E"][kit.at(n, 0).date()] for n in (0, 1))
    assert [f.subject for f in first.end] == ["P", "T"]
    assert second.end == []
