"""The benchmark itself, on a city so small that a unit test can afford it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analytics.calibration import UNCALIBRATED
from benchmarks.truth.ablations import ABLATIONS
from benchmarks.truth.answers import KINDS, answers_of
from benchmarks.truth.measured import measure, pool
from benchmarks.truth.report import print_details, print_report
from benchmarks.truth.seeds import SHAPES, START, TEST_SEEDS, TUNE_SEEDS, Size, scenario_of
from benchmarks.truth.stage import Way, in_memory
from benchmarks.truth.trial import PHYSICS, jobs_of, run
from gateway_sim.city import City, build_city
from wattwitness.domain.episodes import Episode
from wattwitness.domain.rules import CATALOGUE

SIZE = Size(enterprises=4, days=6)


@pytest.fixture(scope="module")
def city() -> City:
    return build_city(scenario_of(SIZE, 3, "even"), START)


@pytest.fixture(scope="module")
def measured(city):
    return pool(in_memory(city, Way(), processes=1))


def test_tuning_and_test_seeds_are_apart() -> None:
    assert not set(TUNE_SEEDS) & set(TEST_SEEDS)
    assert set(SHAPES) == {"default", "even"}


def test_every_kind_that_is_judged_is_scored(measured) -> None:
    assert set(measured.kinds) == {code for code, rule in CATALOGUE.items() if rule.since}
    assert set(KINDS) == set(measured.kinds)


def test_what_is_planted_is_found(measured) -> None:
    score = measured.suspicions
    assert score.planted > 5
    assert score.recall.value > 0.7
    assert score.precision.value > 0.7


def test_counts_add_up(city, measured) -> None:
    assert measured.enterprises == len(city.plants)
    for score in measured.kinds.values():
        assert score.matched + len(score.missed) == score.planted
        assert score.matched + len(score.false) + score.explained == score.found
    assert len(measured.everything.predictions) == measured.everything.found - (
        measured.everything.explained
    )


def test_what_the_software_calls_untestable_is_not_knowable_but_counted(city) -> None:
    job = next(j for j in jobs_of(city) if any(not i.lawful for i in j.incidents))
    told = run(job).findings.testability
    silent = [replace(t, testable=False, why="no_reason") for t in told]
    before, after = answers_of(job, told), answers_of(job, silent)
    assert len(before.knowable) > 0
    assert not after.knowable
    assert len(after.unknowable) == len(before.knowable) + len(before.unknowable)


def test_an_order_that_was_not_followed_is_scored_elsewhere(city) -> None:
    job, trial = next((j, run(j)) for j in jobs_of(city))
    other = Episode(
        enterprise_id=job.plant.enterprise_id,
        kind="curtailment_violation",
        from_=START + timedelta(days=2),
        to=START + timedelta(days=3),
        detected_at=START + timedelta(days=3),
        circuits=("P",),
        pairing_id=None,
        confidence=0.9,
        evidence={},
        rule_version="",
    )
    found = replace(trial.findings, episodes=[other], leads=[])
    said = replace(trial, findings=found)
    true = replace(job, unfollowed=[(START + timedelta(days=1), START + timedelta(days=4))])
    false = replace(job, unfollowed=[(START + timedelta(days=3), START + timedelta(days=4))])
    assert measure(true, said).kinds["curtailment_violation"].found == 0
    assert len(measure(false, said).kinds["curtailment_violation"].false) == 1


def test_an_ablation_judges_otherwise_and_meters_can_lack_channels(city) -> None:
    job = next(iter(jobs_of(city)))
    plain = run(job, calibration=UNCALIBRATED)
    fixed = run(job, executor=ABLATIONS["fixed"].executor())
    blind = run(job, left_out=PHYSICS)
    assert fixed.states != plain.states
    why = {t.why for t in blind.findings.testability if t.kind == "treatment_dummy_load"}
    assert "" not in why


def test_the_report_names_every_kind(measured, capsys) -> None:
    print_report(measured)
    print_details(measured)
    told = capsys.readouterr().out
    assert all(kind in told for kind in KINDS)
    assert "ECE" in told
    assert "false per enterprise-month" in told
