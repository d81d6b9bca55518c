"""Verdicts beside what is true: the benchmark itself, on a city a unit test can afford."""

from dataclasses import replace

import pytest

from analytics.calibration import UNCALIBRATED
from analytics.evaluation.verdicts import score_verdicts
from benchmarks.truth import seeds
from benchmarks.truth.orders import (
    NOTES,
    SIZES,
    TEST_SEEDS,
    TUNE_SEEDS,
    Tried,
    predictions_by_kind,
    scenario_of,
    tried,
    tried_city,
)
from benchmarks.truth.orders_report import print_errors, print_orders
from benchmarks.truth.seeds import START, Size
from gateway_sim.city import build_city
from gateway_sim.orders.conducts import CONDUCTS
from gateway_sim.scenario import Scenario
from wattwitness.domain.verdicts import VerdictCode


@pytest.fixture(scope="module")
def parts() -> Tried:
    return tried(Size(enterprises=9, days=30), 4, UNCALIBRATED, processes=1)


def test_seeds_are_apart_from_each_other_and_from_those_of_the_episodes() -> None:
    every = [*TUNE_SEEDS, *TEST_SEEDS, *seeds.TUNE_SEEDS, *seeds.TEST_SEEDS]
    assert len(set(every)) == len(every)
    assert set(scenario_of(SIZES["small"], 1).conducts) == set(CONDUCTS)
    assert set(NOTES) < set(CONDUCTS)


def test_every_plant_is_scored_and_most_verdicts_are_right(parts) -> None:
    whole = parts.whole
    assert len(whole) == 9 * len({o.name.split()[1] for o in whole})
    assert sum(o.decided for o in whole) > len(whole) / 2
    score = score_verdicts(whole)
    assert score.accuracy.value is not None
    assert score.accuracy.value > 0.8
    assert all(len(o.groups) >= 2 for o in [*whole, *parts.measures])


def test_confidence_is_learned_per_action_and_word(parts) -> None:
    kinds = predictions_by_kind(parts)
    assert kinds
    assert all(kind.startswith("verdict/") and kind.count("/") == 2 for kind in kinds)
    decided = sum(o.decided for o in parts.measures)
    assert sum(map(len, kinds.values())) == decided


def test_the_report_names_targets_and_errors(parts, capsys) -> None:
    print_orders(parts)
    print_errors(parts.whole)
    told = capsys.readouterr().out
    assert "≥ 0.97" in told
    assert "named circuits" in told
    assert all(note in told for note in NOTES.values())
    wrong = [o for o in parts.whole if o.decided and not o.right]
    assert told.count("wrong:") == len(wrong)


def said_of(conduct: str) -> Tried:
    """A few plants that all behave alike under every alert."""
    scenario = replace(
        scenario_of(Size(enterprises=5, days=30), 6),
        conducts={conduct: 1.0},
        shares=dict.fromkeys(Scenario().shares, 0.0),
        main_only=0.0,
    )
    return tried_city(build_city(scenario, START), UNCALIBRATED, processes=1)


def test_a_plant_that_bypasses_its_meters_is_never_called_compliant() -> None:
    found = said_of("unmetered")
    bypassed = [o for o in found.whole if "unmetered" in o.groups]
    assert bypassed
    busy = [o for o in bypassed if o.true is not VerdictCode.COMPLIED]
    assert busy
    assert not [o.name for o in busy if o.said in {VerdictCode.COMPLIED, VerdictCode.EXEMPT}]


def test_a_plant_that_follows_is_never_accused() -> None:
    found = said_of("follows")
    assert sum(o.said is VerdictCode.COMPLIED for o in found.whole) >= 2
    assert not [o.name for o in found.whole if o.wronged]


def test_silent_meters_are_told_and_prove_nothing() -> None:
    found = said_of("silent")
    silent = [o for o in found.whole if "silent" in o.groups]
    assert silent
    assert not [o.name for o in silent if o.said is VerdictCode.COMPLIED and o.true != o.said]
    told = [said for note, due, said in found.notes if note == "silent_with_alert" and due]
    assert all(told)
