"""The API over a real database: shapes, refusals, headers, metrics, gaps."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.app import create_app
from dashboards.desk import Desk
from dashboards.guard import HEADERS, LOOPBACK
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, US_PER_MINUTE, from_us, to_us
from wattwitness.domain.leads import Lead, LeadLevel, Matter
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.rejects import Parked, Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.findings import replace_findings
from wattwitness.store.gateways import set_status
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

START = to_us(datetime(2026, 1, 1, tzinfo=UTC))
NOW = START + 600 * US_PER_MINUTE
CITY = Registry(
    enterprises={f"E{n}": Enterprise(enterprise_id=f"E{n}", name=f"厂{n}") for n in range(3)},
    gateways={
        "G0": Gateway(gateway_id="G0", enterprise_id="E0"),
        "G1": Gateway(gateway_id="G1", enterprise_id="E1", interval_s=900),
    },
    circuits={
        f"C{n}": Circuit(
            circuit_id=f"C{n}", gateway_id="G1" if n == 9 else "G0", channel=f"P{n}", role=Role.MAIN
        )
        for n in range(10)
    },
)
LONG = b'{"ch": "P0", "x": "' + "电".encode() * 2000 + b'"}'
REJECTS = [
    Reject(
        gateway_id="G0", code=RejectCode.NO_VALUE, text="neither p nor e", payload=LONG,
        received_us=NOW - 30_000_000, index=3,
    ),
    Reject(
        gateway_id=None, code=RejectCode.BAD_TOPIC, text="", payload=b"{", received_us=NOW,
    ),
]  # fmt: skip
PARKED = [
    Parked(gateway_id="G0", channel="X", payload=b"{}", received_us=NOW - 30_000_000, readings=4),
    Parked(gateway_id="GX", channel=None, payload=b"{}", received_us=NOW, readings=6),
]
GAP = """
INSERT INTO gateway_epochs (gateway_id, epoch, seq, first_missing, last_missing, missing_count,
                            highest, given_up) VALUES ('G0', 'b7f2', 40, 41, 57, 17, 90, 3)
"""


def lead(n: int) -> Lead:
    return Lead(
        enterprise_id=f"E{n}",
        matter=Matter.TREATMENT,
        score=0.9 - n / 10,
        confidence=0.9,
        level=(LeadLevel.HIGH, LeadLevel.LOW, LeadLevel.LOW)[n],
        kinds=("treatment_off",),
        from_=from_us(START),
        to=from_us(NOW),
        episodes=(),
        reason={"zh": "停运", "en": "off"},
    )


def client_of(desk: Desk) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(desk, LOOPBACK), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.fixture
async def client(db: Database) -> AsyncIterator[httpx.AsyncClient]:
    await save_registry(db, CITY)
    for n in range(3):
        await replace_findings(db, f"E{n}", [], [lead(n)], [], NOW)
    async with client_of(Desk(db, DEFAULT_ZONE, now_us=lambda: NOW)) as found:
        yield found


def is_refusal(answer: httpx.Response, status: int, code: str) -> bool:
    body = answer.json()
    return (
        answer.status_code == status
        and set(body) == {"error"}
        and set(body["error"]) == {"code", "message", "detail"}
        and body["error"]["code"] == code
    )


async def test_leads_are_one_array_with_paging(client):
    answer = await client.get("/api/v1/leads")
    assert [row["rank"] for row in answer.json()] == [1, 2, 3]
    assert answer.headers["X-Total-Count"] == "3"
    assert set(answer.json()[0]) == {
        *("lead_id", "enterprise_id", "rank", "score", "confidence", "level", "kinds", "from"),
        *("to", "episodes", "reason", "status", "testable", "registration_check"),
    }
    assert answer.json()[0]["from"] == "2026-01-01T00:00:00Z"
    part = await client.get("/api/v1/leads?limit=1&offset=1")
    assert [row["enterprise_id"] for row in part.json()] == ["E1"]
    assert 'limit=1&offset=2>; rel="next"' in part.headers["Link"]
    assert 'offset=0>; rel="prev"' in part.headers["Link"]
    low = await client.get("/api/v1/leads?level=low&enterprise_id=E2")
    assert [(row["enterprise_id"], row["rank"]) for row in low.json()] == [("E2", 3)]
    one = await client.get(f"/api/v1/leads/{lead(1).lead_id}")
    assert one.json() == part.json()[0]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/v1/leads/L-0", 404, "not_found"),
        ("GET", "/api/v1/enterprises/E9", 404, "not_found"),
        ("GET", "/api/v1/series?circuit=none", 404, "not_found"),
        ("GET", "/static/none.js", 404, "not_found"),
        ("POST", "/api/v1/leads", 405, "method_not_allowed"),
        ("GET", "/api/v1/leads?limit=0", 422, "invalid_request"),
        ("GET", "/api/v1/leads?level=severe", 422, "invalid_request"),
        ("GET", "/api/v1/series", 422, "invalid_request"),
        ("GET", "/api/v1/series?circuit=C0&from=2026-01-01T00:00:00", 422, "invalid_request"),
        ("GET", "/api/v1/states?circuit=C0&from=2030-01-01T00:00Z", 422, "invalid_request"),
        ("GET", "/api/v1/series?circuit=C0&from=1990-01-01T00:00:00Z", 422, "invalid_request"),
        ("GET", "/api/v1/series?circuit=C0&to=0001-01-01T00:00:00Z", 422, "invalid_request"),
        ("GET", "/api/v1/episodes?to=9999-12-31T23:00:00-08:00", 422, "invalid_request"),
    ],
)  # fmt: skip
async def test_every_refusal_has_one_shape(client, method, path, status, code):
    assert is_refusal(await client.request(method, path), status, code)


async def test_pages_refuse_with_a_page(client):
    answer = await client.get("/leads/L-0?lang=en")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is nothing at this address." in answer.text
    assert (await client.get("/leads?level=severe")).status_code == 422


async def test_a_store_that_is_away_is_503(database_url):
    db = await Database.open(database_url)
    await db.close()
    async with client_of(Desk(db, DEFAULT_ZONE)) as client:
        for path in ("/readyz", "/api/v1/leads", "/metrics"):
            assert is_refusal(await client.get(path), 503, "store_unavailable"), path
        page = await client.get("/")
        assert page.status_code == 503
        assert page.headers["content-type"].startswith("text/html")
        assert (await client.get("/healthz")).json() == {"status": "alive"}


async def test_ready_only_when_migrated(database_url, client):
    assert (await client.get("/readyz")).json() == {"status": "ready"}
    async with await Database.open(database_url) as db:
        async with db.connection() as connection:
            await connection.execute("DELETE FROM migrations WHERE number = 4")
        async with client_of(Desk(db, DEFAULT_ZONE)) as other:
            assert is_refusal(await other.get("/readyz"), 503, "not_migrated")


async def test_every_answer_carries_the_security_headers(client):
    for path in ("/", "/api/v1/leads", "/nothing", "/static/pages.css", "/healthz"):
        answer = await client.get(path)
        assert {k: answer.headers[k] for k in HEADERS} == HEADERS, path
    assert "unsafe" not in HEADERS["content-security-policy"]


async def test_a_foreign_name_for_this_machine_is_refused(client):
    answer = await client.get("/api/v1/leads", headers={"host": "evil.example:8080"})
    assert is_refusal(answer, 400, "unknown_host")
    assert (await client.get("/", headers={"host": "localhost:9"})).status_code == 200


async def test_openapi_is_served_and_the_stock_pages_are_not(client):
    described = (await client.get("/api/v1/openapi.json")).json()["paths"]
    assert "/api/v1/leads" in described
    for path in ("/docs", "/redoc"):
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/overview",
        "/api/v1/episodes?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00%2B08:00",
        "/api/v1/enterprises?q=E1",
        "/api/v1/enterprises/E0",
        "/api/v1/gateways",
        "/api/v1/states?circuit=C0&circuit=C1",
        "/api/v1/quality?circuit=C0",
        "/api/v1/testability?enterprise_id=E0",
    ],
)
async def test_every_route_answers(client, path):
    assert (await client.get(path)).status_code == 200


async def test_metrics_count_each_end_of_a_reading(db, client):
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(3)
    rows["circuit"], rows["p_kw"] = keys["C0"], 1.0
    rows["ts"] = START + np.array([0, 1, 1]) * US_PER_MINUTE
    rows["received_at"] = NOW - 30_000_000
    await set_status(db, "G1", online=False, ts_us=NOW)
    await write_batch(db, IngestBatch(rows=rows, rejects=REJECTS, parked=PARKED))
    async with db.connection() as connection:
        await connection.execute(GAP)
    text = (await client.get("/metrics")).text
    prefix = "wattwitness_gateway_"
    for line in (
        'readings_today{fate="stored",gateway="G0"} 2.0',
        'readings_today{fate="duplicate",gateway="G0"} 1.0',
        'readings_today{fate="rejected",gateway="G0"} 5.0',
        'readings_today{fate="rejected",gateway="(not registered)"} 7.0',
        'readings_today{fate="stored",gateway="G1"} 0.0',
        'rejected_today{gateway="G0",reason="no_value"} 1.0',
        'rejected_today{gateway="G0",reason="unknown_channel"} 4.0',
        'rejected_today{gateway="(not registered)",reason="unknown_gateway"} 6.0',
        'last_reading_age_seconds{gateway="G0"} 30.0',
        'online{gateway="G1"} 0.0',
        'gaps{gateway="G0"} 1.0',
        'missing_messages{gateway="G0"} 17.0',
        'missing_messages{gateway="G1"} 0.0',
        'given_up_messages{gateway="G0"} 3.0',
    ):
        assert f"{prefix}{line}\n" in text, line
    assert '_online{gateway="G0"}' not in text, "it never said"
    assert "GX" not in text, "strangers are bounded"
    assert 'wattwitness_leads{level="high"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    for line in (
        "follower_lag_seconds 60.0",  # two minutes of one circuit, never analysed
        "follower_median_lag_seconds 60.0",
        'watching{what="verdicts"} 0.0',
        'watching{what="warnings"} 0.0',
        "early_warnings 0.0",
    ):
        assert f"wattwitness_{line}\n" in text, line
    assert "watcher_lag" not in text, "no alert is in force"


async def test_gateways_tell_where_today_s_readings_ended(db, client):
    await write_batch(db, IngestBatch(rejects=REJECTS, parked=PARKED))
    async with db.connection() as connection:
        await connection.execute(GAP)
    found = {row["gateway_id"]: row for row in (await client.get("/api/v1/gateways")).json()}
    assert found["G0"]["readings_today"] == {
        "received": 5, "stored": 0, "duplicate": 0, "revision": 0, "rejected": 5,
    }  # fmt: skip
    assert found["G0"]["rejected_today"] == {"no_value": 1, "unknown_channel": 4}
    assert found["G0"]["gaps"] == [
        {
            "epoch": "b7f2",
            "first_missing": 41,
            "last_missing": 57,
            "missing_count": 17,
            "given_up": 3,
        }
    ]
    assert found["G1"]["gaps"] == []


async def test_rejects_are_listed_and_given_whole(db, client):
    await write_batch(db, IngestBatch(rejects=REJECTS, parked=PARKED))
    answer = await client.get("/api/v1/rejects")
    assert answer.headers["X-Total-Count"] == "4"
    assert {row["code"] for row in answer.json()} == {
        "no_value", "bad_topic", "unknown_gateway", "unknown_channel",
    }  # fmt: skip
    (row,) = (await client.get("/api/v1/rejects?gateway_id=G0&code=no_value")).json()
    assert row["index"] == 3
    assert row["payload_bytes"] == len(LONG)
    assert row["payload"] == LONG.decode()[: len(row["payload"])]
    assert 1000 < len(row["payload"]) < 4096, "cut, and not within a character"
    whole = await client.get(row["payload_url"])
    assert whole.content == LONG
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["x-content-type-options"] == "nosniff"
    (waiting,) = (await client.get("/api/v1/rejects?gateway_id=GX")).json()
    assert (await client.get(waiting["payload_url"])).content == b"{}"
    part = await client.get("/api/v1/rejects?limit=1&offset=1")
    assert len(part.json()) == 1
    assert 'offset=2>; rel="next"' in part.headers["Link"]
    assert (await client.get("/api/v1/rejects?from=2030-01-01T00:00:00Z")).json() == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/rejects/r1/payload", 404, "not_found"),
        ("/api/v1/rejects/w99999999999999999999/payload", 404, "not_found"),
        ("/api/v1/rejects/x1/payload", 404, "not_found"),
        ("/api/v1/rejects/r%C2%B2/payload", 404, "not_found"),
        ("/api/v1/rejects?code=none", 422, "invalid_request"),
        ("/api/v1/rejects?from=2026-01-01T00:00:00", 422, "invalid_request"),
        ("/api/v1/rejects?from=0001-01-01T00:00:00%2B08:00", 422, "invalid_request"),
        ("/api/v1/rejects?gateway_id=%00", 422, "invalid_request"),
    ],
)
async def test_rejects_that_are_not_there(client, path, status, code):
    assert is_refusal(await client.get(path), status, code)


@pytest.mark.parametrize("query", ["gateway=%00", "gateway=none&code=none", "page=999", "code=x"])
async def test_the_page_of_rejects_takes_any_question(client, query):
    assert (await client.get(f"/rejects?{query}")).status_code == 200


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    minutes=st.sets(st.integers(0, 599), max_size=80),
    start=st.integers(0, 300),
    length=st.integers(1, 300),
    points=st.integers(1, 400),
)
async def test_a_bucket_is_null_exactly_where_the_store_has_nothing(
    db, client, minutes, start, length, points
):
    async with db.connection() as connection:
        await connection.execute("TRUNCATE readings")
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(len(minutes))
    rows["circuit"], rows["p_kw"] = keys["C1"], 5.0
    rows["ts"] = START + np.array(sorted(minutes), dtype=np.int64) * US_PER_MINUTE
    await write_batch(db, IngestBatch(rows=rows))
    low, high = (from_us(START + m * US_PER_MINUTE) for m in (start, start + length))
    answer = await client.get(
        "/api/v1/series",
        params={
            "circuit": "C1",
            "from": low.isoformat(),
            "to": high.isoformat(),
            "points": points,
        },
    )
    (series,) = answer.json()["series"]
    width = series["bucket_s"]
    for n, mean in enumerate(series["mean"]):
        begin = series["start"] + n * width - START // 1_000_000
        held = any(begin <= m * 60 < begin + width for m in minutes)
        assert (mean is not None) == held


async def test_a_slow_meter_has_no_gaps_of_our_making(db, client):
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(8)
    rows["circuit"], rows["p_kw"] = keys["C9"], 5.0
    rows["ts"] = START + np.arange(8) * 15 * US_PER_MINUTE
    await write_batch(db, IngestBatch(rows=rows))
    answer = await client.get(
        "/api/v1/series?circuit=C9&points=1000&from=2026-01-01T00:00:00Z&to=2026-01-01T02:00:00Z"
    )
    (series,) = answer.json()["series"]
    assert series["bucket_s"] == 900
    assert series["mean"] == [5.0] * 8
