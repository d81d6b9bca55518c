"""Late courses through the real pipeline: each minute is judged by all that came."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from analytics.bench import Bench
from analytics.executors import InProcess
from analytics.pipeline import history_of
from analytics.results import PostgresResults
from analytics.running import analyse_range
from analytics.series import PostgresSeries
from analytics.verdicts.courses import course_span
from analytics.verdicts.judging import cases_of
from wattwitness.domain.courses import PIECE_US
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, to_us
from wattwitness.domain.readings import empty_readings
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
from wattwitness.domain.verdicts import VerdictCode
from wattwitness.store.courses import late_stand, moments_at
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

FIRST = datetime(2026, 11, 2, tzinfo=DEFAULT_ZONE)
DAYS, STEP_MIN, RESPONSE_DAY = 15, 5, 13
N = DAYS * 1440 // STEP_MIN
NAMES = ("STOP", "LIMIT")
PIECE = timedelta(microseconds=PIECE_US)


def at(day: float) -> datetime:
    return FIRST + timedelta(days=day)


def alert(lifted: float | None = None) -> Alert:
    return Alert(
        alert_id="HP-1",
        level=AlertLevel.RED,
        issued_at=at(RESPONSE_DAY - 1),
        response_from=at(RESPONSE_DAY + 0.3),
        lifted_at=None if lifted is None else at(lifted),
    )


def registry() -> Registry:
    return Registry(
        enterprises={e: Enterprise(enterprise_id=e, name=e) for e in NAMES},
        gateways={
            f"G-{e}": Gateway(gateway_id=f"G-{e}", enterprise_id=e, interval_s=STEP_MIN * 60)
            for e in NAMES
        },
        circuits={
            f"P-{e}": Circuit(
                circuit_id=f"P-{e}", gateway_id=f"G-{e}", channel="P", role=Role.PRODUCTION
            )
            for e in NAMES
        },
        measures=(
            Measure(enterprise_id="STOP", level=AlertLevel.RED, action=MeasureAction.STOP),
            Measure(
                enterprise_id="LIMIT", level=AlertLevel.RED, action=MeasureAction.LIMIT,
                limit_pct=50.0,
            ),
        ),
        alerts={"HP-1": alert()},
    )  # fmt: skip


def rows_of(key: int, share: float):
    minute = np.arange(N) * STEP_MIN
    cut = minute >= (RESPONSE_DAY + 0.3) * 1440
    kw = np.where((minute % 1440 >= 480) & (minute % 1440 < 1080), 50.0, 0.0)
    kw = np.where(cut, share * kw, kw)
    rows = empty_readings(N)
    rows["circuit"] = key
    rows["ts"] = to_us(FIRST) + minute * US_PER_MINUTE
    rows["p_kw"], rows["e_kwh"] = kw, np.cumsum(kw) * STEP_MIN / 60.0
    return rows


async def bench(db) -> Bench:
    return Bench(await load_registry(db), PostgresSeries(db), PostgresResults(db), InProcess())


async def analyse(db) -> None:
    await analyse_range(db, await bench(db), FIRST, at(DAYS), [], lambda _done, _all: None)


async def send(db, rows) -> None:
    await write_batch(db, IngestBatch(rows=rows, from_gateways=False))


async def digests(db, enterprise: str) -> dict[int, bytes]:
    return dict((await late_stand(db, enterprise, ["HP-1"])).pieces["HP-1"])


async def check(db) -> dict[tuple[str, int], VerdictCode]:
    """Every minute is what is said of it today; the words of all."""
    words = {}
    for enterprise in NAMES:
        history = await history_of(await bench(db), enterprise)
        assert history is not None
        (case,) = cases_of(history, [])
        first, last = course_span(case.plan, history.watermark_us)
        assert last > first
        for minute in range(first, last + 1, US_PER_MINUTE):
            moment = (await moments_at(db, "HP-1", minute, late=True))[enterprise]
            assert moment.minute_us == minute
            assert moment.verdict == replace(case.verdict(minute), measures=(), basis="")
            words[enterprise, minute] = moment.verdict.verdict
        after = await moments_at(db, "HP-1", last + PIECE_US, late=True)
        assert after[enterprise].minute_us == last, "nothing is said of what was not judged"
    return words


@pytest.fixture
async def filled(any_db):
    await save_registry(any_db, registry())
    return any_db


async def test_every_minute_is_judged_by_all_that_came(filled):
    keys = (await load_registry(filled)).circuit_keys
    rows = np.concatenate((rows_of(keys["P-STOP"], 1.0), rows_of(keys["P-LIMIT"], 0.5)))
    rows = rows[rows["ts"] < to_us(at(RESPONSE_DAY + 0.8))]
    late = (rows["ts"] >= to_us(at(13.45))) & (rows["ts"] < to_us(at(13.6)))
    first = ~late & (rows["ts"] < to_us(at(RESPONSE_DAY + 0.7)))
    await send(filled, rows[first])
    await analyse(filled)
    before = await check(filled)
    judged = await digests(filled, "STOP")

    await send(filled, rows[~late & ~first])  # time goes on: what was judged holds
    await analyse(filled)
    known = await check(filled)
    again = await digests(filled, "STOP")
    assert len(again) > len(judged)
    whole = [us for us in judged if us + 2 * PIECE_US < to_us(at(RESPONSE_DAY + 0.7))]
    assert len(whole) > 10
    assert [again[us] for us in whole] == [judged[us] for us in whole]
    assert {key: known[key] for key in before if key[1] < max(whole)} == {
        key: word for key, word in before.items() if key[1] < max(whole)
    }

    await send(filled, rows[late])  # what was held back: judged again from there on
    await analyse(filled)
    found = await check(filled)
    assert {known[key] for key in known if found[key] is not known[key]}
    third = await digests(filled, "STOP")
    held = [us for us in again if us + 2 * PIECE_US < to_us(at(13.45))]
    assert [third[us] for us in held] == [again[us] for us in held]
    assert all(third[us] != again[us] for us in again if us >= to_us(at(13.45)))

    await analyse(filled)  # again: nothing changes
    assert await digests(filled, "STOP") == third


async def test_a_lift_ends_the_course_and_moves_nothing_before_it(filled):
    keys = (await load_registry(filled)).circuit_keys
    rows = np.concatenate((rows_of(keys["P-STOP"], 0.0), rows_of(keys["P-LIMIT"], 1.0)))
    await send(filled, rows[rows["ts"] < to_us(at(RESPONSE_DAY + 0.8))])
    await analyse(filled)
    judged = await digests(filled, "LIMIT")
    lift = at(RESPONSE_DAY + 0.6) + timedelta(seconds=30)
    await save_registry(filled, Registry(alerts={"HP-1": replace(alert(), lifted_at=lift)}))
    await analyse(filled)
    words = await check(filled)
    assert max(us for _, us in words) == to_us(lift) + 30_000_000
    lifted = await digests(filled, "LIMIT")
    held = [us for us in lifted if us + PIECE_US < to_us(lift)]
    assert len(held) > 10
    assert [lifted[us] for us in held] == [judged[us] for us in held]
    async with filled.connection() as connection:
        await connection.execute("DELETE FROM verdict_courses WHERE late")
    await analyse(filled)
    assert await digests(filled, "LIMIT") == lifted, "a lifted alert has its course, too"
    async with filled.connection() as connection:
        await connection.execute("DELETE FROM verdict_courses WHERE late")
        await connection.execute("UPDATE retention SET courses_from = $1", lift + PIECE)
    await analyse(filled)
    assert (await late_stand(filled, "LIMIT", ["HP-1"])).pieces == {}, "past keeping"
