"""The board over the API: rows, a past minute, verdicts, the usual use, and the stream."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import httpx
import numpy as np
import pytest

from dashboards import board_live, board_reading
from dashboards.app import create_app
from dashboards.board import Wish
from dashboards.board_live import Boards
from dashboards.board_reading import Known
from dashboards.desk import Desk
from dashboards.guard import LOOPBACK
from wattwitness.domain.courses import PIECE_US, Moment, Piece
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, day_bounds, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode
from wattwitness.store.courses import save_late
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.verdicts import replace_verdicts, save_live_verdicts

T0 = datetime(2026, 11, 22, 4, tzinfo=UTC)
NOW = T0 + timedelta(hours=5)
MINUTE = timedelta(minutes=1)
LIKE = (date(2026, 11, 10), date(2026, 11, 11), date(2026, 11, 12))
CITY = Registry(
    enterprises={
        e: Enterprise(enterprise_id=e, name=f"plant {e}", district=d, industry=i)
        for e, d, i in (("E1", "north", "steel"), ("E2", "north", "glass"), ("E3", "south", ""))
    },
    gateways={"G1": Gateway(gateway_id="G1", enterprise_id="E1")},
    circuits={
        "P1": Circuit(circuit_id="P1", gateway_id="G1", channel="P1", role=Role.PRODUCTION)
    },
    alerts={
        "A1": Alert(
            alert_id="A1", level=AlertLevel.RED, issued_at=T0 - timedelta(days=1),
            response_from=T0,
        )
    },
)  # fmt: skip


def verdict(enterprise_id: str, code: VerdictCode = VerdictCode.VIOLATED, **changes) -> Verdict:
    measure = MeasureVerdict(
        action=MeasureAction.STOP, scope=("*",), level=AlertLevel.RED, circuits=("P1",),
        verdict=code, confidence=0.9, from_=T0 + timedelta(hours=2), to=NOW, running_minutes=170.0,
        allowed_minutes=20.0, usual_minutes=175.0, energy_kwh=None, baseline_kwh=None,
        interval_kwh=None, missed_share=None, coverage=1.0, like_days=3, compared_days=LIKE,
    )  # fmt: skip
    head = Verdict(
        alert_id="A1", enterprise_id=enterprise_id, level=AlertLevel.RED, verdict=code,
        confidence=0.9, as_of=NOW, measures=(measure,), now_kw=90.0, baseline_kw=100.0,
        required_kw=0.0, basis="b",
    )  # fmt: skip
    return replace(head, **changes)


@pytest.fixture
async def desk(db):
    await save_registry(db, CITY)
    await save_live_verdicts(
        db, [verdict("E1"), verdict("E2", VerdictCode.COMPLIED, now_kw=1.0)], NOW
    )
    return Desk(db, DEFAULT_ZONE, now_us=lambda: to_us(NOW))


@pytest.fixture
async def client(desk):
    app = create_app(desk, LOOPBACK)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 999))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as found:
        yield found


async def test_rows_by_what_to_do_first_with_figures(client):
    answer = (await client.get("/api/v1/board/A1")).json()
    assert [row["enterprise_id"] for row in answer["rows"]] == ["E1", "E3", "E2"]
    assert answer["to_call"] == {"rows": 1, "kw": 81.0}
    assert answer["counts"]["insufficient_data"] == 1, "nobody has judged E3"
    first = answer["rows"][0]
    assert (first["required_cut"], first["achieved_cut"]) == (1.0, 0.1)
    assert (first["standing"], first["group"], first["as_of"]) == (
        "violated", "call", "2026-11-22T09:00:00Z",
    )  # fmt: skip


async def test_filters_narrow_rows_and_figures(client):
    async def ids(**query):
        answer = (await client.get("/api/v1/board/A1", params=query)).json()
        return [row["enterprise_id"] for row in answer["rows"]], sum(answer["counts"].values())

    assert await ids(district="north") == (["E1", "E2"], 2)
    assert await ids(industry="glass") == (["E2"], 1)
    assert await ids(standing="complied") == (["E2"], 3)
    assert await ids(grade="A") == ([], 0)


async def past(client, at, knowledge="then"):
    query = {"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "knowledge": knowledge}
    rows = (await client.get("/api/v1/board/A1", params=query)).json()["rows"]
    return {row["enterprise_id"]: row for row in rows}


async def test_a_past_minute_as_it_was_known(client, db):
    now = {
        row["enterprise_id"]: row for row in (await client.get("/api/v1/board/A1")).json()["rows"]
    }
    turned = verdict("E1", VerdictCode.COMPLIED, as_of=NOW + MINUTE, now_kw=3.0)
    await save_live_verdicts(db, [turned], NOW + MINUTE)
    assert (await past(client, NOW - MINUTE))["E1"]["why"] == ["not_judged"]
    assert await past(client, NOW) == now, "the row as it stood, with all its numbers"
    assert await past(client, NOW + 59 * MINUTE / 60) == now
    assert (await past(client, NOW + MINUTE))["E1"]["now_kw"] == 3.0
    hole = (await past(client, NOW + 10 * MINUTE))["E1"]
    assert (hole["standing"], hole["now_kw"]) == ("complied", None), "the word stood, no more"
    assert hole["notes"] == ["not_judged_then"]


async def test_a_past_minute_with_late_data(client, db):
    said = [
        Moment(
            minute_us=to_us(at),
            verdict=verdict("E1", VerdictCode.PARTIAL, as_of=at, now_kw=float(n)),
            heard_us=to_us(at - MINUTE),
        )
        for n, at in enumerate((NOW - 2 * MINUTE, NOW - MINUTE))
    ]
    begins = to_us(NOW) // PIECE_US * PIECE_US - PIECE_US
    await save_late(db, "E1", "A1", [], [Piece(begins_us=begins, rests_on=b"", moments=said)])
    row = (await past(client, NOW - MINUTE, "late"))["E1"]
    assert (row["standing"], row["now_kw"], row["heard_at"]) == (
        "partial", 1.0, f"{NOW - 2 * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
    )  # fmt: skip
    assert (await past(client, NOW - 2 * MINUTE, "late"))["E1"]["now_kw"] == 0.0
    assert (await past(client, NOW, "late"))["E1"]["why"] == ["not_judged"], "not looked at yet"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/board/none", 404),
        ("/api/v1/board/none/stream", 404),
        ("/api/v1/board/A1?at=yesterday", 422),
        ("/api/v1/board/A1?at=2026-11-22T04:00:00Z&knowledge=all", 422),
        ("/api/v1/board/A1/usual/none", 404),
        ("/api/v1/board/none/usual/E1", 404),
        ("/api/v1/verdicts?from=yesterday", 422),
        ("/board/none", 404),
        ("/board/none/replay", 404),
    ],
)
async def test_what_is_not_there_is_refused_in_one_shape(client, path, status):
    answer = await client.get(path)
    assert answer.status_code == status
    if path.startswith("/api"):
        assert set(answer.json()["error"]) == {"code", "message", "detail"}


async def test_verdicts_are_the_contract_s_records(client):
    found = (await client.get("/api/v1/verdicts?alert_id=A1&enterprise_id=E1")).json()
    assert list(found[0])[:6] == [
        "alert_id", "enterprise_id", "verdict", "confidence", "as_of", "measures",
    ]  # fmt: skip
    assert list(found[0]["measures"][0])[:3] == ["action", "scope", "verdict"]
    answer = await client.get("/api/v1/verdicts?limit=1")
    assert (len(answer.json()), answer.headers["x-total-count"]) == (1, "2")


async def test_the_usual_use_is_that_of_the_like_days(client, db):
    known = await load_registry(db)
    for day, kw in zip(LIKE, (100.0, 110.0, 150.0), strict=True):
        start, end = (to_us(edge) for edge in day_bounds(day, DEFAULT_ZONE))
        ts = np.arange(start, end, US_PER_MINUTE)
        rows = empty_readings(len(ts))
        rows["circuit"], rows["ts"], rows["received_at"] = known.circuit_keys["P1"], ts, ts
        rows["p_kw"] = np.where(ts < start + 12 * 60 * US_PER_MINUTE, kw, 2.0)
        await write_batch(db, IngestBatch(rows=rows))
    found = (await client.get("/api/v1/board/A1/usual/E1")).json()["P1"]
    assert found["days"] == [day.isoformat() for day in LIKE]
    assert (len(found["median"]), found["block_s"]) == (96, 900)
    assert (found["median"][0], found["median"][95]) == (110.0, 2.0)
    assert found["low"][0] < 110.0 < found["high"][0]
    assert (await client.get("/api/v1/board/A1/usual/E3")).json() == {}


async def events(boards: Boards, wish: Wish):
    async with aclosing(boards.events("A1", wish)) as texts:
        async for text in texts:
            if text.startswith("event"):
                lines = dict(line.split(": ", 1) for line in text.strip().splitlines())
                yield lines["event"], json.loads(lines["data"])


@pytest.fixture
async def boards(desk):
    found, stop = Boards(desk), asyncio.Event()
    task = asyncio.create_task(found.watch(stop))
    yield found
    stop.set()
    await task


async def after(stream, name):
    async with asyncio.timeout(20):
        async for said, record in stream:
            if said == name:
                return record
    raise AssertionError(f"the stream ended without {name}")


async def test_one_reading_serves_all_that_listen(boards, db, monkeypatch):
    looks = []
    real = Known.look

    async def counted(known, desk, *, every):
        found = await real(known, desk, every=every)
        looks.append(found.only)
        return found

    monkeypatch.setattr(Known, "look", counted)
    monkeypatch.setattr(board_live, "EVERY_S", 3600.0)  # only what is notified
    streams = [events(boards, Wish()) for _ in range(20)]
    states = await asyncio.gather(*(after(stream, "state") for stream in streams))
    assert {len(state["rows"]) for state in states} == {3}
    assert looks == [None], "one look at everything"
    await asyncio.sleep(0.5)
    await save_live_verdicts(db, [verdict("E2", VerdictCode.PARTIAL, as_of=NOW + MINUTE)], NOW)
    news = await asyncio.gather(*(after(stream, "rows") for stream in streams))
    assert {row["enterprise_id"] for told in news for row in told["rows"]} == {"E2"}
    assert len(looks) == 2
    assert "E2" in looks[1], "then at what was written"
    assert "E3" not in looks[1]
    for stream in streams:
        await stream.aclose()
    assert boards.watched == []


async def test_what_commits_after_a_look_is_seen_by_the_next(desk, db):
    known = Known("A1")
    await known.look(desk, every=True)
    async with db.transaction() as open_since:
        await open_since.execute("UPDATE verdicts SET changed_at = now()")  # takes its number
        await known.look(desk, every=False)
    assert (await known.look(desk, every=False)).only == {"E1", "E2"}


async def test_a_withdrawn_verdict_leaves_its_row_without_one(desk, db):
    known = Known("A1")
    await known.look(desk, every=True)
    async with db.transaction() as connection:
        key = await connection.fetchval(
            "SELECT enterprise_key FROM enterprises WHERE enterprise_id = 'E1'"
        )
        await replace_verdicts(connection, key, [], NOW)
    look = await known.look(desk, every=False)
    assert {row.enterprise_id: row.standing.value for row in look.rows} == {
        "E1": "insufficient_data", "E2": "complied",
    }  # fmt: skip


async def test_a_look_that_failed_is_made_again(desk, db, monkeypatch):
    known = Known("A1")
    await known.look(desk, every=True)
    await save_live_verdicts(db, [verdict("E2", VerdictCode.PARTIAL, as_of=NOW + MINUTE)], NOW)

    async def away(*_):
        raise board_live.StoreUnavailableError("the database is away", "wait")

    with monkeypatch.context() as broken:
        broken.setattr(board_reading, "last_heard", away)
        with pytest.raises(board_live.StoreUnavailableError):
            await known.look(desk, every=False)
    (row,) = (await known.look(desk, every=False)).rows
    assert (row.enterprise_id, row.standing.value) == ("E2", "partial")


async def test_the_end_of_the_process_ends_every_stream(desk):
    boards, stop = Boards(desk), asyncio.Event()
    task = asyncio.create_task(boards.watch(stop))
    stream = events(boards, Wish())
    await after(stream, "state")
    stop.set()
    await task
    async with asyncio.timeout(5):
        assert [name async for name, _ in stream] == []


async def test_a_store_that_is_away_is_told_and_the_board_comes_back(boards, desk, monkeypatch):
    real, away = Known.look, [True]

    async def shaky(known, desk, *, every):
        if away[0]:
            raise board_live.StoreUnavailableError("the database is away", "wait")
        return await real(known, desk, every=every)

    monkeypatch.setattr(Known, "look", shaky)
    monkeypatch.setattr(board_live, "EVERY_S", 0.2)
    stream = events(boards, Wish())
    assert await after(stream, "trouble") == {}
    away[0] = False
    assert len((await after(stream, "state"))["rows"]) == 3
    await stream.aclose()
