"""Verdicts in a real PostgreSQL: which one holds, how they turned, and who is told."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Enterprise,
    MeasureAction,
    Registry,
)
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode
from wattwitness.store.courses import moments_at
from wattwitness.store.findings import replace_findings
from wattwitness.store.registry import save_registry
from wattwitness.store.verdicts import (
    judged_until,
    list_verdict_changes,
    list_verdicts,
    listen_verdicts,
    save_live_verdicts,
)

T0 = datetime(2026, 1, 5, 2, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
COMPLIED, PARTIAL, VIOLATED = VerdictCode.COMPLIED, VerdictCode.PARTIAL, VerdictCode.VIOLATED


@pytest.fixture
async def filled(any_db):
    await save_registry(
        any_db,
        Registry(
            enterprises={e: Enterprise(enterprise_id=e, name=e) for e in ("E1", "E2")},
            alerts={
                a: Alert(
                    alert_id=a,
                    level=AlertLevel.ORANGE,
                    issued_at=T0 - 24 * HOUR,
                    response_from=T0 + n * 24 * HOUR,
                )
                for n, a in enumerate(("A1", "A2"))
            },
        ),
    )
    return any_db


def measure(**changes):
    values = {
        "action": MeasureAction.LIMIT,
        "scope": ("*",),
        "level": AlertLevel.ORANGE,
        "circuits": ("C1", "C2"),
        "verdict": PARTIAL,
        "confidence": 0.9,
        "from_": T0 + 2 * HOUR,
        "to": T0 + 3 * HOUR,
        "running_minutes": None,
        "allowed_minutes": None,
        "usual_minutes": None,
        "energy_kwh": 12.5,
        "baseline_kwh": 20.0,
        "interval_kwh": (18.0, 22.0),
        "missed_share": 0.25,
        "coverage": 1.0,
        "why": ("few_like_days",),
    }
    return MeasureVerdict(**{**values, **changes})


def verdict(word=PARTIAL, hours=3.0, **changes):
    values = {
        "alert_id": "A1",
        "enterprise_id": "E1",
        "level": AlertLevel.ORANGE,
        "verdict": word,
        "confidence": 0.9,
        "as_of": T0 + hours * HOUR,
        "measures": (measure(verdict=word),),
        "now_kw": 12.0,
        "grace_until": T0 + 2 * HOUR,
        "notes": ("shifted_before",),
        "rule_version": "1",
        "basis": "b1",
    }
    return Verdict(**{**values, **changes})


async def analysed(db, *verdicts, at=T0, rejudged=None, enterprise="E1"):
    await replace_findings(
        db, enterprise, [], [], [], to_us(at), None, (), verdicts, rejudged or {}
    )


async def words(db, alert_id="A1"):
    """(before, after, cause) of the turns, oldest first."""
    found = await list_verdict_changes(db, alert_id)
    return [(c.before, c.after, c.cause) for c in reversed(found)]


async def test_what_is_stored_comes_back(filled):
    said = verdict(), verdict(alert_id="A2", hours=26)
    await analysed(filled, *said)
    assert await list_verdicts(filled) == list(said)
    assert await list_verdicts(filled, "A2") == [said[1]]
    assert await list_verdicts(filled, enterprise_ids=["E2"]) == []
    until = to_us(T0 + 10 * HOUR)
    assert await list_verdicts(filled, to_us_=until) == [said[0]]
    assert await list_verdicts(filled, from_us_=until) == [said[1]]
    assert await judged_until(filled, "E1") == {v.alert_id: v.as_of for v in said}


async def test_only_turns_of_the_word_are_traced(filled):
    await analysed(filled, verdict(hours=3))
    await analysed(filled, verdict(hours=4, confidence=0.95))
    await analysed(filled, verdict(VIOLATED, hours=5))
    await analysed(filled, verdict(VIOLATED, hours=5))
    assert await words(filled) == [(None, PARTIAL, "time"), (PARTIAL, VIOLATED, "time")]


async def test_late_data_and_a_changed_registry_are_told_apart(filled):
    await analysed(filled, verdict(COMPLIED, hours=3), at=T0 + 3 * HOUR)
    again = {"A1": (T0 + 3 * HOUR, PARTIAL)}  # today's data say so of what was judged then
    await analysed(filled, verdict(PARTIAL, hours=4), at=T0 + 4 * HOUR, rejudged=again)
    same = {"A1": (T0 + 4 * HOUR, PARTIAL)}
    await analysed(filled, verdict(VIOLATED, hours=6), at=T0 + 6 * HOUR, rejudged=same)
    await analysed(filled, verdict(PARTIAL, hours=6), at=T0 + 7 * HOUR)  # the same instant
    await analysed(filled, verdict(COMPLIED, hours=5, basis="b2"), at=T0 + 8 * HOUR)
    assert await words(filled) == [
        (None, COMPLIED, "time"),
        (COMPLIED, PARTIAL, "late_data"),
        (PARTIAL, VIOLATED, "time"),
        (VIOLATED, PARTIAL, "late_data"),
        (PARTIAL, COMPLIED, "registry"),
    ]


async def flicker(db, said, minutes):
    """A word a minute, in turn; (before, after, cause, turns) of the rows, oldest first."""
    for n in range(minutes):
        word = said[n % len(said)]
        at = T0 + (3 + n / 60) * HOUR
        await save_live_verdicts(db, [verdict(word, hours=3 + n / 60)], at)
    found = await list_verdict_changes(db, "A1")
    return [(c.before, c.after, c.cause, c.turns) for c in reversed(found)]


async def test_a_word_that_goes_back_and_forth_is_one_row(filled):
    assert await flicker(filled, (PARTIAL, VIOLATED), 300) == [
        (None, PARTIAL, "time", 1),
        (PARTIAL, VIOLATED, "time", 299),
    ]
    (last, _) = await list_verdict_changes(filled, "A1")
    assert (last.since, last.changed_at) == (T0 + 181 * MINUTE, T0 + 479 * MINUTE)
    at = T0 + 9 * HOUR  # an hour later that is news again
    await save_live_verdicts(filled, [verdict(PARTIAL, hours=9)], at)
    assert (await words(filled))[-1] == (VIOLATED, PARTIAL, "time")


async def test_words_that_go_around_are_as_many_rows_as_words(filled):
    found = await flicker(filled, (PARTIAL, VIOLATED, COMPLIED), 300)
    assert [(before, turns) for before, _, _, turns in found] == [
        (None, 1),
        (PARTIAL, 1),
        (VIOLATED, 298),
    ]


async def test_what_late_data_turned_is_never_lost_in_a_flicker(filled):
    await flicker(filled, (PARTIAL, VIOLATED), 10)
    late = verdict(COMPLIED, hours=3.1)  # judged up to an instant that was judged before
    await analysed(filled, late, at=T0 + 190 * MINUTE)
    await save_live_verdicts(filled, [verdict(VIOLATED, hours=3.3)], T0 + 191 * MINUTE)
    assert await words(filled) == [
        (None, PARTIAL, "time"),
        (PARTIAL, VIOLATED, "time"),
    ]
    assert (await list_verdicts(filled))[0].verdict is VIOLATED
    same = replace(late, as_of=T0 + 3.3 * HOUR)
    await analysed(filled, same, at=T0 + 192 * MINUTE)
    await save_live_verdicts(filled, [verdict(VIOLATED, hours=3.5)], T0 + 193 * MINUTE)
    found = await list_verdict_changes(filled, "A1")
    assert [(c.before, c.after, c.cause) for c in found[:1]] == [(VIOLATED, VIOLATED, "late_data")]


async def test_the_newest_holds_and_of_equals_the_analysis(filled):
    await analysed(filled, verdict(COMPLIED, hours=3))
    await save_live_verdicts(filled, [verdict(VIOLATED, hours=3)], T0)
    assert (await list_verdicts(filled))[0].verdict is COMPLIED
    live = verdict(VIOLATED, hours=4), verdict(PARTIAL, enterprise_id="E2")
    await save_live_verdicts(filled, [*live, verdict(enterprise_id="nobody")], T0)
    assert await list_verdicts(filled) == list(live)
    await analysed(filled, verdict(COMPLIED, hours=3.5))
    assert (await list_verdicts(filled))[0] == live[0]
    await analysed(filled, verdict(COMPLIED, hours=4))
    assert (await list_verdicts(filled))[0].verdict is COMPLIED


async def test_a_lift_takes_back_what_came_after_it(filled):
    await save_live_verdicts(filled, [verdict(VIOLATED, hours=9)], T0)
    lifted = verdict(COMPLIED, hours=6, basis="lifted")
    await save_live_verdicts(filled, [lifted], T0)
    assert await list_verdicts(filled) == [lifted]


async def test_an_alert_that_no_longer_concerns_is_withdrawn(filled):
    await analysed(filled, verdict(), at=T0)
    await analysed(filled, at=T0 + HOUR)
    assert await list_verdicts(filled) == []
    assert await moments_at(filled, "A1", to_us(T0 + HOUR)) == {}
    assert list(await moments_at(filled, "A1", to_us(T0))) == ["E1"]


async def test_who_listens_is_told_of_what_was_written(filled):
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listen():
        async for alert_id in listen_verdicts(filled):
            heard.put_nowait(alert_id)

    task = asyncio.create_task(listen())
    try:
        hours = 3.0
        while heard.empty():  # until the listener is connected
            await analysed(filled, verdict(hours=hours))
            hours += 1.0
            await asyncio.sleep(0.05)
        assert await asyncio.wait_for(heard.get(), 30) == "A1"
        while not heard.empty():
            heard.get_nowait()
        await save_live_verdicts(filled, [verdict(alert_id="A2", hours=30)], T0)
        told = set()
        while "A2" not in told:
            told.add(await asyncio.wait_for(heard.get(), 30))
        assert told <= {"A1", "A2"}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
