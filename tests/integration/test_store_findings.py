import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from wattwitness.domain.episodes import Episode
from wattwitness.domain.facts import DayFact
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import day_bounds, to_us
from wattwitness.domain.leads import Lead, LeadLevel, Matter
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.spells import ConditionSpell
from wattwitness.domain.states import State, StateSpell, Thresholds
from wattwitness.domain.testability import Testability
from wattwitness.store import findings
from wattwitness.store.days import analysing, clear_dirty, take_dirty
from wattwitness.store.findings import DayResults
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

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
    assert list(await findings.load_spells(filled, "E1")) == [condition]
    counts = np.arange(256)
    await findings.replace_day_results(filled, "E1", {DAY: DayResults(histograms={"P": counts})})
    await findings.replace_day_results(filled, "E1", {DAY: results})  # which says nothing of them
    ((day, back),) = (await findings.load_histograms(filled, ["P"], DAY, NEXT))["P"]
    assert day == DAY
    np.testing.assert_array_equal(back, counts)


TESTABLE = Testability(
    enterprise_id="E1", kind="treatment_off", pairing_id="PR", testable=True, why=""
)
NOW = to_us(T0 + timedelta(days=400))  # wall clock, far from the data


async def replace_with(db, *episodes, until=None, leads=(), testable=(TESTABLE,), now=NOW):
    data_until = None if until is None else to_us(until)
    await findings.replace_findings(db, "E1", episodes, leads, testable, now, data_until)


async def trace(db):
    return [c.change for c in reversed(await findings.finding_changes(db, "E1"))]


async def test_ends_of_days_are_kept_for_a_while_and_told_until_the_day_changes(filled):
    def ended(day, *values):
        fact = DayFact(
            enterprise_id="E1",
            day=day,
            kind="day_end",
            subject="P",
            values=np.array(values, dtype=np.float32),
        )
        return DayResults(end=[fact])

    long_ago = DAY - timedelta(days=2)
    await findings.replace_day_results(
        filled, "E1", {long_ago: ended(long_ago, 9.0), DAY: ended(DAY, 1.5, math.nan)}, 7
    )
    asked = [long_ago, DAY, NEXT]
    kept = await findings.load_ends(filled, "E1", asked)
    assert sorted(kept) == [long_ago, DAY]
    np.testing.assert_array_equal(kept[DAY]["P"], np.float32([1.5, math.nan]))
    assert await findings.load_ends(filled, "E2", asked) == {}

    await findings.replace_day_results(filled, "E1", {NEXT: ended(NEXT, 2.0)}, 2)
    assert sorted(await findings.load_ends(filled, "E1", asked)) == [DAY, NEXT]

    keys = (await load_registry(filled)).circuit_keys
    late = empty_readings(1)
    late["circuit"], late["ts"], late["p_kw"] = keys["P"], to_us(T0), 3.0
    await write_batch(filled, IngestBatch(rows=late, from_gateways=False))
    assert sorted(await findings.load_ends(filled, "E1", asked)) == [NEXT]
    await clear_dirty(filled, await take_dirty(filled))
    assert sorted(await findings.load_ends(filled, "E1", asked)) == [DAY, NEXT]

    await findings.replace_day_results(filled, "E1", {DAY: DayResults()}, 7)
    assert sorted(await findings.load_ends(filled, "E1", asked)) == [NEXT]


async def test_findings_are_replaced_and_leave_a_trace(filled):
    await replace_with(filled, episode(), leads=[lead()])
    assert await findings.list_episodes(filled) == [episode()]
    assert await findings.list_testability(filled) == [TESTABLE]
    stored = await findings.get_lead(filled, lead().lead_id)
    assert stored == lead(rank=1)
    shorter = episode(to=T0 + timedelta(minutes=40))
    await replace_with(filled, shorter, leads=[lead(score=0.4)])
    await replace_with(filled, shorter, leads=[lead(score=0.4)])
    assert (await findings.list_leads(filled))[0].score == 0.4
    await replace_with(filled, testable=())
    assert await trace(filled) == ["appeared", "changed", "vanished"]
    assert await findings.list_episodes(filled) == []
    assert await findings.list_leads(filled) == []
    assert await findings.list_testability(filled) == []


async def test_an_episode_that_goes_on_is_no_change(filled):
    for minute in range(60):
        newest = T0 + timedelta(minutes=31 + minute)
        await replace_with(filled, episode(to=newest), until=newest)
    assert (await findings.list_episodes(filled))[0].to == newest
    assert await trace(filled) == ["appeared"]
    await replace_with(filled, episode(to=newest, suppressed_by="D"), until=newest)
    assert await trace(filled) == ["appeared", "changed"]


async def test_late_data_that_lengthen_what_was_over_are_a_change(filled):
    over = episode(to=T0 + timedelta(hours=1))
    await replace_with(filled, over, until=T0 + timedelta(hours=1))
    await replace_with(filled, over, until=T0 + timedelta(hours=9))
    await replace_with(filled, episode(to=T0 + timedelta(hours=3)), until=T0 + timedelta(hours=9))
    await replace_with(filled, over, until=T0 + timedelta(hours=9))
    assert await trace(filled) == ["appeared", "changed", "changed"]


async def test_times_of_the_trace_and_of_the_last_run_are_the_wall_clock_s(filled):
    assert (await findings.analysis_progress(filled)).last_analysed_us is None
    await replace_with(filled, episode(), until=T0)
    await replace_with(filled, episode(), until=T0, now=NOW + 1)
    (change,) = await findings.finding_changes(filled, "E1")
    assert (to_us(change.changed_at), change.data_until) == (NOW, T0)
    assert (await findings.analysis_progress(filled)).last_analysed_us == NOW + 1


async def test_what_did_not_change_is_not_written_again(filled):
    async def versions():
        async with filled.connection() as connection:
            return [
                await connection.fetch(f"SELECT xmin, ctid FROM {table} ORDER BY ctid")  # noqa: S608
                for table in ("episodes", "leads", "testability")
            ]

    next_day = episode(T0 + timedelta(days=1))
    await replace_with(filled, episode(), next_day, leads=[lead()])
    before = await versions()
    await replace_with(filled, episode(), next_day, leads=[lead()])
    assert await versions() == before
    await replace_with(filled, episode(), episode(T0 + timedelta(days=1), confidence=0.5))
    assert (await versions())[0][0] == before[0][0]
    assert [e.confidence for e in await findings.list_episodes(filled)] == [0.9, 0.5]


async def test_leads_are_ranked_among_all_whatever_is_asked_for(filled):
    await findings.replace_findings(filled, "E1", [], [lead(score=0.2)], [], to_us(T0))
    await findings.replace_findings(filled, "E2", [], [lead("E2", score=0.9)], [], to_us(T0))
    ranks = [(item.enterprise_id, item.rank) for item in await findings.list_leads(filled)]
    assert ranks == [("E2", 1), ("E1", 2)]
    only = await findings.list_leads(filled, enterprise_ids=["E1"])
    assert [item.rank for item in only] == [2]
    assert await findings.list_leads(filled, from_us_=to_us(T0 + timedelta(days=1))) == []


async def test_what_fails_half_way_leaves_nothing_in_its_session(filled):
    async def held():
        async with filled.connection() as connection:
            return await connection.fetchval(
                "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )

    async def fail():
        async with filled.connection() as connection:
            await connection.execute("SELECT pg_advisory_lock(4711)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await held() == 0
    async with analysing(filled, "E1") as free:
        assert free
        assert await held() == 1
    assert await held() == 0
