import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import day_bounds, to_us
from wattwitness.domain.leads import Lead, LeadLevel, Matter
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.spells import ConditionSpell
from wattwitness.domain.states import State, StateSpell, Thresholds
from wattwitness.domain.testability import Testability
from wattwitness.store import findings
from wattwitness.store.findings import DayResults
from wattwitness.store.registry import save_registry

DAY, NEXT = date(2026, 1, 5), date(2026, 1, 6)
MIDNIGHT = day_bounds(DAY)[1]
T0 = datetime(2026, 1, 5, 2, tzinfo=UTC)


@pytest.fixture
async def filled(db):
    await save_registry(
        db,
        Registry(
            enterprises={e: Enterprise(enterprise_id=e, name=e) for e in ("E1", "E2")},
            gateways={
                "G1": Gateway(gateway_id="G1", enterprise_id="E1"),
                "G2": Gateway(gateway_id="G2", enterprise_id="E2"),
            },
            circuits={
                "P": Circuit(circuit_id="P", gateway_id="G1", channel="P", role=Role.PRODUCTION)
            },
        ),
    )
    return db


def spell(start, end, state=State.RUNNING):
    return StateSpell(circuit_id="P", from_=start, to=end, state=state)


def episode(start=T0, **changes):
    values = {
        "enterprise_id": "E1",
        "kind": "treatment_off",
        "from_": start,
        "to": start + timedelta(hours=1),
        "detected_at": start + timedelta(minutes=30),
        "circuits": ("P",),
        "pairing_id": "PR",
        "confidence": 0.9,
        "evidence": {"production_power": {"value": 81.25, "unit": "kW"}},
        "rule_version": "1",
    }
    return Episode(**{**values, **changes})


def lead(enterprise="E1", score=0.5, **changes):
    values = {
        "enterprise_id": enterprise,
        "matter": Matter.TREATMENT,
        "score": score,
        "confidence": 0.8,
        "level": LeadLevel.HIGH,
        "kinds": ("treatment_off",),
        "from_": T0,
        "to": T0 + timedelta(hours=1),
        "episodes": ("E-1",),
        "reason": {"zh": "治污未运行", "en": "treatment was off"},
        "doubts": ({"zh": "电表更换？", "en": "meter swapped?"},),
    }
    return Lead(**{**values, **changes})


async def test_states_are_joined_across_midnight_and_replaced_by_day(filled):
    first = DayResults(states=[spell(T0, MIDNIGHT)])
    second = DayResults(states=[spell(MIDNIGHT, MIDNIGHT + timedelta(hours=2))])
    await findings.replace_day_results(filled, "E1", {DAY: first, NEXT: second})
    span = (to_us(T0), to_us(MIDNIGHT + timedelta(days=1)))
    joined = await findings.list_states(filled, ["P"], *span)
    assert joined == [spell(T0, MIDNIGHT + timedelta(hours=2))]
    changed = DayResults(states=[spell(T0, MIDNIGHT, State.OFF)])
    await findings.replace_day_results(filled, "E1", {DAY: changed})
    assert [s.state for s in await findings.list_states(filled, None, *span)] == [
        State.OFF,
        State.RUNNING,
    ]


async def test_quality_thresholds_spells_histograms_come_back(filled):
    quality = DayQuality(circuit_id="P", day=DAY, expected=96, received=95, valid=94, in_time=None)
    levels = Thresholds(
        standby_kw=math.nan,
        standby_release_kw=math.nan,
        running_kw=40.0,
        running_release_kw=38.0,
        running_level_kw=81.0,
        basis="learned",
    )
    condition = ConditionSpell(
        enterprise_id="E1",
        kind="treatment_off",
        subject="PR",
        from_=T0,
        to=MIDNIGHT,
        sums={"known_min": 40.0},
    )
    results = DayResults(quality=[quality], thresholds={"P": levels}, spells=[condition])
    await findings.replace_day_results(filled, "E1", {DAY: results})
    assert await findings.list_quality(filled, ["P"], DAY, DAY) == [quality]
    loaded = (await findings.load_thresholds(filled, ["P"], DAY, DAY))["P", DAY]
    assert math.isnan(loaded.standby_kw)
    assert loaded.running_kw == 40.0
    assert await findings.load_spells(filled, "E1") == [condition]
    counts = np.arange(256)
    await findings.save_histograms(filled, DAY, {"P": counts})
    ((day, back),) = (await findings.load_histograms(filled, ["P"], DAY, NEXT))["P"]
    assert day == DAY
    np.testing.assert_array_equal(back, counts)


async def test_findings_are_replaced_and_leave_a_trace(filled):
    testable = [
        Testability(
            enterprise_id="E1", kind="treatment_off", pairing_id="PR", testable=True, why=""
        )
    ]
    await findings.replace_findings(filled, "E1", [episode()], [lead()], testable, to_us(T0))
    assert await findings.list_episodes(filled) == [episode()]
    assert await findings.list_testability(filled) == testable
    stored = await findings.get_lead(filled, lead().lead_id)
    assert stored == lead(rank=1)
    later = episode(to=T0 + timedelta(hours=3))
    await findings.replace_findings(filled, "E1", [later], [lead()], testable, to_us(T0))
    await findings.replace_findings(filled, "E1", [later], [lead()], testable, to_us(T0))
    await findings.replace_findings(filled, "E1", [], [], testable, to_us(T0))
    changes = [c.change for c in await findings.finding_changes(filled, "E1")]
    assert changes == ["vanished", "changed", "appeared"]
    assert (await findings.analysis_progress(filled)).last_analysed_us == to_us(T0)


async def test_leads_are_ranked_among_all_whatever_is_asked_for(filled):
    await findings.replace_findings(filled, "E1", [], [lead(score=0.2)], [], to_us(T0))
    await findings.replace_findings(filled, "E2", [], [lead("E2", score=0.9)], [], to_us(T0))
    ranks = [(item.enterprise_id, item.rank) for item in await findings.list_leads(filled)]
    assert ranks == [("E2", 1), ("E1", 2)]
    only = await findings.list_leads(filled, enterprise_ids=["E1"])
    assert [item.rank for item in only] == [2]
    assert await findings.list_leads(filled, from_us_=to_us(T0 + timedelta(days=1))) == []
