"""Alerts, calls and plans over the API and its forms: kept, refused, and from where."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from dashboards.app import create_app
from dashboards.desk import Desk
from dashboards.guard import LOOPBACK
from wattwitness.domain.instants import DEFAULT_ZONE, to_us
from wattwitness.domain.registry import (
    AlertLevel,
    Circuit,
    Enterprise,
    Gateway,
    Grade,
    Measure,
    MeasureAction,
    Registry,
    Role,
)
from wattwitness.store.registry import load_registry, save_registry

NOW = datetime(2026, 11, 22, 4, 30, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
CITY = Registry(
    enterprises={
        "E1": Enterprise(enterprise_id="E1", name="鑫源", district="历城", grade=Grade.B),
        "E2": Enterprise(enterprise_id="E2", name="华泰", district="章丘", grade=Grade.A),
    },
    gateways={"G": Gateway(gateway_id="G", enterprise_id="E1")},
    circuits={"P": Circuit(circuit_id="P", gateway_id="G", channel="P", role=Role.PRODUCTION)},
)
SIGNED = {"actor": "Li", "reason": "order 12"}
WISH = {**SIGNED, "level": "orange", "response_from": "2026-11-23T00:00:00+08:00"}
ID = "20261123-orange"


def client_of(db, peer="127.0.0.1"):
    app = create_app(Desk(db, DEFAULT_ZONE, now_us=lambda: to_us(NOW)), LOOPBACK)
    transport = httpx.ASGITransport(app, client=(peer, 999))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.fixture
async def client(db):
    await save_registry(db, CITY)
    async with client_of(db) as found:
        yield found


async def post(client, path, **body):
    return await client.post(f"/api/v1/{path}", json=body)


async def test_an_alert_is_declared_changed_amended_and_lifted(client):
    answer = await post(client, "alerts", **WISH, districts=["历城"])
    assert answer.status_code == 201
    assert answer.json() == {
        "alert_id": ID, "level": "orange", "issued_at": "2026-11-22T04:30:15Z",
        "response_from": "2026-11-22T16:00:00Z", "lifted_at": None, "districts": ["历城"],
        "changes": [], "standing": "announced", "level_now": "orange",
    }  # fmt: skip
    change = {**SIGNED, "level": "red", "response_from": "2026-11-24T00:00:00Z"}
    changed = (await post(client, f"alerts/{ID}/changes", **change)).json()
    assert [c["level"] for c in changed["changes"]] == ["red"]
    amended = await post(client, f"alerts/{ID}/amend", **SIGNED, districts=[])
    assert amended.json()["districts"] == []
    lifted = await post(client, f"alerts/{ID}/lift", **SIGNED, lifted_at="2026-11-25T00:00:00Z")
    assert lifted.json()["lifted_at"] == "2026-11-25T00:00:00Z"
    assert (await client.get("/api/v1/alerts")).json() == [lifted.json()]
    assert (await client.get(f"/api/v1/alerts/{ID}")).json() == lifted.json()
    assert (await client.get("/api/v1/alerts?standing=lifted")).json() == []
    log = (await client.get(f"/api/v1/alerts/{ID}/log")).json()
    assert [entry["act"] for entry in log] == ["lifted", "amended", "changed", "declared"]
    assert {entry["at"] for entry in log} == {"2026-11-22T04:30:15Z"}


async def test_the_plan_check_names_the_bad_part_of_a_scope(client, db):
    half = Measure(
        enterprise_id="E1", level=AlertLevel.RED, action=MeasureAction.STOP, scope=("P", "gone")
    )  # fmt: skip
    await save_registry(db, Registry(measures=(half,)))
    for path in ("/plans/E1", "/plans?level=red"):
        text = (await client.get(path, params={"lang": "en"})).text
        assert "names no circuit that is metered: gone" in text
        assert "a circuit has sent nothing for 60 days<" in text.replace("</small>", "<")
    (found,) = (await client.get("/api/v1/plan-check?level=red&enterprise_id=E1")).json()
    assert found["parts"] == {"P": ["no_data"], "gone": ["part_names_nothing"]}
    assert found["standing"] == "unverifiable"


async def test_an_alert_that_is_called_off_keeps_its_pages(client):
    await post(client, "alerts", **WISH)
    lift = {**SIGNED, "lifted_at": "2026-11-22T06:00:00Z"}
    lifted = await post(client, f"alerts/{ID}/lift", **lift)
    assert (lifted.status_code, lifted.json()["lifted_at"]) == (201, "2026-11-22T06:00:00Z")
    for path in (f"/alerts/{ID}", f"/board/{ID}", f"/board/{ID}/replay", "/alerts"):
        assert (await client.get(f"{path}?lang=en")).status_code == 200
    text = (await client.get(f"/alerts/{ID}?lang=en")).text
    assert "Called off before its response, at 2026-11-22 14:00." in text
    assert (await client.get(f"/alerts/{ID}/assessment")).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reason": " "}, 422),
        ({"actor": ""}, 422),
        ({"level": "blue"}, 422),
        ({"response_from": "2026-11-23T00:00:00"}, 422),
        ({"districts": ["北区"]}, 422),
        ({"issued_at": "2026-12-01T00:00:00Z"}, 422),
        ({"alert_id": "a/b"}, 422),
        ({"reason": "a\x00b"}, 422),
        ({"extra": 1}, 422),
    ],
)
async def test_what_cannot_be_declared_is_refused_in_one_shape(client, change, status):
    answer = await client.post("/api/v1/alerts", json={**WISH, **change})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "detail"}
    assert (await client.get("/api/v1/alerts")).json() == []


async def test_an_unknown_alert_is_not_found(client):
    assert (await client.get("/api/v1/alerts/X")).status_code == 404
    assert (await client.get("/alerts/X")).status_code == 404
    assert (await post(client, "alerts/X/lift", **SIGNED)).status_code == 422
    assert (await client.post("/alerts/X/destroy", data={})).status_code == 404


async def test_calls_are_noted_by_either_address(client):
    await post(client, "alerts", **WISH, districts=["历城"])
    one = await post(
        client, f"alerts/{ID}/calls", enterprise_id="E1", text="stops by 14:00", actor="Li",
        promised_at="2026-11-22T06:00:00Z",
    )  # fmt: skip
    two = await post(client, f"alerts/{ID}/enterprises/E1/calls", text="nobody", actor="Wang")
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.json()["promised_at"] == "2026-11-22T06:00:00Z"
    assert two.json()["promised_at"] is None
    every = (await client.get(f"/api/v1/alerts/{ID}/calls")).json()
    assert every == [one.json(), two.json()]
    assert (await client.get(f"/api/v1/alerts/{ID}/enterprises/E1/calls")).json() == every
    other = await post(client, f"alerts/{ID}/enterprises/E2/calls", text="x", actor="Li")
    assert other.status_code == 422
    late = {"text": "x", "actor": "Li", "promised_at": "2026-11-22T04:00:00Z"}
    assert (await post(client, f"alerts/{ID}/enterprises/E1/calls", **late)).status_code == 422


async def test_a_plan_is_read_written_and_checked(client):
    path = "enterprises/E1/measures"
    wish = {**SIGNED, "level": "red", "action": "hours", "hours": "22:00-06:00"}
    saved = await post(client, path, **wish, grace_min=60)
    assert saved.status_code == 201
    assert saved.json() == [{
        "level": "red", "action": "hours", "scope": ["*"], "limit_pct": None,
        "hours": "22:00-06:00", "grace_min": 60.0,
    }]  # fmt: skip
    check = await client.get("/api/v1/plan-check?level=red")
    assert [(r["enterprise_id"], r["why"]) for r in check.json()] == [("E1", ["no_data"])]
    assert (await client.get("/api/v1/plan-check?limit=1")).headers["x-total-count"] == "2"
    assert (await client.get("/api/v1/plan-check?standing=weak")).json() == []
    assert (await post(client, path, **{**wish, "hours": "25:00"})).status_code == 422
    removed = await post(client, f"{path}/remove", **SIGNED, level="red", action="hours")
    assert removed.json() == []
    log = (await client.get(f"/api/v1/{path}/log")).json()
    assert [(entry["act"], entry["after"] is None) for entry in log] == [
        ("removed", True), ("saved", False),
    ]  # fmt: skip
    assert (await client.get("/api/v1/enterprises/E9/measures")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/alerts", WISH),
        (f"/api/v1/alerts/{ID}/changes", {**SIGNED, "level": "red"}),
        (f"/api/v1/alerts/{ID}/lift", SIGNED),
        (f"/api/v1/alerts/{ID}/amend", SIGNED),
        (f"/api/v1/alerts/{ID}/calls", {"enterprise_id": "E1", "text": "x", "actor": "Li"}),
        (f"/api/v1/alerts/{ID}/enterprises/E1/calls", {"text": "x", "actor": "Li"}),
        ("/api/v1/enterprises/E1/measures", {**SIGNED, "level": "red", "action": "stop"}),
        ("/api/v1/enterprises/E1/measures/remove", {**SIGNED, "level": "red", "action": "stop"}),
    ],
)
async def test_only_this_machine_and_only_our_pages_write(db, client, path, body):
    async with client_of(db, peer="10.0.0.7") as stranger:
        assert (await stranger.post(path, json=body)).status_code == 403
    elsewhere = {"origin": "http://evil.example"}
    assert (await client.post(path, json=body, headers=elsewhere)).status_code == 403
    assert (await load_registry(db)).alerts == {}


@pytest.mark.parametrize(
    "path", ["/alerts", f"/alerts/{ID}/lift", "/plans/E1/save", "/plans/E1/remove"]
)
async def test_forms_are_guarded_likewise(db, client, path):
    form = {**SIGNED, "level": "red", "response_from": "2026-11-23T00:00", "action": "stop"}
    async with client_of(db, peer="10.0.0.7") as stranger:
        assert (await stranger.post(path, data=form)).status_code == 403
    crossed = {"sec-fetch-site": "cross-site"}
    assert (await client.post(path, data=form, headers=crossed)).status_code == 403
    known = await load_registry(db)
    assert (known.alerts, known.measures) == ({}, ())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": " "}, "Write the reason."),
        ({"actor": ""}, "Write who does it."),
        ({"level": "blue"}, "Choose a level."),
        ({"response_from": ""}, "A time is missing"),
        ({"response_from": "soon"}, "A time is missing"),
        ({"issued_at": "2026-11-24T00:00"}, "begins before it was issued"),
        ({"districts": "北区"}, "No enterprise is in district 北区."),
    ],
)
async def test_a_form_that_cannot_be_is_told_on_its_page(client, change, says):
    form = {**SIGNED, "level": "red", "response_from": "2026-11-23T00:00"}
    answer = await client.post("/alerts?lang=en", data={**form, **change})
    assert answer.status_code == 422
    assert says in answer.text
    assert (await client.get("/api/v1/alerts")).json() == []


@pytest.mark.parametrize(
    ("body", "status"), [(b"\xff\xfe", 422), (b"a=" + b"x" * 300_000, 422), (b"", 422)]
)
async def test_what_is_no_form_is_refused(client, body, status):
    assert (await client.post("/alerts", content=body)).status_code == status


async def test_a_correction_keeps_the_seconds_of_what_was_not_touched(client):
    await post(client, "alerts", **WISH)
    form = {
        **SIGNED, "level": "red", "issued_at": "2026-11-22T12:30",
        "response_from": "2026-11-23T00:00", "lifted_at": "",
    }  # fmt: skip
    assert (await client.post(f"/alerts/{ID}/amend", data=form)).status_code == 303
    found = (await client.get(f"/api/v1/alerts/{ID}")).json()
    assert (found["level"], found["issued_at"]) == ("red", "2026-11-22T04:30:15Z")
    log = (await client.get(f"/api/v1/alerts/{ID}/log")).json()
    assert [k for k in log[0]["after"] if log[0]["after"][k] != log[0]["before"][k]] == ["level"]


async def test_a_correction_opened_before_a_lift_does_not_take_it_back(client):
    await post(client, "alerts", **WISH)
    shown = await client.get(f"/alerts/{ID}?lang=en")
    seen = shown.text.partition('name="seen" value="')[2].partition('"')[0]
    await post(client, f"alerts/{ID}/lift", **SIGNED, lifted_at="2026-11-24T00:00:00+08:00")
    form = {
        **SIGNED, "seen": seen, "level": "red", "issued_at": "2026-11-22T12:30",
        "response_from": "2026-11-23T00:00", "lifted_at": "",
    }  # fmt: skip
    answer = await client.post(f"/alerts/{ID}/amend?lang=en", data=form)
    assert (answer.status_code, "since this page was opened" in answer.text) == (422, True)
    found = (await client.get(f"/api/v1/alerts/{ID}")).json()
    assert (found["level"], found["lifted_at"]) == ("orange", "2026-11-23T16:00:00Z")


async def test_a_nul_in_a_form_does_no_harm(client):
    form = {**SIGNED, "level": "red", "action": "stop", "scope": "P\0"}
    assert (await client.post("/plans/E1/remove", data=form)).status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [("alerts/%00", 422), ("alerts/%00/log", 422), ("verdicts?alert_id=%00", 422)],
)
async def test_a_name_that_no_database_takes_is_refused_in_one_shape(client, path, status):
    answer = await client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "invalid_request")


async def test_a_call_to_such_a_name_is_refused_likewise(client):
    await post(client, "alerts", **WISH)
    said = {"actor": "Li", "text": "will stop", "enterprise_id": "E\0"}
    assert (await post(client, f"alerts/{ID}/calls", **said)).status_code == 422
