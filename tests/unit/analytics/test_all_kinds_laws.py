"""The laws once more, over a plant in which most kinds of the catalogue have something to find."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.bench import Bench
from analytics.executors import ProcessPool
from analytics.pipeline import analyse_enterprise
from wattwitness.domain.instants import US_PER_MINUTE, US_PER_SECOND
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Declaration,
    DeclarationReason,
    Registry,
    Role,
)

DAYS = 24
STEP_MIN = 5
N = DAYS * 1440 // STEP_MIN
PER_HOUR = 60 // STEP_MIN
CIRCUITS = ("M", "P", "T")
PLANTED = {
    "treatment_off",
    "treatment_late_start",
    "treatment_early_stop",
    "treatment_underload",
    "treatment_dummy_load",
    "unmetered_production",
    "data_gap_at_alert",
    "counter_anomaly",
    "frozen_reading",
    "replayed_data",
    "clock_skew",
    "phase_loss",
}
DECLARABLE = ("treatment_", "shared_treatment_short", "unmetered_production")
ALERT_DAY = 20
few = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def part(day: int, from_h: float, to_h: float) -> slice:
    start = day * 24 * PER_HOUR
    return slice(start + round(from_h * PER_HOUR), start + round(to_h * PER_HOUR))


def true_power(rng: np.random.Generator) -> dict[str, np.ndarray]:
    hour = (np.arange(N) % (24 * PER_HOUR)) / PER_HOUR
    runs = (hour >= 8) & (hour < 18)
    fan_on = (hour >= 8) & (hour < 18.25)
    for day, from_h, to_h in ((10, 10, 11), (11, 8, 8.75), (12, 17, 19)):  # off, late, early
        fan_on[part(day, from_h, to_h)] = False
    press = np.where(runs, 80 * (1 + 0.03 * rng.standard_normal(N)), 0.0)
    fan = np.where(fan_on, 10 * (1 + 0.01 * rng.standard_normal(N)), 0.0)
    fan[part(13, 10, 13)] *= 0.7
    office = 3 + 0.3 * rng.standard_normal(N)
    return {"P": press, "T": fan, "M": press + fan + office}


def columns(name: str, kw: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """All that a meter measures, with what was done to it."""
    volts = 230 + rng.normal(0, 1, (3, N))
    pf = np.full(N, 0.85)
    counted = kw.copy()
    if name == "T":
        pf[part(14, 9, 15)] = 0.999
    if name == "P":
        counted[part(15, 9, 16)] *= 0.7
    amps = counted * 1000 / (3 * volts * pf)
    energy = 8000 + np.cumsum(counted) * STEP_MIN / 60
    found = {"p_kw": np.round(counted, 2), "e_kwh": np.round(energy, 2), "pf": pf}
    found |= {f"u_{p}": np.round(v, 1) for p, v in zip("abc", volts, strict=True)}
    found |= {f"i_{p}": np.round(a, 2) for p, a in zip("abc", amps, strict=True)}
    if name == "P":
        found["e_kwh"][part(16, 11, 24).start :] -= 400.0
        found["u_b"][part(17, 11, 12)] = 20.0
        for values in found.values():
            held = part(18, 9, 12)
            values[held] = values[held.start]
    if name == "T":
        for key, values in found.items():
            if key != "e_kwh":
                values[part(19, 0, 24)] = values[part(9, 0, 24)]
    return found


def sent(kit, shift_min: int = 0) -> Readings:
    rng = np.random.default_rng(12)
    parts = []
    for key, (name, kw) in enumerate(sorted(true_power(rng).items()), 1):
        rows = empty_readings(N)
        rows["circuit"] = key
        rows["ts"] = kit.start_us + (np.arange(N) * STEP_MIN + shift_min) * US_PER_MINUTE
        for column, values in columns(name, kw, rng).items():
            rows[column] = values
        rows["received_at"] = rows["ts"] + 3 * US_PER_SECOND
        wrong = part(21, 9, 15)
        rows["received_at"][wrong] += 200 * US_PER_SECOND
        keep = np.ones(N, dtype=np.bool_)
        if name == "P":
            keep[part(ALERT_DAY, 10.25, 13)] = False
        parts.append(rows[keep])
    return np.concatenate(parts)


def registry(kit, declarations: Sequence[Declaration] = (), shift_min: int = 0) -> Registry:
    roles = {"M": Role.MAIN, "P": Role.PRODUCTION, "T": Role.TREATMENT}
    rated = {"M": 200.0, "P": 110.0, "T": 15.0}
    circuits = [kit.circuit(name, roles[name], rated[name]) for name in CIRCUITS]
    own = kit.registry(circuits, [kit.pairing], declarations, STEP_MIN * 60)
    late = timedelta(minutes=shift_min)
    enterprise = replace(
        own.enterprises["E"], verified_from=kit.at(0, 0) + late, verified_to=kit.at(9, 0) + late
    )
    at = kit.at(ALERT_DAY, 10) + late
    alert = Alert(
        alert_id="A",
        level=AlertLevel.ORANGE,
        issued_at=at - timedelta(days=1),
        response_from=at,
        lifted_at=at + timedelta(days=1),
    )
    return replace(own, enterprises={"E": enterprise}, alerts={"A": alert})


def outcome(trial):
    days = trial.results.days["E"]
    return trial.results.findings["E"], {
        day: (
            d.states,
            d.quality,
            d.spells,
            {c: repr(t) for c, t in d.thresholds.items()},
            sorted((f.kind, f.subject, f.values.tobytes()) for f in d.facts),
        )
        for day, d in days.items()
    }


@pytest.fixture(scope="module")
def shared():
    return {}


@pytest.fixture
def whole(kit, shared):
    """The plant in one batch, analysed once for all tests."""
    if "trial" not in shared:
        shared["rows"] = sent(kit)
        shared["trial"] = kit.Trial(registry(kit)).load(shared["rows"])
    return shared["trial"]


def test_there_is_something_of_most_kinds_to_find(whole) -> None:
    assert {e.kind for e in whole.episodes} >= PLANTED


@few
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([997, 4001]))
def test_live_is_batch_is_pieces_in_any_order_late_and_repeated(
    kit, whole, shared, seed, size
) -> None:
    rng = np.random.default_rng(seed)
    rows = shared["rows"]
    pieces = np.array_split(rows[np.argsort(rows["ts"], kind="stable")], len(rows) // size)
    live, waiting = kit.Trial(registry(kit)), set()
    for n in rng.permutation(len(pieces)):
        piece = rng.permutation(pieces[n])
        waiting |= live.add(np.concatenate((piece, piece[: len(piece) // 3])))
        if rng.random() < 0.15:
            live.analyse(waiting)
            waiting = set()
    live.analyse(waiting)
    assert outcome(live) == outcome(whole)


def test_workers_change_nothing(kit, whole, shared) -> None:
    many = kit.Trial(registry(kit))
    days = many.add(shared["rows"])
    with ProcessPool(2) as pool:
        bench = Bench(many.registry, many.series, many.results, pool)
        asyncio.run(analyse_enterprise(bench, "E", days, date.min))
    assert outcome(many) == outcome(whole)


@few
@given(
    day=st.integers(0, DAYS - 1),
    hour=st.floats(0, 23),
    circuits=st.sampled_from([{1}, {2}, {3}, {2, 3}, {1, 2, 3}]),
)
def test_an_hour_of_missing_data_never_creates_a_finding_about_treatment(
    kit, whole, shared, day, hour, circuits
) -> None:
    rows = shared["rows"]
    start = kit.start_us + int((day * 24 + hour) * 60) * US_PER_MINUTE
    missing = (rows["ts"] >= start) & (rows["ts"] < start + 60 * US_PER_MINUTE)
    missing &= np.isin(rows["circuit"], list(circuits))
    holed = kit.Trial(registry(kit)).load(rows[~missing])
    slack = timedelta(minutes=15)
    for episode in holed.episodes:
        if episode.kind.startswith(DECLARABLE[:2]):
            assert any(
                w.kind == episode.kind
                and w.from_ - slack <= episode.from_
                and episode.to <= w.to + slack
                for w in whole.episodes
            ), episode


@few
@given(
    start_h=st.floats(9 * 24, DAYS * 24 - 1),
    length_h=st.floats(0.2, 80),
    named=st.sampled_from([(), ("T",), ("P",), ("P", "T", "M")]),
)
def test_a_declaration_never_creates_and_suppresses_what_is_inside(
    kit, whole, shared, start_h, length_h, named
) -> None:
    paper = Declaration(
        enterprise_id="E",
        from_=kit.at(0, start_h),
        to=kit.at(0, start_h + length_h),
        reason=DeclarationReason.MAINTENANCE,
        circuits=named,
    )
    told = kit.Trial(registry(kit, [paper])).load(shared["rows"])
    information = ("production_surge", "capacity_growth")  # declared days are no baseline
    meters = {
        (e.kind, e.from_, e.to)
        for e in whole.episodes
        if not e.kind.startswith((*DECLARABLE, *information))
    }
    assert meters <= {(e.kind, e.from_, e.to) for e in told.episodes if not e.suppressed_by}
    for episode in told.episodes:
        if not episode.kind.startswith(DECLARABLE):
            assert episode.suppressed_by is None
            continue
        assert any(
            b.kind == episode.kind and b.from_ <= episode.from_ and episode.to <= b.to
            for b in whole.episodes
        ), episode
        inside = paper.from_ <= episode.from_ and episode.to <= paper.to
        covered = not named or "M" in named or episode.kind.startswith("treatment")
        assert (episode.suppressed_by == paper.declaration_id) == (inside and covered)


def test_midnight_may_fall_anywhere(kit, whole) -> None:
    shift_min = 7 * 60 + 13
    late = timedelta(minutes=shift_min)
    moved = kit.Trial(registry(kit, shift_min=shift_min)).load(sent(kit, shift_min))
    half_hour = timedelta(minutes=30)
    assert {e.kind for e in moved.episodes} >= PLANTED
    for one, other, by in ((whole, moved, late), (moved, whole, -late)):
        for episode in one.episodes:
            assert any(
                o.kind == episode.kind
                and set(o.circuits) == set(episode.circuits)
                and abs(o.from_ - episode.from_ - by) <= half_hour
                and abs(o.to - episode.to - by) <= half_hour
                for o in other.episodes
            ), episode
