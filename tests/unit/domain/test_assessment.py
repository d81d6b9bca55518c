"""The arithmetic of an assessment: what is counted, once, and what is said of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wattwitness.domain.assessed_energy import avoidable_kwh, counted, saved_by
from wattwitness.domain.assessing import Told, assess
from wattwitness.domain.assessment import Rebound
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictChange, VerdictCode

T0 = datetime(2026, 11, 16, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMPLIED, PARTIAL, VIOLATED = VerdictCode.COMPLIED, VerdictCode.PARTIAL, VerdictCode.VIOLATED
ALERT = Alert(
    alert_id="A2", level=AlertLevel.ORANGE, issued_at=T0 - 12 * HOUR, response_from=T0,
    lifted_at=T0 + 48 * HOUR,
)  # fmt: skip
PLANTS = {
    "E1": ("north", "steel"), "E2": ("north", "glass"), "E3": ("south", None), "E4": (None, "steel")
}  # fmt: skip
CITY = Registry(
    enterprises={
        e: Enterprise(enterprise_id=e, name=f"plant {e}", district=d, industry=i)
        for e, (d, i) in PLANTS.items()
    },
    gateways={f"G{e}": Gateway(gateway_id=f"G{e}", enterprise_id=e) for e in PLANTS},
    circuits={
        c: Circuit(circuit_id=c, gateway_id=g, channel=c, role=r, parent_circuit_id=p)
        for c, g, r, p in (
            ("M1", "GE1", Role.MAIN, None), ("P1", "GE1", Role.PRODUCTION, "M1"),
            ("P2", "GE1", Role.PRODUCTION, None), ("P3", "GE2", Role.PRODUCTION, None),
            ("M3", "GE3", Role.MAIN, None),
        )
    },
    measures=(
        Measure(
            enterprise_id="E2", level=AlertLevel.ORANGE, action=MeasureAction.LIMIT,
            scope=("P3",), limit_pct=50.0,
        ),
    ),
    alerts={"A2": ALERT},
)  # fmt: skip


def measure(used, usual, *circuits, spread=10.0, **changes):
    found = MeasureVerdict(
        action=MeasureAction.STOP, scope=circuits, level=AlertLevel.ORANGE, circuits=circuits,
        verdict=COMPLIED, confidence=0.9, from_=T0 + 2 * HOUR, to=T0 + 48 * HOUR,
        running_minutes=0.0, allowed_minutes=20.0, usual_minutes=100.0, energy_kwh=used,
        baseline_kwh=usual, interval_kwh=(usual - spread, usual + 2 * spread), missed_share=None,
        coverage=1.0, running_share=0.0,
    )  # fmt: skip
    return replace(found, **changes)


def verdict(enterprise_id, code, *measures, **changes):
    found = Verdict(
        alert_id="A2", enterprise_id=enterprise_id, level=AlertLevel.ORANGE, verdict=code,
        confidence=0.9, as_of=T0 + 48 * HOUR, measures=measures,
    )  # fmt: skip
    return replace(found, **changes)


def test_what_one_plant_avoided_is_usual_less_used_with_its_interval():
    found = saved_by([measure(20.0, 100.0, "P1"), measure(5.0, 50.0, "P2")])
    assert found.kwh == 125.0
    assert found.interval_kwh == (105.0, 165.0)  # ends of one plant are added
    assert found.achieved_cut == pytest.approx(125 / 150)
    assert saved_by([]) is None


def test_more_than_usual_is_less_than_nothing_avoided():
    assert saved_by([measure(130.0, 100.0, "P1")]).kwh == -30.0


@pytest.mark.parametrize("names", [("P1",), ("M1",)])
def test_measures_that_share_a_circuit_or_the_meter_above_it_count_once(names):
    wide, narrow = measure(10.0, 300.0, "P1", "P2"), measure(1.0, 100.0, *names)
    assert counted([narrow, wide], CITY) == [wide]
    assert counted([wide, narrow], CITY) == [wide]


def test_the_same_circuit_under_the_next_level_counts_again():
    first = measure(1.0, 100.0, "P1", to=T0 + 24 * HOUR)
    second = measure(2.0, 100.0, "P1", from_=T0 + 24 * HOUR)
    assert counted([second, first], CITY) == [first, second]


def test_other_circuits_at_the_same_time_count_both():
    both = [measure(1.0, 100.0, "P2"), measure(1.0, 100.0, "P3")]
    assert len(counted(both, CITY)) == 2


@pytest.mark.parametrize(
    "missing",
    [
        {"energy_kwh": None},
        {"baseline_kwh": None},
        {"interval_kwh": None},
        {"verdict": VerdictCode.INSUFFICIENT_DATA},
        {"verdict": VerdictCode.EXEMPT},
    ],
)
def test_what_is_not_measured_or_not_decided_does_not_count(missing):
    assert counted([replace(measure(1.0, 100.0, "P1"), **missing)], CITY) == []


def test_avoidable_energy_of_limit_and_stop():
    limit = measure(80.0, 100.0, "P3", action=MeasureAction.LIMIT, verdict=VIOLATED)
    assert avoidable_kwh(limit, 0.5) == 30.0
    stop = measure(40.0, 100.0, "P1", verdict=PARTIAL, running_share=0.3)
    assert avoidable_kwh(stop, 0.0) == 30.0
    assert avoidable_kwh(replace(stop, running_share=0.9), 0.0) == 40.0, "no more than was used"
    assert avoidable_kwh(replace(stop, verdict=COMPLIED), 0.0) == 0.0
    assert avoidable_kwh(replace(stop, running_share=None), 0.0) == 0.0


@pytest.fixture
def found():
    limit = measure(80.0, 100.0, "P3", action=MeasureAction.LIMIT, verdict=VIOLATED, spread=4.0)
    verdicts = [
        verdict("E1", COMPLIED, measure(10.0, 300.0, "P1", "P2", spread=3.0)),
        verdict("E2", VIOLATED, limit),
        verdict(
            "E3", VerdictCode.INSUFFICIENT_DATA, why=("low_coverage", "low_coverage"),
            notes=("silent_with_alert",),
        ),
        verdict("E4", VerdictCode.EXEMPT, why=("voluntary",)),
    ]  # fmt: skip
    turn = VerdictChange(
        alert_id="A2", enterprise_id="E2", changed_at=T0 + 50 * HOUR, as_of=T0 + 48 * HOUR,
        cause="late_data", before=COMPLIED, after=VIOLATED, confidence=0.9,
    )  # fmt: skip
    told = Told(
        changes=(turn, replace(turn, enterprise_id="E1", cause="time")),
        missed_before={"E1": ["A0"], "E2": ["A0", "A1"]},
        rebounds={"E1": Rebound(kwh=130.0, usual_kwh=100.0, most_kwh=120.0, like_days=6)},
    )
    return assess(CITY, ALERT, verdicts, told)


def test_enterprises_add_up_and_their_deviations_in_squares(found):
    saved = found.saved
    assert (saved.enterprises, saved.kwh) == (2, 310.0)
    assert saved.interval_kwh == (310.0 - 5.0, 310.0 + 10.0)  # 3² + 4², 6² + 8²
    assert saved.widest_kwh == (310.0 - 7.0, 310.0 + 14.0)


def test_compliance_counts_and_decided_share(found):
    assert (found.all.ordered, found.all.decided) == (3, 2)
    assert found.all.decided_share == pytest.approx(2 / 3)
    assert found.all.complied_share == 0.5
    assert [(g.name, g.ordered, g.decided_share) for g in found.districts] == [
        ("north", 2, 1.0), ("south", 1, 0.0), ("", 0, None),
    ]  # fmt: skip
    assert sum(sum(g.counts.values()) for g in found.industries) == 4


def test_caveats_repeats_top_and_rebound(found):
    known = found.caveats
    assert known.undecided == {"low_coverage": 1}
    assert (known.unmeasured, known.silent_meters, known.only_main_meter) == (1, 1, 1)
    assert known.turned_late == 1
    assert [line.enterprise.enterprise_id for line in found.repeated] == ["E2"]
    (top,) = found.top
    assert (top.enterprise.enterprise_id, top.avoidable_kwh, top.required_cut) == ("E2", 30.0, 0.5)
    assert (found.rebound.enterprises, found.rebound.kwh, found.rebound.high) == (1, 130.0, 1)
    assert found.rebound_why == ""


def test_nothing_judged_is_said_and_not_counted():
    found = assess(CITY, ALERT, [], Told(rebound_why="not_over"))
    assert found.caveats.undecided == {"not_judged": 4}
    assert (found.saved.enterprises, found.as_of, found.rebound) == (0, None, None)
    assert found.rebound_why == "not_over"
    assert found.all.complied_share is None
