"""The same laws over more days than a threshold looks back, and over more than one plant."""

import asyncio
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.bench import AnalysisStoppedError, Bench
from analytics.executors import InProcess
from analytics.pipeline import analyse_enterprise
from analytics.planning import PIECE_DAYS
from analytics.results import MemoryResults
from analytics.series import MemorySeries
from analytics.states.histograms import WINDOW_DAYS
from wattwitness.domain.instants import DEFAULT_ZONE, from_us, local_day
from wattwitness.domain.readings import ReadingColumns, Readings
from wattwitness.domain.registry import Registry, Role

DAYS = 46
ENTERPRISES = ("E", "F")
few = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def two_plants(kit) -> Registry:
    """E has circuits 1 and 2, F has 3 and 4."""
    one = kit.press_and_fan(interval_s=900)
    circuits = {
        "P2": replace(kit.circuit("P2", Role.PRODUCTION), gateway_id="H"),
        "T2": replace(kit.circuit("T2", Role.TREATMENT, 7.5), gateway_id="H"),
    }
    pairing = replace(kit.pairing, pairing_id="PT2", production=("P2",), treatment=("T2",))
    return replace(
        one,
        enterprises=one.enterprises
        | {"F": replace(one.enterprises["E"], enterprise_id="F", name="Other")},
        gateways=one.gateways
        | {"H": replace(one.gateways["G"], gateway_id="H", enterprise_id="F")},
        circuits=one.circuits | circuits,
        pairings=one.pairings | {"PT2": pairing},
        circuit_keys={"P": 1, "T": 2, "P2": 3, "T2": 4},
    )


def sent(kit) -> Readings:
    """Every quarter of an hour; loads change on the way, F starts later, E is silent for days."""
    days = np.repeat(np.arange(DAYS), 1440)
    off = kit.span(DAYS, 5, 9, 75) | kit.span(DAYS, 30, 15.5, 120) | kit.span(DAYS, 44, 13, 90)
    e = kit.Plant(days=DAYS).power(off)
    f = kit.Plant(days=DAYS, press_kw=55.0, fan_kw=4.0).power(kit.span(DAYS, 33, 9, 180))
    e[1] = np.where((days >= 16) & (days < 21), 0.3 * e[1], e[1])
    e[2] = np.where(days >= 25, 0.6 * e[2], e[2])
    e[1][(days >= 38) & (days < 41)] = np.nan
    e[2][(days >= 38) & (days < 41)] = np.nan
    f[1][days < 9] = np.nan
    f[2][days < 11] = np.nan
    return kit.readings({1: e[1], 2: e[2], 3: f[1], 4: f[2]}, step_min=15)


@dataclass
class City:
    """Both plants under analysis, in memory."""

    registry: Registry
    series: MemorySeries = field(default_factory=MemorySeries)
    results: MemoryResults = field(default_factory=MemoryResults)
    dirty: dict[str, set[date]] = field(default_factory=dict)

    def add(self, rows: Readings) -> None:
        self.series.add(rows)
        for enterprise, keys in (("E", (1, 2)), ("F", (3, 4))):
            own = np.unique(rows["ts"][np.isin(rows["circuit"], keys)])
            days = {local_day(from_us(t), DEFAULT_ZONE) for t in own}
            self.dirty.setdefault(enterprise, set()).update(days)
            self.results.days_with_data.setdefault(enterprise, set()).update(days)

    def analyse(self, enterprises: Iterable[str] = ENTERPRISES, **parts: Any) -> None:
        bench = Bench(self.registry, self.series, self.results, InProcess())
        asyncio.run(self._analyse(replace(bench, **parts), enterprises))

    async def _analyse(self, bench: Bench, enterprises: Iterable[str]) -> None:
        for enterprise in enterprises:
            days = self.dirty.get(enterprise, set())
            await analyse_enterprise(bench, enterprise, days, date.min)
            self.dirty[enterprise] = set()

    def outcome(self) -> dict[str, Any]:
        return {e: (self.results.findings[e], self._days(e)) for e in ENTERPRISES}

    def _days(self, enterprise: str) -> dict[date, Any]:
        return {
            day: (d.states, d.quality, d.spells, {c: repr(t) for c, t in d.thresholds.items()})
            for day, d in self.results.days[enterprise].items()
        }

    def thresholds(self, enterprise: str) -> dict[tuple[str, date], str]:
        judged = self.results.days[enterprise]
        return {(c, day): repr(t) for day, d in judged.items() for c, t in d.thresholds.items()}


def batch(kit, rows: Readings) -> City:
    city = City(two_plants(kit))
    city.add(rows)
    city.analyse()
    return city


@few
@given(data=st.data())
def test_live_is_batch_beyond_the_window_of_a_threshold(kit, data) -> None:
    rows = sent(kit)
    whole = batch(kit, rows)
    assert all(whole.results.findings[e].episodes for e in ENTERPRISES)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    in_time = data.draw(st.booleans())
    pieces = np.array_split(rows[np.argsort(rows["ts"], kind="stable")], 40)
    # whole disorder, or the way of live data: in time, but for a fifth that comes much later
    late = rng.random(len(pieces)) < (0.2 if in_time else 1.0)
    order = [*np.flatnonzero(~late), *rng.permutation(np.flatnonzero(late))]
    live = City(two_plants(kit))
    for n in order:
        piece = rng.permutation(pieces[n])
        live.add(np.concatenate((piece, piece[: len(piece) // 3])))
        if rng.random() < 0.2:
            live.analyse(rng.permutation(ENTERPRISES)[: rng.integers(1, 3)])
    live.analyse()
    assert live.outcome() == whole.outcome()


def test_late_data_from_three_weeks_ago_move_thresholds_of_later_days(kit) -> None:
    rows = sent(kit)
    day = (rows["ts"] - kit.start_us) // 86_400_000_000
    late = (rows["circuit"] <= 2) & (day >= 16) & (day < 21)
    live = City(two_plants(kit))
    live.add(rows[~late])
    live.analyse()
    before = live.thresholds("E")
    live.add(rows[late])
    live.analyse()
    after = live.thresholds("E")
    moved = {day for (c, day), t in after.items() if before.get((c, day), t) != t}
    last = kit.at(20, 0).date()
    assert any((day - last).days > 1 for day in moved)
    assert all((day - last).days < WINDOW_DAYS for day in moved)
    assert live.outcome() == batch(kit, rows).outcome()


def test_readings_are_in_memory_piece_by_piece(kit) -> None:
    seen: list[weakref.ref[ReadingColumns]] = []
    most = 0

    class Watched(MemorySeries):
        async def block(
            self, circuit_keys: Sequence[int], from_us: int, to_us: int
        ) -> ReadingColumns:
            nonlocal most
            found = await super().block(circuit_keys, from_us, to_us)
            # a piece, the hours before it, and nothing of the pieces before
            assert len(found) <= 2 * (PIECE_DAYS * 96 + 4)
            seen.append(weakref.ref(found))
            most = max(most, sum(rows() is not None for rows in seen))
            return found

    city = City(two_plants(kit), series=Watched())
    city.add(sent(kit))
    city.analyse(["E"])
    assert most <= 2  # of seven; a thread may be slow to forget the one before


@pytest.mark.parametrize("pieces_before", [1, 4, 9])
def test_what_was_stopped_anywhere_ends_the_same_when_run_again(kit, pieces_before: int) -> None:
    class Stopping(InProcess):
        def __init__(self, stop: asyncio.Event) -> None:
            super().__init__()
            self.stop, self.maps = stop, 0

        def map(self, kernel: Callable[[Any], Any], blocks: Sequence[Any]) -> list[Any]:
            self.maps += 1
            if self.maps == pieces_before:
                self.stop.set()
            return super().map(kernel, blocks)

    rows = sent(kit)
    city = City(two_plants(kit))
    city.add(rows)
    stop = asyncio.Event()
    executor = Stopping(stop)
    with pytest.raises(AnalysisStoppedError):
        city.analyse(executor=executor, stop=stop)
    assert executor.maps == pieces_before
    assert city.dirty["E"]
    city.analyse()
    assert city.outcome() == batch(kit, rows).outcome()
