"""Decisions over the API: kept, taken back, re-opened, recalibrating; and who may decide."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from dashboards.app import create_app
from dashboards.desk import Desk, Draw
from dashboards.guard import LOOPBACK
from wattwitness.domain.decisions import Outcome
from wattwitness.domain.early_warnings import EarlyWarning
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, to_us
from wattwitness.domain.leads import ChronicPair, Lead, LeadLevel, Matter
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store.decisions import list_recalibrations, save_decision
from wattwitness.store.findings import list_leads, replace_findings
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

T0 = datetime(2026, 11, 2, tzinfo=UTC)
NOW = to_us(T0 + timedelta(days=3))
IDS = [f"E{n:02d}" for n in range(30)]
CITY = Registry(
    enterprises={e: Enterprise(enterprise_id=e, name=f"厂{e}") for e in IDS},
    gateways={f"G{e}": Gateway(gateway_id=f"G{e}", enterprise_id=e) for e in IDS},
    circuits={
        f"C{e}": Circuit(circuit_id=f"C{e}", gateway_id=f"G{e}", channel="P", role=Role.PRODUCTION)
        for e in IDS
    },
)
CHRONIC = ChronicPair(
    pairing_id="PT", off_share=0.9, early_share=0.9, running_minutes=900.0, days=9
)


def lead(enterprise_id="E00", **changes) -> Lead:
    values = {
        "enterprise_id": enterprise_id,
        "matter": Matter.TREATMENT,
        "score": 0.72,
        "confidence": 0.9,
        "level": LeadLevel.HIGH,
        "kinds": ("treatment_off",),
        "from_": T0,
        "to": T0 + timedelta(hours=2),
        "newest_from": T0,
        "episodes": ("E-1",),
        "reason": {"zh": "治污未运行", "en": "treatment was off"},
    }
    return Lead(**{**values, **changes})


ID = lead().lead_id
WISH = {"outcome": "confirmed", "reason": "fan was off", "actor": "Li"}


async def put(db, *leads):
    for it in leads:
        await replace_findings(db, it.enterprise_id, [], [it], [], NOW)


@pytest.fixture
async def city(db):
    await save_registry(db, CITY)
    await put(db, *(lead(e) for e in IDS))
    return db


def client_of(db, peer="127.0.0.1"):
    app = create_app(Desk(db, DEFAULT_ZONE, now_us=lambda: NOW, draw=Draw(3, 0.1)), LOOPBACK)
    transport = httpx.ASGITransport(app, client=(peer, 999))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.fixture
async def client(city):
    async with client_of(city) as found:
        yield found


async def status(client, lead_id=ID):
    return (await client.get(f"/api/v1/leads/{lead_id}")).json()["status"]


async def decide(client, **changes):
    return await client.post(f"/api/v1/leads/{ID}/decisions", json={**WISH, **changes})


async def test_a_decision_is_kept_with_what_the_lead_said(client):
    answer = await decide(client)
    assert answer.status_code == 201
    (kept,) = (await client.get(f"/api/v1/leads/{ID}/decisions")).json()
    assert kept == answer.json()
    assert (kept["actor"], kept["reason"], kept["outcome"]) == ("Li", "fan was off", "confirmed")
    assert (kept["score"], kept["confidence"], kept["episodes"]) == (0.72, 0.9, ["E-1"])
    assert await status(client) == "confirmed"


async def test_decided_leads_leave_the_inbox_and_rank_last(client):
    await decide(client, outcome="dismissed")
    everything = (await client.get("/api/v1/leads?limit=1000")).json()
    assert everything[-1]["lead_id"] == ID
    assert [x["rank"] for x in everything] == list(range(1, 31))
    assert len((await client.get("/api/v1/leads?status=open")).json()) == 29
    assert [x["lead_id"] for x in (await client.get("/api/v1/leads?status=decided")).json()] == [ID]
    assert (await client.get("/api/v1/overview")).json()["leads"]["high"] == 29


async def test_a_later_decision_takes_it_back_and_nothing_is_deleted(client):
    await decide(client)
    await decide(client, outcome="not_yet", reason="wrong fan")
    assert await status(client) == "open"
    kept = (await client.get(f"/api/v1/leads/{ID}/decisions")).json()
    assert [x["outcome"] for x in kept] == ["confirmed", "not_yet"]


async def test_a_recurrence_opens_it_again_with_its_history(city, client):
    await decide(client)
    await put(city, lead(to=T0 + timedelta(hours=3)))  # the same episode went on
    assert await status(client) == "confirmed"
    again = T0 + timedelta(days=2)
    await put(city, lead(to=again + timedelta(hours=1), newest_from=again, episodes=("E-1", "E-2")))
    assert await status(client) == "reopened"
    page = (await client.get(f"/leads/{ID}?lang=en")).text
    assert "fan was off" in page
    assert "open again" in page
    await decide(client, outcome="dismissed")
    assert await status(client) == "dismissed"


@pytest.mark.parametrize(
    ("change", "code"),
    [({"reason": " "}, 422), ({"actor": ""}, 422), ({"outcome": "guilty"}, 422), ({"x": 1}, 422)],
)
async def test_a_decision_needs_its_reason_and_its_actor(client, change, code):
    assert (await decide(client, **change)).status_code == code
    assert await status(client) == "open"


async def test_no_such_lead(client):
    assert (await client.post("/api/v1/leads/L-none/decisions", json=WISH)).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_page_elsewhere_cannot_decide(client, headers):
    answer = await client.post(f"/api/v1/leads/{ID}/decisions", json=WISH, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")
    assert await status(client) == "open"


async def test_a_page_of_ours_can(client):
    ours = {"origin": "http://127.0.0.1:8080", "sec-fetch-site": "same-origin"}
    answer = await client.post(f"/api/v1/leads/{ID}/decisions", json=WISH, headers=ours)
    assert answer.status_code == 201


async def test_a_form_cannot_decide(client):
    assert (await client.post(f"/api/v1/leads/{ID}/decisions", data=WISH)).status_code == 422


async def test_only_this_machine_decides(city):
    async with client_of(city, "192.0.2.7") as client:
        answer = await decide(client)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        assert await status(client) == "open"


async def test_enough_decisions_recalibrate_and_the_change_is_told(city, client):
    for n, e in enumerate(IDS[:25]):
        outcome = Outcome.CONFIRMED if n % 5 < 3 else Outcome.DISMISSED
        decided = await list_leads(city, enterprise_ids=[e])
        await save_decision(city, decided[0], outcome, "seen", "Li", T0)
    (*_, first) = await list_recalibrations(city)
    assert first.curve.decisions == 20
    newest = (await client.get("/api/v1/recalibrations")).json()[0]
    assert newest["decisions"] == 25
    fresh = (await client.get(f"/api/v1/leads/{lead('E29').lead_id}")).json()
    assert 0.55 < fresh["confidence"] < 0.75
    assert fresh["score"] == pytest.approx(0.72 * fresh["confidence"] / 0.9, abs=1e-3)
    assert fresh["level"] == "medium"
    page = (await client.get("/leads?lang=en")).text
    assert "Recalibrated with 25 decisions" in page
    assert "0.90 → <b>0.6" in page


async def test_decisions_change_nothing_that_the_analytics_wrote(city, client):
    await decide(client)
    before = [replace(x, rank=0, status="open") for x in await list_leads(city)]
    await put(city, lead())
    after = [replace(x, rank=0, status="open") for x in await list_leads(city)]
    assert before == after
    assert await status(client) == "confirmed"


async def test_chronic_pairs_have_a_queue_of_their_own(city, client):
    await put(city, lead(registration_check=(CHRONIC,)))
    (found,) = (await client.get("/api/v1/leads?check=true")).json()
    assert (found["lead_id"], found["registration_check"]) == (ID, ["PT"])
    assert "check the registration" in (await client.get("/leads?lang=en&check=1")).text
    assert ID in (await client.get("/leads?lang=en")).text


async def test_the_random_share_is_drawn_from_all_with_data(city, client):
    known = await load_registry(city)
    rows = empty_readings(20)
    rows["circuit"] = [known.circuit_keys[f"C{e}"] for e in IDS[:20]]
    rows["ts"], rows["p_kw"], rows["received_at"] = to_us(T0), 5.0, to_us(T0)
    await write_batch(city, IngestBatch(rows=rows))
    found = (await client.get("/api/v1/random-share")).json()
    assert (found["of"], found["seed"], found["week"]) == (20, 3, "2026-W45")
    assert len(found["enterprise_ids"]) == 2
    assert set(found["enterprise_ids"]) <= set(IDS[:20])
    assert found == (await client.get("/api/v1/random-share?day=2026-11-08")).json()
    page = (await client.get("/leads?lang=en")).text
    assert "Drawn at random" in page


async def test_warnings_are_shown_as_such(city, client):
    warning = EarlyWarning(
        enterprise_id="E00", kind="treatment_off", pairing_id="PT", from_=T0,
        to=T0 + timedelta(minutes=18), known_minutes=18, required_minutes=30,
    )  # fmt: skip
    await replace_findings(city, "E00", [], [], [], NOW, NOW, [warning])
    (found,) = (await client.get("/api/v1/early-warnings")).json()
    assert (found["pairing_id"], found["known_minutes"]) == ("PT", 18)
    for path in ("/", "/enterprises/E00"):
        assert "Warning, not yet an episode" in (await client.get(f"{path}?lang=en")).text
    assert "Warning, not" not in (await client.get("/enterprises/E01?lang=en")).text
    await replace_findings(city, "E00", [], [], [], NOW, NOW)
    assert (await client.get("/api/v1/early-warnings")).json() == []
