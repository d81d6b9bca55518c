"""Courses in real databases: what a board showed at each minute, and the order of what is kept."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from wattwitness.domain.courses import PIECE_US, Moment, Piece
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_MINUTE, from_us, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    Registry,
    Role,
)
from wattwitness.domain.verdicts import Verdict, VerdictCode
from wattwitness.store.courses import late_stand, moments_at, save_late
from wattwitness.store.latest import last_heard
from wattwitness.store.maintenance import maintain
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.retention import Retention
from wattwitness.store.verdicts import (
    list_verdict_changes,
    list_verdicts,
    replace_verdicts,
    save_live_verdicts,
)

T0 = datetime(2026, 1, 5, 2, tzinfo=UTC)
T0_US = to_us(T0)
LIFT = T0 + timedelta(hours=12)
NAMES = ("E1", "E2", "E3")
CITY = Registry(
    enterprises={e: Enterprise(enterprise_id=e, name=e) for e in NAMES},
    gateways={f"G-{e}": Gateway(gateway_id=f"G-{e}", enterprise_id=e) for e in NAMES},
    circuits={
        f"P-{e}": Circuit(circuit_id=f"P-{e}", gateway_id=f"G-{e}", channel="P",
                          role=Role.PRODUCTION)
        for e in NAMES
    },
    alerts={
        "A1": Alert(alert_id="A1", level=AlertLevel.RED, issued_at=T0, response_from=T0,
                    lifted_at=LIFT)
    },
)  # fmt: skip
WORDS = list(VerdictCode)


@pytest.fixture
async def city(any_db):
    await save_registry(any_db, CITY)
    return any_db


def verdict(enterprise_id: str, at: datetime, **changes) -> Verdict:
    head = Verdict(
        alert_id="A1", enterprise_id=enterprise_id, level=AlertLevel.RED,
        verdict=VerdictCode.PARTIAL, confidence=0.54738, as_of=at, now_kw=12.35, baseline_kw=100.0,
        required_kw=None, grace_until=T0 + timedelta(hours=2), why=("few_like_days",),
        notes=("shifted_before",), rule_version="1", basis="b1",
    )  # fmt: skip
    return replace(head, **changes)


def by_chance(rng: random.Random, enterprise: str, at: datetime) -> Verdict:
    return verdict(
        enterprise,
        at - timedelta(seconds=rng.randrange(90), microseconds=rng.randrange(10**6)),
        verdict=rng.choice(WORDS),
        confidence=rng.random(),
        now_kw=None if rng.random() < 0.2 else round(rng.uniform(0, 9000), 2),
        required_kw=round(rng.uniform(0, 50), 2),
        why=tuple(rng.sample(("grace", "low_coverage", "wide_interval"), rng.randrange(3))),
        grace_until=rng.choice((None, T0)),
    )


async def hear(db, enterprise: str, at: datetime) -> None:
    rows = empty_readings(1)
    rows["circuit"] = (await load_registry(db)).circuit_keys[f"P-{enterprise}"]
    rows["ts"], rows["received_at"], rows["p_kw"] = to_us(at), to_us(at) + 1_500_000, 5.0
    await write_batch(db, IngestBatch(rows=rows))


async def judge_now(db, rng: random.Random, at: datetime, shown: dict) -> None:
    """Some verdicts and readings; `shown` follows what the tables hold."""
    if rng.random() < 0.5:
        await hear(db, rng.choice(NAMES), at - timedelta(seconds=9))
    await save_live_verdicts(db, [by_chance(rng, e, at) for e in NAMES if rng.random() < 0.6], at)
    heard = await last_heard(db)
    for v in await list_verdicts(db, "A1"):
        if shown.get(v.enterprise_id, (None,))[0] != v:
            shown[v.enterprise_id] = v, heard.get(v.enterprise_id)


async def test_each_minute_is_what_the_tables_held_when_it_ended(city):
    rng = random.Random(7)
    minutes, shown = [{}], {}
    for minute in range(1, 100):
        seconds = [] if 40 <= minute < 60 else sorted(rng.sample(range(1, 60), rng.randrange(4)))
        for second in seconds:
            await judge_now(city, rng, T0 + timedelta(minutes=minute - 1, seconds=second), shown)
        minutes.append(dict(shown))
    for minute, held in enumerate(minutes):
        found = await moments_at(city, "A1", T0_US + minute * US_PER_MINUTE)
        assert {e: (m.verdict, m.heard_us) for e, m in found.items()} == {
            e: (replace(v, measures=()), 0 if heard is None else to_us(heard))
            for e, (v, heard) in held.items()
        }
        if 40 <= minute < 60:
            newest = max(moment.minute_us for moment in found.values())
            assert newest < T0_US + 40 * US_PER_MINUTE, "a hole is one"
    assert len({v.verdict for held in minutes for v, _ in held.values()}) == len(WORDS)


async def test_a_day_of_an_enterprise_is_small_whatever_it_does(city):
    for second in range(0, 3600, 10):  # a verdict every ten seconds
        at = T0 + timedelta(seconds=second)
        await save_live_verdicts(city, [verdict("E1", at, confidence=second / 3600)], at)
    async with city.connection() as connection:
        sizes = await connection.fetch(
            "SELECT length(entries) AS n, cardinality(words) AS words FROM verdict_courses"
        )
    assert sum(row["n"] for row in sizes) == 61 * 39
    assert {row["words"] for row in sizes} == {1}


def pieces(first: int, last: int, digest: bytes = b"d") -> list[Piece]:
    return [
        Piece(
            begins_us=T0_US + n * PIECE_US,
            rests_on=digest,
            moments=[
                Moment(
                    minute_us=(at := T0_US + n * PIECE_US + k * US_PER_MINUTE),
                    verdict=verdict("E1", from_us(at), confidence=k / 100),
                    heard_us=at - 1,
                )
                for k in range(30)
            ],
        )
        for n in range(first, last)
    ]


async def test_late_courses_are_replaced_piece_by_piece(city):
    await save_late(city, "E1", "A1", [], pieces(0, 4))
    stand = await late_stand(city, "E1", ["A1", "A2"])
    assert stand.since is None
    assert stand.pieces == {"A1": {T0_US + n * PIECE_US: b"d" for n in range(4)}}
    await save_late(city, "E1", "A1", [T0_US], pieces(2, 3, b"e"))
    stand = await late_stand(city, "E1", ["A1"])
    assert stand.pieces == {"A1": {T0_US: b"d", T0_US + 2 * PIECE_US: b"e"}}
    at = T0_US + 2 * PIECE_US + 7 * US_PER_MINUTE
    (found,) = (await moments_at(city, "A1", at, late=True)).values()
    assert found == pieces(2, 3)[0].moments[7]
    assert await moments_at(city, "A1", at) == {}, "nothing was known then"
    hole = T0_US + PIECE_US + US_PER_MINUTE
    (before,) = (await moments_at(city, "A1", hole, late=True)).values()
    assert before.minute_us == T0_US + 29 * US_PER_MINUTE


async def test_what_no_longer_concerns_has_no_late_course(city):
    await save_live_verdicts(city, [verdict("E1", T0)], T0)
    await save_late(city, "E1", "A1", [], pieces(0, 2))
    async with city.transaction() as connection:
        key = await connection.fetchval(
            "SELECT enterprise_key FROM enterprises WHERE enterprise_id = 'E1'"
        )
        await replace_verdicts(connection, key, [], T0 + timedelta(hours=1))
    assert await moments_at(city, "A1", T0_US, late=True) == {}
    assert list(await moments_at(city, "A1", T0_US)) == ["E1"], "what was said then was said"
    assert await moments_at(city, "A1", T0_US + 60 * US_PER_MINUTE) == {}


async def test_courses_and_turns_go_with_their_alert(city):
    await save_live_verdicts(city, [verdict("E1", T0)], T0)
    await save_late(city, "E1", "A1", [], pieces(0, 1))
    keep = Retention(courses_days=30)
    assert not (await maintain(city, LIFT + timedelta(days=29), keep)).failed
    assert len(await list_verdict_changes(city, "A1")) == 1
    report = await maintain(city, LIFT + timedelta(days=32), keep)
    forgotten = {step.object: step.rows_before for step in report.steps if step.step == "forget"}
    assert forgotten == {"verdict_courses": 2, "verdict_changes": 1}
    assert await list_verdict_changes(city, "A1") == []
    assert len(await list_verdicts(city, "A1")) == 1, "the word itself stays"
    since = (await late_stand(city, "E1", ["A1"])).since
    assert since is not None
    assert since > LIFT, "and is not judged again"


async def test_turns_of_a_database_from_before_become_its_courses(fresh_database):
    from wattwitness.store.database import Database  # noqa: PLC0415
    from wattwitness.store.migrations import load_migrations, upgrade  # noqa: PLC0415

    async with await Database.open(await fresh_database("plain"), application="tests") as db:
        await upgrade(db)
        await save_registry(db, CITY)
        said = [verdict("E1", T0 + timedelta(minutes=n), confidence=n / 90) for n in (5, 6, 50)]
        for n, one in enumerate(said):
            await save_live_verdicts(
                db, [replace(one, verdict=WORDS[n])], one.as_of + timedelta(seconds=20)
            )
        (step,) = [s for s in load_migrations(db.mode) if s.name == "courses"]
        copy = step.sql[step.sql.index("INSERT INTO verdict_courses") :]
        before = [await moments_at(db, "A1", T0_US + m * US_PER_MINUTE) for m in range(60)]
        async with db.connection() as connection:
            await connection.execute("TRUNCATE verdict_courses")
            await connection.execute(copy)
        after = [await moments_at(db, "A1", T0_US + m * US_PER_MINUTE) for m in range(60)]

        def told(found):
            return [{e: (m.minute_us, m.verdict) for e, m in minute.items()} for minute in found]

        assert told(after) == told(before)
        assert np.count_nonzero([bool(minute) for minute in after]) == 54
