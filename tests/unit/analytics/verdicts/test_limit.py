"""`limit`: energy against the frozen baseline, and what does not carry it."""

from dataclasses import replace

import numpy as np
import pytest

from wattwitness.domain.registry import Declaration, DeclarationReason, DeclarationStatus
from wattwitness.domain.verdicts import VerdictCode


def scaled(yard, share, from_day=19.25):
    power = yard.usual()
    for name in ("P1", "P2"):
        power[name][yard.minutes(from_day, 22)] *= share
    return power


@pytest.mark.parametrize(
    ("share", "word"),
    [
        (0.47, VerdictCode.COMPLIED),
        (0.7, VerdictCode.PARTIAL),
        (0.98, VerdictCode.VIOLATED),
    ],
)
def test_a_limit_by_load(yard, share, word):
    found = yard.plant(yard.measure("limit", limit_pct=50)).verdict(scaled(yard, share))
    assert found.verdict is word
    (told,) = found.measures
    assert told.baseline_kwh == pytest.approx(140.0 * 30, rel=0.04)
    assert told.missed_share == pytest.approx(2 * share - 1, abs=0.08)
    low, high = told.interval_kwh
    assert low < told.baseline_kwh < high
    assert told.like_days == 10


def test_whole_lines_are_a_limit_as_well(yard):
    power = yard.usual()
    power["P1"][yard.minutes(19.25, 22)] = 0.0
    found = yard.plant(yard.measure("limit", limit_pct=50)).verdict(power)
    assert found.verdict is VerdictCode.COMPLIED


def varied(yard, low, high, seed=2):
    """The same hours every day, at a load that strays before the alert."""
    power = yard.usual()
    daily = np.random.default_rng(seed).uniform(low, high, yard.days).repeat(1440)
    before = np.arange(len(daily)) < 19.25 * 1440
    for name in ("P1", "P2"):
        power[name] = power[name] * np.where(before, daily, 1.0)
    return power


def test_the_lines_that_ran_are_counted(yard):
    power = yard.usual()
    power["P1"][yard.minutes(19.25, 22)] = 0.0
    (told,) = yard.plant(yard.measure("limit", limit_pct=50)).verdict(power).measures
    assert (told.circuits_ran, told.circuits_usual) == (1, 2)
    (all_ran,) = yard.plant(yard.measure("limit", limit_pct=50)).verdict(yard.usual()).measures
    assert (all_ran.circuits_ran, all_ran.circuits_usual) == (2, 2)


def test_nothing_that_ran_keeps_any_limit(yard):
    """Even where the baseline is too young to say what is usual."""
    early = replace(
        yard.alert,
        issued_at=yard.at(3),
        response_from=yard.at(4, 6),
        lifted_at=yard.at(6, 18),
    )
    plant = yard.plant(yard.measure("limit", limit_pct=50), alerts=[early])
    found = plant.verdict(scaled(yard, 0.0, 4.25))
    assert found.verdict is VerdictCode.COMPLIED


def test_nothing_is_said_of_lines_where_it_is_not_known_if_they_ran(yard):
    power = scaled(yard, 0.0)
    power["P1"][yard.minutes(20.25, 20.9)] = np.nan
    (told,) = yard.plant(yard.measure("limit", limit_pct=50)).verdict(power).measures
    assert told.circuits_ran is None
    assert told.verdict is VerdictCode.INSUFFICIENT_DATA


def test_lines_that_stopped_decide_where_the_energy_leans(yard):
    """The line that goes on has more load than usual; on its hours alone the cut is clear.

    The same energy by load alone stays undecided: hours speak against it.
    """
    plant = yard.plant(yard.measure("limit", limit_pct=58))
    stopped, held = varied(yard, 0.85, 1.15), varied(yard, 0.85, 1.15)
    stopped["P2"][yard.minutes(19.25, 22)] = 0.0
    stopped["P1"][yard.minutes(19.25, 22)] *= 1.1
    for name in ("P1", "P2"):
        held[name][yard.minutes(19.25, 22)] *= 1.1 * 80 / 140
    one, other = plant.verdict(stopped), plant.verdict(held)
    assert one.measures[0].energy_kwh == pytest.approx(other.measures[0].energy_kwh, rel=0.01)
    assert (one.verdict, one.why) == (VerdictCode.COMPLIED, ("line_count",))
    assert (other.verdict, other.why) == (VerdictCode.INSUFFICIENT_DATA, ("wide_interval",))


def test_the_baseline_is_frozen_before_the_surge(yard):
    """A day of twice the load before the response moves nothing."""
    power = scaled(yard, 0.98)
    plain = yard.plant(yard.measure("limit", limit_pct=50)).verdict(power)
    for name in ("P1", "P2"):
        power[name][yard.minutes(18.25, 19.25)] *= 1.6
    surged = yard.plant(yard.measure("limit", limit_pct=50)).verdict(power)
    assert surged.measures[0].baseline_kwh == plain.measures[0].baseline_kwh
    assert "shifted_before" in surged.notes
    assert "shifted_before" not in plain.notes


def test_too_few_like_days(yard):
    early = replace(
        yard.alert,
        issued_at=yard.at(3),
        response_from=yard.at(4, 6),
        lifted_at=yard.at(6, 18),
    )
    plant = yard.plant(yard.measure("limit", limit_pct=50), alerts=[early])
    found = plant.verdict(scaled(yard, 0.98, 4.25))
    assert (found.verdict, found.why) == (VerdictCode.INSUFFICIENT_DATA, ("few_like_days",))


def test_a_quarter_of_the_minutes_missing_is_no_compliance(yard):
    power = scaled(yard, 0.3)
    power["P1"][yard.minutes(20.25, 20.9)] = np.nan
    found = yard.plant(yard.measure("limit", limit_pct=50)).verdict(power)
    assert (found.verdict, found.why) == (VerdictCode.INSUFFICIENT_DATA, ("low_coverage",))


def test_a_wide_spread_does_not_decide(yard):
    power = scaled(yard, 0.62)
    rng = np.random.default_rng(2)
    daily = np.repeat(rng.uniform(0.5, 1.5, yard.days), 1440)
    for name in ("P1", "P2"):
        power[name] = power[name] * np.where(np.arange(len(daily)) < 19.25 * 1440, daily, 1.0)
    found = yard.plant(yard.measure("limit", limit_pct=50)).verdict(power)
    assert (found.verdict, found.why) == (VerdictCode.INSUFFICIENT_DATA, ("wide_interval",))


def test_energy_of_coarse_meters_comes_from_the_register(yard):
    """Power that is sampled every quarter of an hour may miss what its register counts."""
    plant = yard.plant(yard.measure("limit", limit_pct=50), interval_s=900)
    rows = yard.readings(yard.usual(), step_min=15)
    rows["e_kwh"] = 1000.0 + 1.3 * (rows["e_kwh"] - 1000.0)
    trial = plant.kit.Trial(plant.registry).load(rows)
    (found,) = trial.results.findings["E"].verdicts
    assert found.measures[0].baseline_kwh == pytest.approx(1.3 * 140.0 * 30, rel=0.03)


def declared(yard, status=DeclarationStatus.ACCEPTED, circuits=(), from_day=19.0, to_day=22.5):
    return Declaration(
        enterprise_id="E",
        from_=yard.at(from_day),
        to=yard.at(to_day),
        reason=DeclarationReason.TRIAL,
        circuits=circuits,
        status=status,
    )


def test_a_declared_plant_is_exempt_and_its_finding_is_kept(yard):
    plant = yard.plant(yard.measure(), declarations=[declared(yard)])
    findings = plant.trial(yard.usual()).results.findings["E"]
    (found,) = findings.verdicts
    assert (found.verdict, found.why) == (VerdictCode.EXEMPT, ("declared",))
    (episode,) = [e for e in findings.episodes if e.kind == "curtailment_violation"]
    assert episode.suppressed_by == plant.registry.declarations[0].declaration_id
    assert not [lead for lead in findings.leads if "curtailment_violation" in lead.kinds]


def test_a_filed_declaration_excuses_nothing(yard):
    paper = declared(yard, DeclarationStatus.FILED)
    findings = yard.plant(yard.measure(), declarations=[paper]).trial(yard.usual())
    found = findings.results.findings["E"]
    assert found.verdicts[0].verdict is VerdictCode.VIOLATED
    (episode,) = [e for e in found.episodes if e.kind == "curtailment_violation"]
    assert episode.suppressed_by is None
    assert episode.confidence == found.verdicts[0].confidence
    (lead,) = [x for x in found.leads if "curtailment_violation" in x.kinds]
    assert "停产" in lead.reason["zh"]
    assert "to stop" in lead.reason["en"]


def test_a_declared_circuit_leaves_the_judged_time(yard):
    power = yard.usual()
    power["P1"][yard.minutes(19.25, 22)] = 0.0
    plant = yard.plant(yard.measure(), declarations=[declared(yard, circuits=("P2",))])
    assert plant.verdict(power).verdict is VerdictCode.COMPLIED


def test_a_declared_window_leaves_the_rest(yard):
    first_day = declared(yard, to_day=20.0)
    found = yard.plant(yard.measure(), declarations=[first_day]).verdict(yard.usual())
    assert found.verdict is VerdictCode.VIOLATED
    assert found.measures[0].running_minutes == pytest.approx(1200, abs=20)
