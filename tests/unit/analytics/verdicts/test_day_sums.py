"""Baselines of many alerts share their days, and are what each would be alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import numpy as np
import pytest

from analytics.baselines import day_sums
from analytics.baselines.calendar import candidate_days
from analytics.baselines.frozen import freeze
from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.pipeline import history_of
from analytics.verdicts.conduct import conduct_of
from wattwitness.domain.instants import US_PER_DAY, US_PER_MINUTE, day_bounds, to_us
from wattwitness.domain.registry import Alert, AlertLevel

DAYS = 16


def alert(kit, day: int) -> Alert:
    at = kit.at(day, 9)
    return Alert(
        alert_id=f"A{day}",
        level=AlertLevel.ORANGE,
        issued_at=at - timedelta(hours=12),
        response_from=at,
        lifted_at=at + timedelta(hours=10),
    )


@pytest.fixture
def history(kit):
    """Registers that count on through silences, most of them over midnight."""
    power = kit.Plant(days=DAYS).power()
    rows = kit.readings(power)
    for key, kw in power.items():
        own = rows["circuit"] == key
        rows["e_kwh"][own] = np.round(np.cumsum(np.where(kw > 0, kw, 0.4)) / 60.0, 2)
    minute = (rows["ts"] - kit.start_us) // US_PER_MINUTE
    silent = np.zeros(len(rows), dtype=np.bool_)
    for day in range(1, DAYS):
        begin = day * 1440 - 7 * (day % 9)
        silent |= (minute >= begin) & (minute < begin + 11 * (day % 5))
    trial = kit.Trial(kit.press_and_fan()).load(rows[~silent])
    bench = Bench(trial.registry, trial.series, trial.results, InProcess())
    found = asyncio.run(history_of(bench, "E"))
    return replace(found, alerts=[alert(kit, day) for day in (4, 7, 11, 15)])


def at_once(history, days) -> list[bytes]:
    """The days of one baseline from its minutes as a whole."""
    begins = [to_us(day_bounds(day, history.plant.zone)[0]) for day in days]
    conduct = conduct_of(history, begins[0], begins[-1] + US_PER_DAY)
    return [np.stack(day_sums._of_day(conduct, begin)).tobytes() for begin in begins]


def test_days_of_a_baseline_are_the_same_whichever_were_made_before(history) -> None:
    every = [candidate_days(history, one) for one in history.alerts]
    alone = {days[-1]: at_once(history, days) for days in every}
    assert len(alone) == len(every)
    for order in permutations(every):
        shared = replace(history)
        for days in order:
            found = np.stack(day_sums.block_sums(shared, days), axis=1)
            assert [day.tobytes() for day in found] == alone[days[-1]]


def test_days_are_worked_out_once(history, monkeypatch) -> None:
    looked: list[int] = []

    def counted(known, from_us, to_us):
        looked.append((to_us - from_us) // US_PER_DAY)
        return conduct_of(known, from_us, to_us)

    monkeypatch.setattr(day_sums, "conduct_of", counted)
    last = history.alerts[-1]
    one = replace(history, alerts=[last])
    freeze(one, last)
    assert looked == [14]
    freeze(one, last)
    assert looked == [14, 2, 2]  # the first and the last day, each with its neighbour
