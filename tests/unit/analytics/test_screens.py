"""Whoever a screen leaves out has nothing to be found: the same with it and without, on messy days.

The days are drawn with everything that meters and clocks do wrong; each law compares the fast way
with the plain one, circuit by circuit.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.columns import columns_of
from analytics.detectors import clock_skew, conduct_facts, frozen_reading, phase_loss
from analytics.detectors.register_hours import hour_spells
from analytics.detectors.register_screen import suspects
from analytics.detectors.register_steps import registers, sudden_spells
from analytics.detectors.stages import RawDay
from analytics.grid import samples
from analytics.plants import plant_of
from analytics.quality import invalid_samples
from analytics.quality.day_rates import day_rates
from analytics.quality.rates import DaySlots, day_quality
from analytics.quality.register_glitches import momentary_zeros
from analytics.quality.reversed_power import reversed_power
from analytics.quality.spikes import single_spikes
from analytics.states.dwell import DWELL_MIN, production_dwell
from analytics.states.hysteresis import hold
from analytics.states.runs import runs_of
from wattwitness.domain.instants import US_PER_MINUTE, US_PER_SECOND
from wattwitness.domain.readings import MEASURANDS, NEVER, empty_readings
from wattwitness.domain.registry import Declaration, DeclarationReason, Role
from wattwitness.domain.states import State

HOURS = 25  # the hour before the day, and the day
FAULTS = (
    "hole", "lost", "jitter", "twice", "no_power", "no_register", "no_volts", "reversed", "zeros",
    "spike", "back", "jump", "frozen", "still_register", "late", "resent", "never", "few_never",
    "phase", "coarse", "declared", "unrated", "short_history", "slow_count", "nobody",
)  # fmt: skip
messy = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
faults = st.sets(st.sampled_from(FAULTS), max_size=7)
seeds = st.integers(0, 2**32 - 1)
intervals = st.sampled_from([60, 300, 900])


def one_circuit(rng, start_us, interval_s, key):
    n = HOURS * 3600 // interval_s
    rows = empty_readings(n)
    hour = np.arange(n) * interval_s / 3600 % 24
    runs_ = (hour > 7) & (hour < 19) if key != 3 else np.zeros(n, dtype=bool)
    kw = np.where(runs_, np.round(rng.normal(40, 3, n), 1), 0.0)
    rows["circuit"] = key
    rows["ts"] = start_us - 3600 * US_PER_SECOND + np.arange(n) * interval_s * US_PER_SECOND
    rows["p_kw"] = kw
    rows["e_kwh"] = np.round(9000 + np.cumsum(kw) * interval_s / 3600, 2)
    for phase in "abc":
        rows[f"u_{phase}"] = np.round(rng.normal(221, 1, n), 1)
        rows[f"i_{phase}"] = np.round(kw * 1000 / 3 / 221 / 0.85, 1)
    rows["received_at"] = rows["ts"] + 2 * US_PER_SECOND + (np.arange(n) % 7) * 1000
    return rows


def spoil(rng, rows, fault):
    """One fault put into the readings of a circuit."""
    n = len(rows)
    at = int(rng.integers(1, n - 1))
    span = slice(at, at + int(rng.integers(1, 1 + n // 6)))
    if fault == "hole":
        return np.delete(rows, np.arange(n)[span])
    if fault == "lost":
        return rows[rng.random(n) > 0.05]
    if fault == "twice":
        more = rows[rng.random(n) < 0.05].copy()
        more["ts"] += 5 * US_PER_SECOND
        both = np.concatenate((rows, more))
        return both[np.argsort(both["ts"], kind="stable")]
    if fault == "nobody":
        return rows[:0]
    some = rng.random(n) < 0.1
    if fault == "jitter":
        rows["ts"] += rng.integers(-20, 20, n) * US_PER_SECOND
    elif fault in {"frozen", "still_register"}:
        for name in MEASURANDS if fault == "frozen" else ("e_kwh",):
            rows[name][span] = rows[name][at]
    elif fault in {"no_power", "no_register"}:
        rows["p_kw" if fault == "no_power" else "e_kwh"][some if rng.random() < 0.5 else ...] = (
            np.nan
        )
    else:
        simple(rng, rows, fault, at, some)
    return rows


def simple(rng, rows, fault, at, some):  # noqa: C901 - a list of faults
    few = slice(at, at + int(rng.integers(1, 5)))
    if fault == "reversed":
        rows["p_kw"][some] *= -1
    elif fault == "zeros":
        rows["e_kwh"][few] = 0.0
    elif fault == "spike":
        rows["p_kw"][at] = 900.0
    elif fault in {"back", "jump", "slow_count"}:
        if fault == "slow_count":
            rows["e_kwh"] = 9000 + 0.8 * (rows["e_kwh"] - 9000)
        else:
            rows["e_kwh"][at:] += 700.0 if fault == "jump" else -700.0
    elif fault == "no_volts":
        rows["u_b"][some] = np.nan
        rows["i_c"][some] = np.nan
    elif fault == "phase":
        rows["u_b"][at : at + 20] = 20.0
        rows["i_c"][at:] = 0.0
    elif fault == "coarse":
        rows["p_kw"] = np.round(rows["p_kw"], -1)
    elif fault == "late":
        rows["received_at"][some] += 1800 * US_PER_SECOND
    elif fault == "resent":
        rows["resent"][some] = True
    elif fault in {"never", "few_never"}:
        rows["received_at"][... if fault == "never" else some] = NEVER


@pytest.fixture
def messy_day(kit):
    """A day of three circuits under some faults, each of which hits a circuit or all."""

    def draw(seed: int, chosen: set[str], interval_s: int):
        rng = np.random.default_rng(seed)
        rated = None if "unrated" in chosen else 75.0
        roles = zip("MPT", (Role.MAIN, Role.PRODUCTION, Role.TREATMENT), strict=True)
        papers = [
            Declaration(
                enterprise_id="E",
                from_=kit.at(0, 9.3),
                to=kit.at(0, 12.1),
                reason=DeclarationReason.MAINTENANCE,
                circuits=("P",),
            )
        ]
        registry = kit.registry(
            [kit.circuit(name, role, rated) for name, role in roles],
            declarations=papers if "declared" in chosen else (),
            interval_s=interval_s,
        )
        plant = plant_of(registry, "E")
        parts = []
        for key in plant.keys:
            rows = one_circuit(rng, kit.start_us, interval_s, key)
            for fault in sorted(chosen):
                if len(rows) > 10 and rng.random() < 0.6:
                    rows = spoil(rng, rows, fault)
            parts.append(rows)
        columns = columns_of(np.concatenate(parts), plant)
        end_us = kit.start_us + 24 * 60 * US_PER_MINUTE
        return RawDay(
            plant=plant,
            day=kit.day0,
            bounds=(kit.start_us, end_us),
            rows=columns,
            invalid=samples(columns, plant).invalid,
            watermark_us=end_us - int(rng.integers(0, 3)) * 3600 * US_PER_SECOND,
        )

    return draw


def wrong_registers(raw: RawDay) -> set[int]:
    """Circuits in which something is found, looked for in all of them."""
    return {
        steps.row
        for steps in registers(raw, range(len(raw.plant.circuits)))
        if sudden_spells(raw, steps) or hour_spells(raw, steps)
    }


@messy
@given(seed=seeds, chosen=faults, interval_s=intervals)
def test_registers_that_are_not_looked_at_have_nothing(messy_day, seed, chosen, interval_s) -> None:
    raw = messy_day(seed, chosen, interval_s)
    assert wrong_registers(raw) <= set(suspects(raw).tolist())


@pytest.mark.parametrize(
    "chosen", [{"back"}, {"jump"}, {"slow_count"}, {"slow_count", "no_power"}], ids=" ".join
)
def test_registers_that_are_wrong_are_looked_at(messy_day, chosen) -> None:
    days = [messy_day(seed, chosen, 60) for seed in range(12)]
    assert any(wrong_registers(raw) for raw in days)
    for raw in days:
        assert wrong_registers(raw) <= set(suspects(raw).tolist())


def test_a_plain_day_needs_no_look_at_any_register(messy_day) -> None:
    assert suspects(messy_day(1, set(), 60)).tolist() == []


def all_marks(raw: RawDay) -> list[bool]:
    """Marks of every reading, looked for in all circuits."""
    plant, rows, row = raw.plant, raw.rows, raw.circuit_row
    marks = single_spikes(rows["p_kw"], row, plant.rated_kw[row])
    marks |= momentary_zeros(rows["e_kwh"], row)
    marks |= reversed_power(rows["p_kw"], plant.rated_kw[row], plant.resolution_kw[row])
    return marks.tolist()


@messy
@given(seed=seeds, chosen=faults, interval_s=intervals)
def test_marks_are_those_of_every_reading(messy_day, seed, chosen, interval_s) -> None:
    raw = messy_day(seed, chosen, interval_s)
    found = invalid_samples(raw.rows, raw.plant.rated_kw, raw.plant.resolution_kw)
    assert found.tolist() == all_marks(raw)


@pytest.mark.parametrize(
    "chosen", [{"spike"}, {"spike", "unrated"}, {"zeros"}, {"reversed"}], ids=" ".join
)
def test_marks_of_each_sort_are_found(messy_day, chosen) -> None:
    days = [messy_day(seed, chosen, 60) for seed in range(6)]
    assert any(any(all_marks(raw)) for raw in days)
    for raw in days:
        assert raw.invalid.tolist() == all_marks(raw)


@messy
@given(seed=seeds, chosen=faults, interval_s=intervals)
def test_rates_are_those_of_every_slot(messy_day, seed, chosen, interval_s) -> None:
    raw = messy_day(seed, chosen, interval_s)
    plant, rows = raw.plant, raw.rows
    late_h = 5 if "short_history" in chosen else 0
    first = {"M": raw.bounds[0] - 10**9, "P": raw.bounds[0] + late_h * 3600 * US_PER_SECOND}
    for row, found in enumerate(day_rates(raw, first)):
        name, own = plant.circuits[row].circuit_id, raw.parts[row]
        slots = DaySlots(
            circuit_id=name,
            day=raw.day,
            bounds=raw.bounds,
            interval_us=int(plant.interval_us[row]),
            first_us=first.get(name),
            watermark_us=raw.watermark_us,
            declared=plant.declared(name),
        )
        parts = (rows.ts[own], rows.received_at[own], rows.resent[own], raw.invalid[own])
        assert found == day_quality(slots, *parts)


@messy
@given(seed=seeds, chosen=faults, interval_s=intervals)
def test_lags_are_those_of_every_reading(messy_day, seed, chosen, interval_s) -> None:
    raw = messy_day(seed, chosen, interval_s)
    use = raw.today & (raw.rows.received_at != NEVER) & ~raw.rows.resent
    lag_s, block = raw.lag_us[use] / US_PER_SECOND, raw.block[use]
    facts = clock_skew.raw_facts(raw)
    assert len(facts) == bool(use.any())
    for fact in facts:
        for k in range(96):
            own = np.sort(lag_s[block == k])
            n = len(own)
            expected = (own[0], own[3 * n // 4 - (n % 4 == 0)]) if n else (np.nan, np.nan)
            told = (fact.values[k], fact.values[96 + k])
            np.testing.assert_array_equal(told, np.array(expected, dtype=np.float32))


@messy
@given(seed=seeds, chosen=faults, interval_s=intervals)
def test_repeats_and_phases_are_those_of_every_reading(messy_day, seed, chosen, interval_s) -> None:
    raw = messy_day(seed, chosen, interval_s)
    rows, limit = raw.rows, 0.78 * 220.0
    alike = (raw.circuit_row[1:] == raw.circuit_row[:-1]) & np.array(
        [
            np.array_equal(rows.measured[:, k], rows.measured[:, k + 1], equal_nan=True)
            for k in range(len(rows) - 1)
        ],
        dtype=bool,
    )
    assert frozen_reading._repeats(raw).tolist() == (np.flatnonzero(alike) + 1).tolist()
    low = rows.phases("u") < limit
    known = np.isfinite(rows.phases("u")).all(axis=0)
    expected = known & low.any(axis=0) & ~low.all(axis=0)
    assert phase_loss._lost_voltage(raw).tolist() == expected.tolist()


@given(seed=seeds, gaps=st.floats(0, 0.6), held=st.booleans())
def test_hysteresis_repeats_the_last_word(seed, gaps, held) -> None:
    rng = np.random.default_rng(seed)
    power = rng.uniform(3 if held else 0, 7 if held else 10, (5, 70)).astype(np.float32)
    power[rng.random(power.shape) < gaps] = np.nan
    power[0, 5] = 0.7  # a level that float32 does not hold exactly
    enter = np.array([0.7, 6.0, np.nan, 5.0, 6.0])
    release = np.array([0.2, 4.0, np.nan, 5.0, 2.0])
    found = hold(power, enter, release)
    for row in range(5):
        up: bool | None = None
        for minute, kw in enumerate(power[row].astype(np.float64)):
            up = True if kw >= enter[row] else False if kw < release[row] else up
            middle = bool(kw >= np.sqrt(enter[row] * release[row]))
            assert found[row, minute] == (middle if up is None else up)


@given(seed=seeds)
def test_dwell_looks_at_every_run(seed) -> None:
    rng = np.random.default_rng(seed)
    states = rng.choice(4, (4, 60), p=[0.1, 0.3, 0.2, 0.4]).astype(np.int8)
    produces = np.array([True, False, True, True])
    expected = states.copy()
    for row in (0, 2, 3):
        ran = runs_of(states[[row]] == State.RUNNING)
        for start, end in zip(ran.start, ran.end, strict=True):
            sides = states[row, [max(start - 1, 0), min(end, 59)]]
            inner = start > 0 and end < 60 and (sides != State.UNKNOWN).all()
            if inner and end - start < DWELL_MIN:
                expected[row, start:end] = State.STANDBY
    assert production_dwell(states, produces).tolist() == expected.tolist()


@messy
@given(seed=seeds, chosen=faults, interval_s=intervals)
def test_registers_that_do_not_speak_have_nothing_to_tell(
    messy_day, seed, chosen, interval_s
) -> None:
    raw = messy_day(seed, chosen, interval_s)
    telling = {row for row in range(3) if conduct_facts._register_facts(raw, row)}
    assert telling <= set(conduct_facts._speaking(raw))


@messy
@given(seed=seeds, chosen=faults, interval_s=intervals)
def test_counts_of_what_is_measured_are_those_of_every_reading(
    messy_day, seed, chosen, interval_s
) -> None:
    rows = messy_day(seed, chosen, interval_s).rows
    finite = np.isfinite(rows.measured)
    expected = [np.count_nonzero(finite[:, rows.part(row)], axis=1) for row in range(3)]
    assert rows.known.tolist() == np.transpose(expected).tolist()
    assert rows.whole == {n for n, own in zip(rows.names, finite, strict=True) if own.all()}
