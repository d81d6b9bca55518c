"""The assessment of an alert out of a real database: the lift, earlier alerts, files, the API."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from dashboards.app import create_app
from dashboards.desk import Desk
from dashboards.guard import LOOPBACK
from dashboards.i18n import load_languages
from dashboards.words import word
from wattwitness.cli import main
from wattwitness.domain.errors import SetupError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import DEFAULT_ZONE, local_day, to_us
from wattwitness.domain.quality import DayQuality
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
from wattwitness.files.assessment_paper import paper_of
from wattwitness.files.assessment_pdf import assessment_pdf
from wattwitness.files.assessment_words import CODES
from wattwitness.store.assessment import load_assessment
from wattwitness.store.database import Database
from wattwitness.store.day_results import DayResults, replace_day_results
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.rollups import keep_rollups
from wattwitness.store.verdicts import save_live_verdicts

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
T0 = datetime(2026, 11, 11, 0, tzinfo=UTC)  # a Wednesday
LIFT = T0 + DAY
NOW = LIFT + 2 * DAY
VIOLATED = VerdictCode.VIOLATED
STEP_US = 300_000_000


def alert(alert_id, begins, ends):
    return Alert(
        alert_id=alert_id, level=AlertLevel.RED, issued_at=begins - HOUR, response_from=begins,
        lifted_at=ends,
    )  # fmt: skip


CITY = Registry(
    enterprises={
        e: Enterprise(enterprise_id=e, name=n, district="历城", industry="铸造")
        for e, n in (("E1", "=鑫源铸造"), ("E2", "华泰水泥"))
    },
    gateways={
        f"G{e}": Gateway(gateway_id=f"G{e}", enterprise_id=e, interval_s=300) for e in ("E1", "E2")
    },
    circuits={
        "P1": Circuit(circuit_id="P1", gateway_id="GE1", channel="P1", role=Role.PRODUCTION),
        "M2": Circuit(circuit_id="M2", gateway_id="GE2", channel="M2", role=Role.MAIN),
    },
    alerts={
        "A0": alert("A0", T0 - 40 * DAY, T0 - 39 * DAY),
        "A1": alert("A1", T0, LIFT),
    },
)


def verdict(alert_id, enterprise_id, circuit, code=VIOLATED):
    measure = MeasureVerdict(
        action=MeasureAction.STOP, scope=("*",), level=AlertLevel.RED, circuits=(circuit,),
        verdict=code, confidence=0.9, from_=T0 + 2 * HOUR, to=LIFT, running_minutes=600.0,
        allowed_minutes=20.0, usual_minutes=1000.0, energy_kwh=600.0, baseline_kwh=1000.0,
        interval_kwh=(900.0, 1200.0), missed_share=None, coverage=1.0, running_share=0.6,
    )  # fmt: skip
    return Verdict(
        alert_id=alert_id, enterprise_id=enterprise_id, level=AlertLevel.RED, verdict=code,
        confidence=0.9, as_of=LIFT, measures=(measure,),
    )  # fmt: skip


async def put(db, key, begins, ends, kw):
    ts = np.arange(to_us(begins), to_us(ends), STEP_US)
    rows = empty_readings(len(ts))
    rows["circuit"], rows["ts"], rows["p_kw"], rows["received_at"] = key, ts, kw, ts + 1_000_000
    await write_batch(db, IngestBatch(rows=rows))


async def fill(db):
    await save_registry(db, CITY)
    known = await load_registry(db)
    key = known.circuit_keys["P1"]
    await put(db, key, T0 - 21 * DAY, T0, 10.0)
    await put(db, key, T0, LIFT, 6.0)
    await put(db, key, LIFT, NOW, 13.0)
    await keep_rollups(db, NOW, limit=100_000)
    found = [verdict("A0", "E1", "P1"), verdict("A1", "E1", "P1")]
    await save_live_verdicts(db, [*found, verdict("A1", "E2", "M2", VerdictCode.COMPLIED)], LIFT)
    return known


async def test_the_day_after_the_lift_beside_like_days(db):
    found = await load_assessment(db, await fill(db), "A1", NOW)
    one, two = found.lines
    # Thursday to Friday: working days alone are like it
    assert (one.rebound.kwh, one.rebound.usual_kwh) == pytest.approx((312.0, 240.0))
    assert one.rebound.like_days >= 5
    assert one.rebound.is_high
    assert two.rebound is None, "its meter sent nothing"
    assert (found.rebound.enterprises, found.rebound.high) == (1, 1)
    assert one.is_repeated
    assert one.missed_before == ("A0",)
    assert not two.missed_before
    assert (found.saved.kwh, found.saved.enterprises) == (800.0, 2)
    assert (one.only_main_meter, two.only_main_meter) == (False, True)


async def test_the_day_after_is_computed_once_until_late_data_come(db):
    """Rollups of a city take seconds: they are read again when what they rest on has moved."""
    known = await fill(db)
    first = await load_assessment(db, known, "A1", NOW)

    async def tampered(factor):
        async with db.transaction() as connection:
            await connection.execute("UPDATE rollups SET p_sum = p_sum * $1", factor)
        return (await load_assessment(db, known, "A1", NOW)).rebound.kwh

    assert await tampered(2) == first.rebound.kwh, "what was found is kept"
    day = local_day(LIFT)
    late = DayQuality(circuit_id="P1", day=day, expected=288, received=288, valid=288, in_time=0)
    await replace_day_results(db, "E1", {day: DayResults(quality=[late])})
    assert await tampered(1) == 2 * first.rebound.kwh


@pytest.mark.parametrize(
    ("now", "lifted", "why"),
    [(LIFT - HOUR, LIFT, "not_lifted"), (LIFT + HOUR, LIFT, "not_over"), (NOW, None, "not_lifted")],
)
async def test_no_rebound_before_a_day_has_passed(db, now, lifted, why):
    known = await fill(db)
    alerts = {**known.alerts, "A1": replace(known.alerts["A1"], lifted_at=lifted)}
    found = await load_assessment(db, replace(known, alerts=alerts), "A1", now)
    assert (found.rebound, found.rebound_why) == (None, why)


async def test_too_few_like_days_are_told(db):
    known = await fill(db)
    near = alert("A9", T0 - 41 * DAY, T0 - DAY)
    found = await load_assessment(
        db, replace(known, alerts={**known.alerts, "A9": near}), "A1", NOW
    )
    assert (found.rebound, found.rebound_why) == (None, "few_like_days")


async def test_no_chinese_font_is_refused_and_never_drawn_as_boxes(db, tmp_path):
    found = await load_assessment(db, await fill(db), "A1", NOW)
    with pytest.raises(SetupError, match="no font with Chinese characters") as refused:
        assessment_pdf(found, paper_of(found, "zh", DEFAULT_ZONE), [tmp_path])
    assert "fonts-noto-cjk" in refused.value.remedy


def test_words_are_those_of_the_pages():
    groups = {
        "verdict": "standing", "why": "verdict_why", "note": "verdict_note", "alert": "alert",
        "grade": "grade",
    }  # fmt: skip
    languages = load_languages()
    for ours, theirs in groups.items():
        for code, both in CODES[ours].items():
            assert both == tuple(word(languages[n], theirs, code) for n in ("zh", "en")), code


def pages_of(pdf):
    """How many pages the page tree says."""
    return max(map(int, re.findall(rb"/Type\s*/Pages.{0,400}?/Count (\d+)", pdf, re.DOTALL)))


@pytest.fixture
async def client(db):
    await fill(db)
    app = create_app(Desk(db, DEFAULT_ZONE, now_us=lambda: to_us(NOW)), LOOPBACK)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 999))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as found:
        yield found


async def test_page_files_and_api_say_the_same(client, tmp_path):
    record = (await client.get("/api/v1/alerts/A1/assessment")).json()
    assert record["saved"]["avoided_kwh"] == 800.0
    assert record["saved"]["interval_kwh"] == [658.58, 1082.84]  # 800 − √2·100, 800 + √2·200
    assert record["top"] == ["E1"]
    assert record["repeated"] == ["E1"]
    assert record["all"]["counts"]["violated"] == 1
    for lang, title in (("zh", "预警评估"), ("en", "Assessment of an alert")):
        page = (await client.get(f"/alerts/A1/assessment?lang={lang}")).text
        assert title in page
        assert "800 kWh" in page
        assert "=鑫源铸造" in page
        pdf = await client.get(f"/alerts/A1/assessment.pdf?lang={lang}")
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.content.startswith(b"%PDF-")
        assert pages_of(pdf.content) == 1
        again = await client.get(f"/alerts/A1/assessment.pdf?lang={lang}")
        assert again.content == pdf.content
        sheet = await client.get(f"/alerts/A1/assessment.xlsx?lang={lang}")
        path = tmp_path / f"{lang}.xlsx"
        path.write_bytes(sheet.content)
        book = CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_index(3).to_python()
        assert len(book.sheet_names) == 5
        assert [row[1] for row in rows[1:]] == ["=鑫源铸造", "华泰水泥"]
        assert rows[1][11:14] == [400.0, 300.0, 600.0]
    assert book.sheet_names[0] == "summary"


async def test_what_is_not_there_is_not_found(client):
    for path in ("alerts/A7/assessment", "alerts/A7/assessment.pdf", "api/v1/alerts/A7/assessment"):
        assert (await client.get(f"/{path}")).status_code == 404
    assert (await client.get("/alerts/A1/assessment.csv")).status_code == 422


async def test_the_alert_and_its_board_lead_to_it(client):
    for path in ("/alerts/A1", "/board/A1"):
        assert 'href="/alerts/A1/assessment"' in (await client.get(path)).text


@pytest.fixture
def command(database_url, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WATTWITNESS_DATABASE_URL", database_url)
    monkeypatch.setenv("WATTWITNESS_HOME", str(tmp_path))

    async def prepared():
        async with await Database.open(database_url) as db:
            await upgrade(db)
            await fill(db)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, prepared()).result()

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["alert", "assess", *map(str, arguments)])
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def test_the_command_writes_each_format(command, tmp_path):
    code, out, _ = command("A1")
    assert code == 0
    assert json.loads(out)["saved"]["enterprises"] == 2
    for name, mark in (("a.pdf", b"%PDF-"), ("a.xlsx", b"PK"), ("a.json", b"{")):
        path = tmp_path / name
        assert command("A1", "-o", path, "--lang", "en")[0] == 0
        assert path.read_bytes().startswith(mark)


def test_the_command_refuses_in_one_line(command, tmp_path):
    for arguments, said in (
        (("A7",), "there is no alert 'A7'"),
        (("A1", "--format", "pdf"), "pdf is not text"),
        (("A1", "-o", tmp_path / "a.csv"), "no format is known"),
        (("A1", "-o", tmp_path / "a.pdf", "--format", "xlsx"), "--format says xlsx"),
    ):
        code, _, err = command(*arguments)
        assert code != 0
        assert said in re.sub(r"\s+", " ", err)
