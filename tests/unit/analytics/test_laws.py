"""Laws that hold for any order of arrival, any hole, any scale, any declaration."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.bench import Bench
from analytics.executors import ProcessPool
from analytics.pipeline import analyse_enterprise
from wattwitness.domain.registry import Declaration, DeclarationReason

DAYS = 4
few = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def guilty(kit):
    off = kit.span(DAYS, 1, 9.0, 75) | kit.span(DAYS, 2, 15.5, 100) | kit.span(DAYS, 3, 8.0, 33)
    return kit.Plant(days=DAYS).power(off)


def outcome(trial):
    return trial.results.findings["E"], {
        day: (
            judged.states,
            judged.quality,
            judged.spells,
            {c: repr(t) for c, t in judged.thresholds.items()},
        )
        for day, judged in trial.results.days["E"].items()
    }


@few
@given(data=st.data())
def test_live_is_batch_is_pieces_in_any_order_late_and_repeated(kit, data) -> None:
    rows = kit.readings(guilty(kit))
    batch = kit.Trial(kit.press_and_fan()).load(rows)
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    size = data.draw(st.sampled_from([173, 997, 2880]))
    pieces = np.array_split(rows, max(1, len(rows) // size))
    order = rng.permutation(len(pieces))
    live = kit.Trial(kit.press_and_fan())
    waiting: set = set()
    for n in order:
        piece = rng.permutation(pieces[n])
        waiting |= live.add(np.concatenate((piece, piece[: len(piece) // 3])))
        if rng.random() < 0.3:
            live.analyse(waiting)
            waiting = set()
    live.analyse(waiting)
    assert outcome(live) == outcome(batch)


@few
@given(day=st.integers(0, DAYS - 1), minute=st.integers(0, 1380), circuits=st.sampled_from("PTB"))
def test_an_hour_of_missing_data_never_creates_an_episode(kit, day, minute, circuits) -> None:
    whole = kit.Trial(kit.press_and_fan()).load(kit.readings(guilty(kit)))
    power = guilty(kit)
    for key in {"P": (1,), "T": (2,), "B": (1, 2)}[circuits]:
        power[key][kit.span(DAYS, day, minute / 60, 60)] = np.nan
    holed = kit.Trial(kit.press_and_fan()).load(kit.readings(power))
    for episode in holed.episodes:
        assert any(w.from_ <= episode.from_ and episode.to <= w.to for w in whole.episodes)


@few
@given(factor=st.floats(0.3, 40))
def test_scaling_all_powers_changes_no_state(kit, factor) -> None:
    def trial(scale: float):
        registry = kit.press_and_fan()
        scaled = {
            name: replace(c, rated_kw=c.rated_kw * scale, resolution_kw=c.resolution_kw * scale)
            for name, c in registry.circuits.items()
        }
        power = {key: kw * scale for key, kw in guilty(kit).items()}
        return kit.Trial(replace(registry, circuits=scaled)).load(kit.readings(power))

    one, other = trial(1.0), trial(factor)
    for day, judged in one.results.days["E"].items():
        assert other.results.days["E"][day].states == judged.states


@few
@given(
    day=st.integers(0, DAYS - 1),
    minute=st.integers(0, 1400),
    length=st.integers(1, 900),
    lag=st.sampled_from([10.0, 45.0, 70.0]),
)
def test_declaring_a_window_never_creates_an_episode(kit, day, minute, length, lag) -> None:
    rows = kit.readings(guilty(kit))
    pairing = replace(kit.pairing, start_lag_min=lag)
    start = kit.at(day, minute / 60)
    paper = Declaration(
        enterprise_id="E",
        from_=start,
        to=start + timedelta(minutes=length),
        reason=DeclarationReason.MAINTENANCE,
    )
    before = kit.Trial(kit.press_and_fan(pairing)).load(rows).episodes
    after = kit.Trial(kit.press_and_fan(pairing, [paper])).load(rows).episodes
    for episode in after:
        assert any(b.from_ <= episode.from_ and episode.to <= b.to for b in before)
        inside = paper.from_ <= episode.from_ and episode.to <= paper.to
        assert (episode.suppressed_by == paper.declaration_id) == inside


@pytest.mark.parametrize("workers", [2])
def test_workers_change_nothing(kit, workers) -> None:
    rows = kit.readings(guilty(kit))
    one = kit.Trial(kit.press_and_fan()).load(rows)
    many = kit.Trial(kit.press_and_fan())
    days = many.add(rows)
    with ProcessPool(workers) as pool:
        bench = Bench(many.registry, many.series, many.results, pool)
        asyncio.run(analyse_enterprise(bench, "E", days, date.min))
    assert outcome(many) == outcome(one)
