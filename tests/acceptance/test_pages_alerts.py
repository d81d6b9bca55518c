"""Alerts and plans in a real Chromium: declared, changed, lifted, corrected; plans checked."""

from datetime import UTC, datetime, time, timedelta

import pytest

from wattwitness.domain.instants import DEFAULT_ZONE, local_day
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.registry import (
    Alert,
    AlertChange,
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
from wattwitness.domain.states import Thresholds
from wattwitness.store.database import Database
from wattwitness.store.day_results import DayResults, replace_day_results
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.signed_log import list_alert_log, list_plan_log

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
HOUR = timedelta(hours=1)
DISTRICTS = ("历城区", "章丘区", "高新区")
NAMES = ("鑫源化工有限公司", "华泰铸造有限公司", "长城家具有限公司", "瑞丰水泥有限公司")
LEVEL = Thresholds(
    standby_kw=1, standby_release_kw=0.5, running_kw=10, running_release_kw=8,
    running_level_kw=80, basis="learned",
)  # fmt: skip

FULL = {"expected": 1440, "received": 1440, "valid": 1440, "in_time": 1440}


def measure(enterprise_id, level, action="stop", **more):
    return Measure(
        enterprise_id=enterprise_id, level=AlertLevel(level), action=MeasureAction(action), **more
    )


def registry() -> Registry:
    ids = [f"E{n}" for n in range(1, 5)]
    circuits = {
        f"{e}-{name}": Circuit(
            circuit_id=f"{e}-{name}", gateway_id=f"G{e}", channel=name, role=role,
            name=word, line=line, rated_kw=100.0, resolution_kw=0.1,
        )
        for e in ids[:3]
        for name, role, word, line in (
            ("P1", Role.PRODUCTION, "1#反应釜", "一线"),
            ("P2", Role.PRODUCTION, "2#反应釜", "二线"),
            ("T1", Role.TREATMENT, "RTO 风机", None),
        )
    }  # fmt: skip
    circuits["E4-M1"] = Circuit(
        circuit_id="E4-M1", gateway_id="GE4", channel="M1", role=Role.MAIN, name="总进线"
    )
    grades = (Grade.C, Grade.D, Grade.A, Grade.NONE)
    return Registry(
        enterprises={
            e: Enterprise(
                enterprise_id=e, name=NAMES[n], district=DISTRICTS[n % 3], grade=grades[n],
                industry="化工",
            )
            for n, e in enumerate(ids)
        },
        gateways={
            f"G{e}": Gateway(
                gateway_id=f"G{e}", enterprise_id=e, interval_s=900 if e == "E2" else 60
            )
            for e in ids
        },
        circuits=circuits,
        measures=(
            measure("E1", "orange", scope=("一线",), grace_min=120.0),
            measure("E1", "red"),
            measure("E2", "yellow", "hours", hours=(time(22), time(6))),
            measure("E2", "orange", "limit", limit_pct=80.0),
            measure("E2", "red", scope=("E2-T1",)),
            measure("E4", "red"),
        ),
        alerts={
            "20260110-yellow": Alert(
                alert_id="20260110-yellow",
                level=AlertLevel.YELLOW,
                issued_at=NOW - 400 * HOUR,
                response_from=NOW - 380 * HOUR,
                lifted_at=NOW - 300 * HOUR,
                districts=DISTRICTS[:2],
                changes=(
                    AlertChange(
                        level=AlertLevel.ORANGE,
                        issued_at=NOW - 370 * HOUR,
                        response_from=NOW - 360 * HOUR,
                    ),
                ),
            )
        },
    )  # fmt: skip


async def seed(dsn: str) -> None:
    async with await Database.open(dsn) as db:
        await upgrade(db)
        await save_registry(db, registry(), actor="陈工", reason="imported from registry.xlsx")
        known = await load_registry(db)
        days = [local_day(NOW) - timedelta(days=n) for n in range(14)]
        for e in ("E1", "E2"):
            ids = [c.circuit_id for c in known.circuits_of(e)]
            results = {
                day: DayResults(
                    quality=[DayQuality(circuit_id=c, day=day, **FULL) for c in ids],
                    thresholds=dict.fromkeys(ids, LEVEL),
                )
                for day in days
            }
            await replace_day_results(db, e, results)


@pytest.fixture(scope="module")
def city(make_database, in_loop, serve, short_folder):
    dsn = make_database("alerts")
    in_loop(seed(dsn))
    with serve(dsn, short_folder / "alerts-home") as served:
        served.dsn = dsn
        yield served


async def filled(page, form: str, **fields: str) -> None:
    """Fill a form in, open its details first, and send it."""
    for name, value in fields.items():
        field = page.locator(f"{form} [name={name}]").first
        if await field.evaluate("node => node.tagName") == "SELECT":
            await field.select_option(value)
        else:
            await field.fill(value)
    await page.click(f"{form} .buttons button")


async def opened(page, section: str) -> None:
    details = page.locator(f"{section} details").first
    if await details.get_attribute("open") is None:
        await details.locator("summary").first.click()


OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGES = {
    "alerts": "/alerts",
    "alert": "/alerts/20260110-yellow",
    "plans": "/plans",
    "plan": "/plans/E2",
}
SAYS = {
    "alerts": {
        "zh": ["发布预警", "20260110-yellow", "已解除", "历城区"],
        "en": ["Declare an alert", "20260110-yellow", "lifted", "Check the plans"],
    },
    "alert": {
        "zh": ["经过", "橙色", "已导入", "imported from registry.xlsx", "更正"],
        "en": ["Course", "orange", "imported", "imported from registry.xlsx", "Correct it"],
    },
    "plans": {
        "zh": ["不可核查", "仅有总表", "该级别无措施，而其绩效等级应有"],
        "en": ["not verifiable", "only a main meter", "readings are too far apart"],
    },
    "plan": {
        "zh": [NAMES[1], "22:00–06:00", "至 80 %", "减幅不足30%", "范围内没有产污回路"],
        "en": ["22:00–06:00", "to 80 %", "the scope names no production circuit"],
    },
}


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
async def test_page(city, look, name, lang, size):
    looker = await look(lang, size)
    await looker.visit(city.url + PAGES[name])
    text = await looker.page.inner_text("body")
    await looker.shoot(f"alerts-{name}")
    assert [part for part in SAYS[name][lang] if part not in text] == []
    assert await looker.page.evaluate(OVER) == 0
    assert looker.troubles == []
    assert looker.hosts == {f"127.0.0.1:{city.port}"}


def local(moment: datetime) -> str:
    return f"{moment.astimezone(DEFAULT_ZONE):%Y-%m-%dT%H:%M}"


async def known(dsn: str) -> Registry:
    async with await Database.open(dsn) as db:
        return await load_registry(db)


SIGNED = {"reason": "市政府令第12号", "actor": "李主任"}


async def test_an_alert_is_declared_raised_corrected_and_lifted_without_a_script(city, look):
    looker = await look("zh")
    page = await (await looker.page.context.browser.new_context(
        java_script_enabled=False, locale="zh-CN"
    )).new_page()  # fmt: skip
    await page.goto(f"{city.url}/alerts")
    await filled(
        page, "#declare", level="orange", response_from=local(NOW - 2 * HOUR),
        issued_at=local(NOW - 26 * HOUR), **SIGNED,
    )  # fmt: skip
    alert_id = page.url.rsplit("/", 1)[1].partition("#")[0]
    assert alert_id.endswith("-orange")
    text = await page.inner_text("main")
    assert [
        w for w in ("橙色预警", "响应中", "4 家企业", "市政府令第12号", "李主任") if w not in text
    ] == []

    await opened(page, "#changes")
    await filled(page, "#changes", level="red", response_from=local(NOW - HOUR), **SIGNED)
    assert "红色预警" in await page.inner_text("h1")

    await opened(page, "#amend")
    await page.check("#amend [value=历城区]")
    await filled(page, "#amend", reason="区县录入错误", actor="李主任")
    assert "2 家企业" in await page.inner_text("main")

    await opened(page, "#lift")
    await filled(page, "#lift", **SIGNED)
    assert "已解除" in await page.inner_text("h1")
    assert await page.locator("#lift, #changes").count() == 0

    alert = (await known(city.dsn)).alerts[alert_id]
    assert (alert.response_from, alert.issued_at) == (NOW - 2 * HOUR, NOW - 26 * HOUR)
    assert [(c.level.value, c.response_from) for c in alert.changes] == [("red", NOW - HOUR)]
    assert alert.districts == ("历城区",)
    assert alert.lifted_at is not None
    async with await Database.open(city.dsn) as db:
        log = await list_alert_log(db, alert_id)
    assert [e.act.value for e in log] == ["lifted", "amended", "changed", "declared"]
    assert {e.signature.actor for e in log} == {"李主任"}


async def test_what_is_refused_says_why_and_keeps_what_was_filled_in(city, look):
    looker = await look("en")
    page = looker.page
    await looker.visit(f"{city.url}/alerts")
    await opened(page, "#declare")
    await filled(
        page, "#declare", level="red", response_from=local(NOW - 3 * HOUR),
        issued_at=local(NOW), reason="order 13", actor="Li",
    )  # fmt: skip
    assert "The response begins before it was issued." in await page.inner_text("#declare")
    assert await page.input_value("#declare [name=reason]") == "order 13"
    assert await page.input_value("#declare [name=level]") == "red"
    await looker.shoot("alerts-refused")
    before = await known(city.dsn)
    assert "order 13" not in {a.alert_id for a in before.alerts.values()}
    assert not [a for a in before.alerts.values() if a.level is AlertLevel.RED]


async def test_a_refusal_is_said_in_the_language_of_the_page(city, look):
    looker = await look("zh")
    page = looker.page
    await looker.visit(f"{city.url}/alerts")
    await opened(page, "#declare")
    await page.eval_on_selector("#declare [name=districts]", "node => { node.value = '历下区'; }")
    await page.check("#declare [name=districts] >> nth=0")
    await filled(page, "#declare", level="red", response_from=local(NOW), reason="r", actor="Li")
    assert "区县 历下区 没有企业。" in await page.inner_text("#declare")
    answer = await page.request.post(
        f"{city.url}/api/v1/alerts/20260110-yellow/calls",
        data={"enterprise_id": "E9", "text": "x", "actor": "Li"},
        headers={"accept-language": "zh"},
    )
    error = (await answer.json())["error"]
    assert error["message"] == "'E9' is not under an alert '20260110-yellow'"
    assert error["detail"]["told"] == "E9 不在预警 20260110-yellow 范围内。"


async def test_links_to_an_alert_carry_any_id(city, look):
    name = "红 1?#%"
    async with await Database.open(city.dsn) as db:
        odd = Alert(
            alert_id=name, level=AlertLevel.RED, issued_at=NOW - HOUR, response_from=NOW - HOUR,
            districts=("高新区",),
        )  # fmt: skip
        await save_registry(db, Registry(alerts={name: odd}), actor="chen", reason="import")
    looker = await look("en")
    page = looker.page
    await looker.visit(f"{city.url}/alerts")
    await page.click(f"#open a.row-link:has-text('{name}')")
    assert name in await page.inner_text(".crumbs")
    await page.click("#course a:has-text('Open its board')")
    assert "/board/" in page.url
    await page.click("a:has-text('Replay')")
    assert page.url.endswith("/replay")
    await looker.visit(f"{city.url}/alerts")
    await page.click(f"#open a.row-link:has-text('{name}')")
    await opened(page, "#lift")
    await filled(page, "#lift", reason="clean air", actor="Li")
    assert "lifted" in await page.inner_text("h1")
    await page.click("#course a:has-text('Assessment')")
    assert name in await page.inner_text(".crumbs")
    assert looker.troubles == []


async def test_overlapping_alerts_are_shown_as_such(city, look):
    looker = await look("en")
    page = looker.page
    for level in ("yellow", "orange"):
        await looker.visit(f"{city.url}/alerts")
        await opened(page, "#declare")
        await filled(
            page, "#declare", level=level, response_from=local(NOW + 24 * HOUR),
            reason="forecast", actor="Li",
        )  # fmt: skip
    text = await page.inner_text("main")
    assert "Other alerts are over the same enterprises" in text
    assert "announced" in text
    await looker.visit(f"{city.url}/alerts")
    await looker.shoot("alerts-open")
    assert (await page.inner_text("#open")).count("overlaps") == 2


async def test_a_plan_is_written_changed_and_emptied_with_a_trace(city, look):
    looker = await look("en")
    page = looker.page
    await looker.visit(f"{city.url}/plans/E3")
    assert "grade asks for none" in await page.inner_text("#measures")
    assert await page.is_hidden("#save [name=limit_pct]")
    await page.select_option("#save [name=action]", "limit")
    await page.check("#save [value=一线]")
    await filled(page, "#save", level="red", limit_pct="50", reason="new plan", actor="Li")
    assert "limit to 50 %" in await page.inner_text("#measures")
    assert await page.input_value("#save [name=actor]") == "Li"  # remembered on this machine

    await page.select_option("#save [name=action]", "limit")
    await page.check("#save [value=一线]")
    await filled(page, "#save", level="red", limit_pct="40", reason="stricter", actor="Li")
    assert "limit to 40 %" in await page.inner_text("#measures")

    await page.select_option("#save [name=action]", "hours")
    await filled(page, "#save", hours="22:00-06:00", level="red", reason="x", actor="Li")
    assert "allowed hours 22:00–06:00" in await page.inner_text("#measures")

    await opened(page, "#measures tr:has-text('limit')")
    await filled(page, "#measures tr:has-text('limit') form", reason="double", actor="Wang")
    text = await page.inner_text("#measures")
    assert "limit" not in text
    assert "allowed hours" in text
    await looker.shoot("alerts-plan-edited")
    own = [m for m in (await known(city.dsn)).measures if m.enterprise_id == "E3"]
    assert [m.hours for m in own] == [(time(22), time(6))]
    async with await Database.open(city.dsn) as db:
        log = await list_plan_log(db, "E3")
    told = [(e.act.value, e.signature.actor, e.signature.reason) for e in log]
    assert told == [
        ("removed", "Wang", "double"), ("saved", "Li", "x"), ("saved", "Li", "stricter"),
        ("saved", "Li", "new plan"),
    ]  # fmt: skip
    assert (log[0].before or {})["limit_pct"] == 40


async def test_the_plan_check_is_filtered(city, look):
    looker = await look("en")
    await looker.visit(f"{city.url}/plans?standing=verifiable&q=E1")
    text = await looker.page.inner_text(".plans tbody")
    assert text.count("verifiable") == 2
    assert NAMES[1] not in text
    await looker.visit(f"{city.url}/plans?q=nobody")
    assert "No measure matches" in await looker.page.inner_text("main")
