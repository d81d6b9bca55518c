"""All pairings of a plant at once: as each one alone, and as a walk along its minutes."""

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.pairing.condition import PairMinutes, pair_minutes
from analytics.pairing.edges import HOLE_MIN, LONGEST_MIN, REST_MIN, Edge, starts, stops
from analytics.pairing.levels import settled
from analytics.plants import Paired
from analytics.states.runs import runs_of
from wattwitness.domain.registry import Pairing

CIRCUITS, MINUTES = 5, 260
FIELDS = ("off", "short", "unknown", "blind", "running", "lines", "works")
seeds = st.integers(0, 2**32 - 1)


def plant_day(seed: int) -> PairMinutes:
    """Circuits that change state now and then, in pairings that share them."""
    rng = np.random.default_rng(seed)
    states = np.ones((CIRCUITS, MINUTES), dtype=np.int8)
    for own in states:
        for at in rng.integers(0, MINUTES, rng.integers(0, 25)):
            own[at : at + rng.integers(1, 70)] = rng.choice(4, p=[0.02, 0.3, 0.08, 0.6])
    power = np.where(states >= 2, rng.uniform(0, 10, states.shape), 0.0).astype(np.float32)
    level = rng.choice([np.nan, 5.0, 20.0], CIRCUITS, p=[0.1, 0.5, 0.4])
    pairs = [
        Paired(
            Pairing(pairing_id=str(k), production=(), treatment=(), require=str(require)),
            rng.choice(CIRCUITS, rng.integers(1, 4), replace=False).tolist(),
            rng.choice(CIRCUITS, rng.integers(1, 4), replace=False).tolist(),
        )
        for k, require in enumerate(rng.choice(["all", "any", "lines", "2"], rng.integers(1, 5)))
    ]
    found = pair_minutes(states, power, level, pairs)
    for k, pair in enumerate(pairs):
        alone = pair_minutes(states, power, level, [pair])
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(found, name)[k], getattr(alone, name)[0])
    return found


def spans(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    found = runs_of(mask[np.newaxis])
    return list(zip(found.start.tolist(), found.end.tolist(), strict=True))


def closed(works: NDArray[np.bool_], hole_min: int) -> NDArray[np.bool_]:
    filled = works.copy()
    for start, end in spans(~works):
        if start > 0 and end < len(works) and end - start <= hole_min:
            filled[start:end] = True
    return filled


def walked_starts(pairs: PairMinutes, k: int) -> Iterator[Edge]:
    running, blind = pairs.running[k], pairs.blind[k]
    works, rested = closed(pairs.works[k], HOLE_MIN), closed(pairs.works[k], REST_MIN)
    rest = ~running & ~blind
    for start, end in spans(running):
        if start < REST_MIN or not rest[start - REST_MIN : start].all():
            continue
        if works[start]:
            before = np.flatnonzero(~rested[:start])
            since = int(before[-1]) + 1 if len(before) else 0
            if since > 0 and not blind[since - 1]:
                yield Edge(start, since, start)
            continue
        after = np.flatnonzero(works[start : start + LONGEST_MIN])
        if len(after):
            first = start + int(after[0])
            stays = not rest[start:first].any() or first < end + REST_MIN
            if stays and not blind[start:first].any():
                yield Edge(start, first, first)


def walked_stops(pairs: PairMinutes, k: int) -> Iterator[Edge]:
    running, blind, works = pairs.running[k], pairs.blind[k], closed(pairs.works[k], HOLE_MIN)
    for _, end in spans(running):
        told = end + REST_MIN - 1
        if told >= MINUTES or (running | blind)[end : told + 1].any():
            continue
        earliest = max(0, end - LONGEST_MIN)
        last = np.flatnonzero(works[earliest:end])
        if len(last):
            gone = earliest + int(last[-1]) + 1
            if not blind[gone - 1 : end].any():
                yield Edge(end, gone, told)


@given(seeds)
def test_edges_of_all_pairings_are_those_of_a_walk_along_each(seed) -> None:
    pairs = plant_day(seed)
    numbers = range(len(pairs.pairs))
    assert list(starts(pairs)) == [(k, edge) for k in numbers for edge in walked_starts(pairs, k)]
    assert list(stops(pairs)) == [(k, edge) for k in numbers for edge in walked_stops(pairs, k)]


def test_days_are_drawn_on_which_edges_are() -> None:
    days = [plant_day(seed) for seed in range(40)]
    assert sum(len(list(starts(day))) for day in days) > 20
    assert sum(len(list(stops(day))) for day in days) > 20


@given(seed=seeds, margins=st.lists(st.integers(0, 6), min_size=3, max_size=3))
def test_settled_minutes_are_far_from_every_switch(seed, margins) -> None:
    works = np.random.default_rng(seed).random((3, 40)) < 0.9
    expected = [
        [bool(own[max(t - n, 0) : t + n + 1].all()) for t in range(40)]
        for own, n in zip(works, margins, strict=True)
    ]
    assert settled(works, margins).tolist() == expected
