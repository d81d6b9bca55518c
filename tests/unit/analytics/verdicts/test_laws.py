"""Laws: what no data, no paper and no way of computing may do to a verdict."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.calibration import UNCALIBRATED
from analytics.verdicts.conduct import Conduct
from analytics.verdicts.judging import cases_of, judge
from analytics.verdicts.orders import plan_of
from wattwitness.domain.registry import Declaration, DeclarationReason
from wattwitness.domain.verdicts import VerdictCode

GRAVITY = {VerdictCode.PARTIAL: 1, VerdictCode.VIOLATED: 2}
MEASURES = (("stop", {}), ("limit", {"limit_pct": 50}), ("stop", {"scope": ("two",)}))
CUTS = ((), ("P1",), ("P1", "P2"))
some = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_CASES = {}


@pytest.fixture
def cases(yard, monkeypatch):
    """Every measure under every cut: what the verdict of each rests on. Made once."""
    if not _CASES:
        seen = []
        monkeypatch.setattr(
            "analytics.conclusion.cases_of",
            lambda *known: seen.append(cases_of(*known)) or seen[-1],
        )
        for stopped in CUTS:
            power = yard.usual()
            for name in stopped:
                power[name][yard.minutes(19.3, 22)] = 0.0
            yard.plant(yard.measure()).trial(power)
            for n, (action, how) in enumerate(MEASURES):
                case = seen[-1][0]
                plan = plan_of(
                    case.plan.plant, [yard.measure(action, **how)], case.plan.grade, yard.alert
                )
                _CASES[n, stopped] = replace(case, plan=plan)
    return _CASES


def said(case, conduct=None, plan=None):
    plan = plan or case.plan
    return judge(
        plan, case.baseline, conduct or case.conduct, plan.ends_us, calibration=UNCALIBRATED
    )


def without(conduct, holes):
    """The same conduct with (row, from, minutes) not known."""
    running, known = conduct.running.copy(), conduct.known.copy()
    energy = conduct.energy_kwh.copy()
    for row, begin, length in holes:
        part = slice(begin, begin + length)
        running[row, part] = known[row, part] = False
        energy[row, part] = np.nan
    return Conduct(conduct.start_us, running, known, energy)


def test_the_cases_cover_all_words(cases):
    words = {said(case).verdict for case in cases.values()}
    assert words == {VerdictCode.COMPLIED, VerdictCode.PARTIAL, VerdictCode.VIOLATED}


@some
@given(
    which=st.sampled_from(range(len(MEASURES))),
    stopped=st.sampled_from(CUTS),
    holes=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 3600), st.integers(1, 2400)), max_size=6
    ),
)
def test_missing_minutes_never_make_complied_nor_worse(cases, which, stopped, holes):
    case = cases[which, stopped]
    whole, holed = said(case).verdict, said(case, without(case.conduct, holes)).verdict
    if whole is not VerdictCode.COMPLIED:
        assert holed is not VerdictCode.COMPLIED
    else:
        assert holed in (VerdictCode.COMPLIED, VerdictCode.INSUFFICIENT_DATA)


@some
@given(
    which=st.sampled_from(range(len(MEASURES))),
    stopped=st.sampled_from(CUTS),
    papers=st.lists(
        st.tuples(
            st.floats(0, 60), st.floats(0.1, 40), st.sampled_from([(), ("P1",), ("P2",), ("T",)])
        ),
        max_size=3,
    ),
)
def test_declaring_never_accuses(yard, cases, which, stopped, papers):
    case = cases[which, stopped]
    declarations = tuple(
        Declaration(
            enterprise_id="E",
            from_=yard.alert.response_from + timedelta(hours=begin),
            to=yard.alert.response_from + timedelta(hours=begin + length),
            reason=DeclarationReason.TRIAL,
            circuits=circuits,
        )
        for begin, length, circuits in papers
    )
    plant = replace(case.plan.plant, declarations=declarations)
    action, how = MEASURES[which]
    plan = plan_of(plant, [yard.measure(action, **how)], case.plan.grade, yard.alert)
    before, after = said(case).verdict, said(case, plan=plan).verdict
    assert GRAVITY.get(after, 0) <= GRAVITY.get(before, 0)


@some
@given(which=st.sampled_from(range(len(MEASURES))), minute=st.integers(0, 3600))
def test_what_is_judged_does_not_know_the_future(cases, which, minute):
    """A verdict at an instant is the same, whatever came after it."""
    case = cases[which, ("P1",)]
    at = case.plan.begins_us + minute * 60_000_000
    whole = case.conduct
    n = whole.place(at)
    until = Conduct(
        whole.start_us, whole.running[:, :n], whole.known[:, :n], whole.energy_kwh[:, :n]
    )
    assert judge(case.plan, case.baseline, whole, at) == judge(case.plan, case.baseline, until, at)


@pytest.mark.parametrize("factor", [0.37, 2.9])
def test_the_scale_of_power_changes_no_stop(yard, kit, factor):
    def words(by):
        found = []
        for stopped in CUTS:
            power = {name: kw * by for name, kw in yard.usual().items()}
            for name in stopped:
                power[name][yard.minutes(19.3, 22)] = 0.0
            circuits = [
                kit.circuit(c.circuit_id, c.role, None)
                for c in yard.plant().registry.circuits.values()
            ]
            found.append(yard.plant(yard.measure(), circuits=circuits).verdict(power).verdict)
        return found

    assert words(1.0) == words(factor)


def test_pieces_and_batch_end_alike(yard):
    power = yard.usual()
    power["P1"][yard.minutes(19.3, 22)] = 0.0
    plant = yard.plant(yard.measure(), yard.measure("limit", limit_pct=50))
    whole = plant.trial(power).results.findings["E"]
    rows = yard.readings(power)
    pieces = plant.kit.Trial(plant.registry)
    edges = np.quantile(rows["ts"], [0.3, 0.9, 0.95]).astype(np.int64)
    for part in np.split(np.arange(len(rows)), []):
        order = np.searchsorted(edges, rows["ts"][part])
        for piece in (2, 0, 1, 3):  # late data, too
            pieces.load(rows[part][order == piece])
    assert pieces.results.findings["E"].verdicts == whole.verdicts
    assert pieces.results.findings["E"].episodes == whole.episodes
