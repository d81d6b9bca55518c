"""The benchmark's city is what it says, and its steps are those of the product."""

import numpy as np
import pytest

from analytics.plants import plant_of
from benchmarks.analytics.city import copied_registry, copied_rows, models, together
from benchmarks.analytics.memory import Ready, measure, ready
from benchmarks.analytics.minute import measure_minute

CIRCUITS, HISTORY = 6, 3


@pytest.fixture(scope="module")
def found() -> list[Ready]:
    return [ready(model) for model in models(2, CIRCUITS, HISTORY, 7)]


def test_models_have_the_circuits_and_days_that_were_asked_for(found) -> None:
    for one in found:
        assert len(one.plant.circuits) == CIRCUITS
        assert sorted(one.results.days[one.model.enterprise_id]) == list(one.model.days)
        assert len(one.model.days) == HISTORY + 1
        assert set(np.unique(one.model.rows["circuit"])) == set(one.plant.keys)
        named = {c for p in one.plant.pairings for c in (*p.production, *p.treatment)}
        assert named <= one.plant.row.keys()


def test_copies_are_plants_of_their_own(found) -> None:
    model = found[0].model
    registries = [copied_registry(model, name, first) for name, first in (("A1", 1), ("A2", 7))]
    city = together(registries)
    assert sorted(city.circuit_keys.values()) == list(range(1, 2 * CIRCUITS + 1))
    for registry in registries:
        (name,) = registry.enterprises
        assert plant_of(city, name) == plant_of(registry, name)
    rows = copied_rows(model.rows, 7, 1)
    assert set(np.unique(rows["circuit"])) == set(range(7, 7 + CIRCUITS))
    power = model.rows["p_kw"] > 1
    ratio = rows["p_kw"][power] / model.rows["p_kw"][power]
    assert 0.0 < np.abs(ratio - 1.0).mean() < 0.01


def test_every_step_is_measured(found) -> None:
    steps = measure(found, 4)
    assert min(steps.sum_s, steps.states_s, steps.columns_s, steps.judge_s, steps.conclude_s) > 0
    assert steps.everything_s > steps.conclude_s
    episodes = [one.results.findings[one.model.enterprise_id].episodes for one in found]
    assert steps.episodes == [len(own) for own in episodes]
    assert measure_minute(found, 4).circuits == 4 * CIRCUITS
