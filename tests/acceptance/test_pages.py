"""The pages in a real Chromium, against a real server process over a real PostgreSQL."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from wattwitness.domain.episodes import Episode
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import (
    DEFAULT_ZONE,
    US_PER_MINUTE,
    day_bounds,
    days_between,
    local_day,
    to_us,
)
from wattwitness.domain.leads import Lead, LeadLevel, Matter
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import (
    Alert,
    AlertLevel,
    Circuit,
    Declaration,
    DeclarationReason,
    Enterprise,
    Gateway,
    Pairing,
    Registry,
    Role,
)
from wattwitness.domain.rejects import Parked, Reject, RejectCode
from wattwitness.domain.rules import CATALOGUE, RULE_VERSION
from wattwitness.domain.states import State, StateSpell
from wattwitness.domain.testability import Testability
from wattwitness.store.database import Database
from wattwitness.store.day_results import DayResults, replace_day_results
from wattwitness.store.days import clear_dirty, take_dirty
from wattwitness.store.findings import replace_findings
from wattwitness.store.gateways import set_status
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry

UNBUILT = "capacity_growth"  # as if an analytics had told that does not judge it yet
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
DAYS = 4
HOUR = timedelta(hours=1)
NAMES = ["鑫源化工有限公司", "华泰铸造有限公司", "长城家具有限公司", "瑞丰水泥有限公司"]
OFF = (NOW - 20 * HOUR, NOW - 17.5 * HOUR)
DECLARED = (NOW - 50 * HOUR, NOW - 46 * HOUR)
GAP = (NOW - 34 * HOUR, NOW - 31 * HOUR)


def registry() -> Registry:
    circuits = {}
    for n in range(1, 4):
        for channel, role, name, kw in (
            ("M1", Role.MAIN, "总进线", 400.0),
            ("P1", Role.PRODUCTION, "1#反应釜", 220.0),
            ("P2", Role.PRODUCTION, "2#反应釜", 180.0),
            ("T1", Role.TREATMENT, "RTO 风机", 55.0),
        ):
            circuits[f"E{n}-{channel}"] = Circuit(
                circuit_id=f"E{n}-{channel}", gateway_id=f"G{n}", channel=channel, role=role,
                name=name, rated_kw=kw, resolution_kw=0.1,
            )  # fmt: skip
    circuits["E4-M1"] = Circuit(
        circuit_id="E4-M1", gateway_id="G4", channel="M1", role=Role.MAIN, name="总进线"
    )
    return Registry(
        enterprises={
            f"E{n}": Enterprise(
                enterprise_id=f"E{n}",
                name=name,
                district=("高新区", "城关镇")[n % 2],
                industry="化工",
            )
            for n, name in enumerate(NAMES, 1)
        },
        gateways={f"G{n}": Gateway(gateway_id=f"G{n}", enterprise_id=f"E{n}") for n in range(1, 5)},
        circuits=circuits,
        pairings={
            f"E{n}-PT": Pairing(
                pairing_id=f"E{n}-PT", production=(f"E{n}-P1", f"E{n}-P2"), treatment=(f"E{n}-T1",)
            )
            for n in range(1, 4)
        },
        alerts={
            "A1": Alert(
                alert_id="A1",
                level=AlertLevel.ORANGE,
                issued_at=NOW - 30 * HOUR,
                response_from=NOW - 6 * HOUR,
                districts=(),
            )
        },
        declarations=(
            Declaration(
                enterprise_id="E1",
                from_=DECLARED[0],
                to=DECLARED[1],
                reason=DeclarationReason.MAINTENANCE,
                circuits=("E1-T1",),
            ),
        ),
    )


def within(ts: np.ndarray, span: tuple[datetime, datetime]) -> np.ndarray:
    return (ts >= to_us(span[0])) & (ts < to_us(span[1]))


def power(circuit: Circuit, ts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two shifts for production, treatment with it, except where the story says otherwise."""
    hour = (ts // (60 * US_PER_MINUTE) + 8) % 24
    works = ((hour >= 6) & (hour < 22)) | within(ts, OFF) | within(ts, DECLARED)
    level = {Role.PRODUCTION: 0.7, Role.TREATMENT: 0.85, Role.MAIN: 0.8}[circuit.role]
    wave = 1 + 0.12 * np.sin(ts / (40 * US_PER_MINUTE)) + rng.normal(0, 0.05, len(ts))
    kw = np.where(works, level * (circuit.rated_kw or 300) * wave, 0.4)
    if circuit.circuit_id == "E1-T1":
        kw[within(ts, OFF) | within(ts, DECLARED)] = 0.2
    return np.round(kw, 1)


async def put_readings(db: Database, known: Registry) -> None:
    rng = np.random.default_rng(7)
    for circuit in known.circuits.values():
        end = NOW - 3 * HOUR if circuit.gateway_id == "G3" else NOW
        ts = np.arange(to_us(NOW - DAYS * 24 * HOUR), to_us(end), US_PER_MINUTE)
        if circuit.circuit_id == "E1-T1":
            ts = ts[~within(ts, GAP)]
        rows = empty_readings(len(ts))
        rows["circuit"], rows["ts"] = known.circuit_keys[circuit.circuit_id], ts
        rows["p_kw"] = power(circuit, ts, rng)
        rows["received_at"] = ts + 2_000_000
        await write_batch(db, IngestBatch(rows=rows, from_gateways=circuit.gateway_id != "G3"))
    received = to_us(NOW)
    await write_batch(
        db,
        IngestBatch(
            parked=[
                Parked(
                    gateway_id="GX-17",
                    channel=None,
                    payload=b"{}",
                    received_us=received,
                    readings=20,
                ),
                Parked(
                    gateway_id="G1", channel="T9", payload=b"{}", received_us=received, readings=4
                ),
            ],
            rejects=[
                Reject(
                    gateway_id="G2",
                    code=RejectCode.NO_VALUE,
                    text="neither p nor e",
                    payload=b"{}",
                    received_us=received,
                    index=0,
                ),
                Reject(
                    gateway_id="G2",
                    code=RejectCode.MALFORMED,
                    text="the payload is not JSON: Expecting value",
                    payload=HOSTILE,
                    received_us=received - 60_000_000,
                ),
                Reject(
                    gateway_id="G2",
                    code=RejectCode.MALFORMED,
                    text="the payload is not UTF-8",
                    payload=b"\x00\xff\xfe" * 40,
                    received_us=received - 120_000_000,
                ),
                Reject(
                    gateway_id=None,
                    code=RejectCode.BAD_TOPIC,
                    text="'wattwitness/v1/a/b/readings' is not a topic",
                    payload=b"{}",
                    received_us=received,
                ),
            ],
        ),
    )
    async with db.connection() as connection:
        await connection.execute(GAPS)


HOSTILE = b'{"epoch": "<script>alert(1)</script>", "note": "' + "电".encode() * 3000
GAPS = """
INSERT INTO gateway_epochs (gateway_id, epoch, seq, first_missing, last_missing, missing_count,
                            highest, given_up, missing_since, began_at, ended_at) VALUES
    ('G1', 'b7f2', 40, 41, 57, 17, 90, 0, now() - interval '2 hours', now() - interval '1 day',
     NULL),
    ('G1', 'a001', 12, NULL, NULL, 0, 12, 5, NULL, now() - interval '3 days',
     now() - interval '1 day')
"""


def states(known: Registry, enterprise_id: str, day) -> list[StateSpell]:
    start, end = day_bounds(day)
    found = []
    for circuit in known.circuits_of(enterprise_id):
        edges = [start, start + 6 * HOUR, start + 22 * HOUR, end]
        for low, high, state in zip(edges[:-1], edges[1:], (1, 3, 1), strict=True):
            if low < NOW:
                found.append(
                    StateSpell(
                        circuit_id=circuit.circuit_id,
                        from_=low,
                        to=min(high, NOW),
                        state=State(state),
                    )
                )
    if enterprise_id == "E1":  # the treatment was off in the middle of two of its days
        found = [
            piece
            for spell in found
            for piece in (_cut(spell) if spell.circuit_id == "E1-T1" else [spell])
        ]
    return found


def _cut(spell: StateSpell) -> list[StateSpell]:
    def piece(start: datetime, end: datetime, state: State) -> StateSpell:
        return StateSpell(circuit_id=spell.circuit_id, from_=start, to=end, state=state)

    pieces, at = [], spell.from_
    for start, end, state in sorted(OFF_SPANS):
        low, high = max(start, spell.from_), min(end, spell.to)
        if low < high:
            pieces += [piece(at, low, spell.state)] if at < low else []
            pieces += [] if state is None else [piece(low, high, state)]
            at = high
    return [*pieces, piece(at, spell.to, spell.state)] if at < spell.to else pieces


OFF_SPANS = ((*OFF, State.OFF), (*DECLARED, State.OFF), (*GAP, None))


def episode(enterprise_id: str, span, suppressed_by: str | None = None) -> Episode:
    return Episode(
        enterprise_id=enterprise_id, kind="treatment_off", from_=span[0], to=span[1],
        detected_at=span[0] + 0.5 * HOUR, confidence=0.93, pairing_id=f"{enterprise_id}-PT",
        circuits=(f"{enterprise_id}-P1", f"{enterprise_id}-P2", f"{enterprise_id}-T1"),
        rule_version=RULE_VERSION, suppressed_by=suppressed_by,
        evidence={
            "production_mean": {"value": 281.6, "unit": "kW"},
            "production_energy": {"value": 704.0, "unit": "kWh"},
            "treatment_mean": {"value": 0.2, "unit": "kW"},
            "treatment_running_level": {"value": 46.8, "unit": "kW"},
            "known_minutes": {"value": 150.0, "unit": "min"},
            "coverage": {"value": 100.0, "unit": "%"},
            "required_minutes": {"value": 30.0, "unit": "min"},
            "levels": {"value": "learned", "unit": ""},
        },
    )  # fmt: skip


def lead(enterprise_id: str, episodes, score: float, level: LeadLevel) -> Lead:
    first = episodes[0]
    local = first.from_.astimezone(DEFAULT_ZONE)
    return Lead(
        enterprise_id=enterprise_id, matter=Matter.TREATMENT, score=score, confidence=0.91,
        level=level, kinds=("treatment_off",), from_=first.from_, to=first.to,
        episodes=tuple(e.episode_id for e in episodes),
        reason={
            "zh": f"{local:%m月%d日%H:%M}起，生产（1#反应釜、2#反应釜）平均281.6 kW运行150分钟，"
            "治污（RTO 风机）仅0.2 kW（运行时约46.8 kW）。",
            "en": f"{local:%Y-%m-%d %H:%M}: production (1#反应釜, 2#反应釜) ran at 281.6 kW "
            "on average for 150 min while treatment (RTO 风机) drew 0.2 kW "
            "(about 46.8 kW when it runs).",
        },
        doubts=({"zh": "请现场核实是否更换计量回路。", "en": "Check on site for a moved meter."},),
    )  # fmt: skip


async def put_findings(db: Database, known: Registry) -> None:
    for n in range(1, 5):
        enterprise_id = f"E{n}"
        results, lost = {}, 400 * (n == 3)
        for day in days_between(local_day(NOW - DAYS * 24 * HOUR), local_day(NOW)):
            quality = [
                DayQuality(
                    circuit_id=c.circuit_id, day=day, expected=1440,
                    received=1430 - lost, valid=1425 - lost, in_time=1400 - lost,
                )
                for c in known.circuits_of(enterprise_id)
            ]  # fmt: skip
            results[day] = DayResults(states=states(known, enterprise_id, day), quality=quality)
        await replace_day_results(db, enterprise_id, results)
        episodes, leads = [], []
        if n == 1:
            declaration = known.declarations_of("E1")[0].declaration_id
            episodes = [episode("E1", OFF), episode("E1", DECLARED, declaration)]
            leads = [lead("E1", episodes[:1], 0.93, LeadLevel.HIGH)]
        elif n < 4:
            episodes = [episode(enterprise_id, (NOW - (30 + n) * HOUR, NOW - (29 + n) * HOUR))]
            leads = [
                lead(
                    enterprise_id,
                    episodes,
                    0.6 - 0.2 * n / 2,
                    (LeadLevel.MEDIUM, LeadLevel.LOW)[n - 2],
                )
            ]
        off = "only_main_meter" if n == 4 else ""
        told = [
            Testability(
                enterprise_id=enterprise_id, kind=code, pairing_id=None,
                testable=not off and code != UNBUILT,
                why="not_yet_judged" if code == UNBUILT else off,
            )
            for code in CATALOGUE
        ]  # fmt: skip
        await replace_findings(db, enterprise_id, episodes, leads, told, to_us(NOW))
    await clear_dirty(db, await take_dirty(db))


async def seed(dsn: str) -> None:
    async with await Database.open(dsn, application="tests") as db:
        await upgrade(db)
        await save_registry(db, registry())
        known = await load_registry(db)
        await put_readings(db, known)
        await put_findings(db, known)
        await set_status(db, "G3", online=False, ts_us=to_us(NOW - 3 * HOUR))


@pytest.fixture(scope="module")
def city(make_database, in_loop, serve, short_folder):
    dsn = make_database("pages")
    in_loop(seed(dsn))
    with serve(dsn, short_folder / "pages-home") as served:
        yield served


@pytest.fixture(scope="module")
def empty_city(make_database, in_loop, serve, short_folder):
    dsn = make_database("pages_empty")

    async def migrate() -> None:
        async with await Database.open(dsn) as db:
            await upgrade(db)

    in_loop(migrate())
    with serve(dsn, short_folder / "pages-home-empty") as served:
        yield served


LEAD_ID = Lead(
    enterprise_id="E1", matter=Matter.TREATMENT, score=0, confidence=0, level=LeadLevel.LOW,
    kinds=(), from_=NOW, to=NOW, episodes=(), reason={},
).lead_id  # fmt: skip
PAGES = {
    "overview": "/",
    "leads": "/leads",
    "lead": f"/leads/{LEAD_ID}",
    "gateways": "/gateways",
    "rejects": "/rejects?gateway=G2",
    "rejects-all": "/rejects",
    "enterprise": "/enterprises/E1",
    "enterprise-main-only": "/enterprises/E4",
    "rules": "/rules",
}
SAYS = {
    "overview": {
        "zh": ["橙色预警", "治污设施未运行", NAMES[0]],
        "en": ["Orange alert", "Treatment off"],
    },
    "leads": {"zh": NAMES[:3], "en": ["281.6 kW", *NAMES[:3]]},
    "lead": {
        "zh": ["为何列为线索", "也可能是误判", "报备"],
        "en": ["Why this is a lead", "How could this be wrong?"],
    },
    "gateways": {
        "zh": ["GX-17", "gateways.csv", "41–57", "缺 17 条报文", "其中待登记：4", "主题未指明网关"],
        "en": ["GX-17", "silent", "circuits.csv", "41–57 (17 messages)", "1 restart in 7 days"],
    },
    "rejects": {
        "zh": ["无法解析", "无功率也无电量", "<script>alert(1)</script>", "9,048 字节", NAMES[1]],
        "en": ["not readable", "neither power nor energy", "00 ff fe", "retry --gateway G2"],
    },
    "rejects-all": {
        "zh": ["网关未登记", "通道未登记", "主题未指明网关"],
        "en": ["gateway not registered: waits", "T9", "topic names no gateway"],
    },
    "enterprise": {
        "zh": ["RTO 风机", "可检验", "尚未判定"],
        "en": ["RTO 风机", "testable", "does not judge yet"],
    },
    "rules": {
        "zh": ["治污假负载", "可检验 3 家"],
        "en": ["Dummy load", "testable on 3 enterprises"],
    },
    "enterprise-main-only": {
        "zh": ["只有总表", "不可检验"],
        "en": ["only a main meter", "not testable"],
    },
}


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
async def test_page(city, look, name, lang, size):
    looker = await look(lang, size)
    await looker.visit(city.url + PAGES[name])
    text = await looker.page.inner_text("body")
    await looker.shoot(name)
    assert [part for part in SAYS[name][lang] if part not in text] == []
    assert await looker.page.get_attribute("html", "lang") == {"zh": "zh-CN", "en": "en"}[lang]
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await looker.page.evaluate(over) == 0
    assert looker.troubles == []
    assert looker.hosts == {f"127.0.0.1:{city.port}"}


WASHED = """(() => {
  const found = [...document.querySelectorAll('.plot canvas')].map((canvas) => {
    const { width, height } = canvas;
    const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    let red = 0, grey = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      const [r, g, b, a] = pixels.slice(i, i + 4);
      if (Math.abs(r - 220) < 8 && Math.abs(g - 38) < 8 && Math.abs(a - 51) < 8) red++;
      if (Math.abs(r - 152) < 6 && Math.abs(g - 162) < 6 && Math.abs(b - 179) < 6) grey++;
    }
    return { red: red / (width * height), grey: grey / (width * height) };
  });
  return found;
})()"""


async def test_the_lanes_show_the_red_wash_and_hatch_the_gap(city, look):
    looker = await look("zh")
    await looker.visit(city.url + PAGES["lead"])
    production, _, treatment = await looker.page.evaluate(WASHED)
    assert production["red"] > 0.03
    assert treatment["red"] > 0.03
    for _ in range(2):
        await looker.redrawn(looker.page.click("[data-zoom=out]"))
    await looker.shoot("lead-wide")
    production, _, treatment = await looker.page.evaluate(WASHED)
    assert treatment["grey"] > 0.002
    assert production["grey"] < treatment["grey"] / 4, "only the treatment meter was silent"
    assert "无数据" in (await looker.shown())[2]


async def test_dragging_zooms_to_the_raw_minute_and_a_double_click_resets(city, look):
    looker = await look("en")
    await looker.visit(city.url + PAGES["lead"])
    page, whole = looker.page, await looker.shown()
    over = page.locator(".plot .u-over").first
    box = await over.bounding_box()

    async def drag() -> None:
        await page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 40)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40, steps=6)
        await page.mouse.up()

    await looker.redrawn(drag())
    closer = await looker.shown()
    assert closer != whole
    assert "one point = 1 min" in closer[0]
    await page.mouse.move(box["x"] + 200, box["y"] + 60)
    await page.wait_for_function(
        "[...document.querySelectorAll('[data-readout]')].every(e => e.textContent.includes('kW'))"
    )
    readings = await page.locator("[data-readout]").all_inner_texts()
    assert all("kW" in reading for reading in readings), "one cursor for all lanes"
    assert len({reading.split(" · ")[0] for reading in readings}) == 1
    await looker.redrawn(over.dblclick())
    assert await looker.shown() == whole
    await looker.redrawn(page.click("tr.suppressed button"))
    assert await looker.shown() != whole
    await looker.shoot("lead-suppressed")
    await page.click("section.lane summary >> nth=0")
    # the table is filled when it is opened: more than a hundred rows, once it is
    await page.locator("section.lane table tbody tr").nth(100).wait_for(state="attached")
    assert looker.troubles == []


async def test_a_lead_is_reached_by_keys_alone(city, look):
    looker = await look("en")
    await looker.visit(city.url + "/leads")
    page = looker.page
    for key in "jjk":
        await page.keyboard.press(key)
    assert await page.evaluate("document.activeElement.textContent") == NAMES[0]
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/leads/{LEAD_ID}")
    await page.wait_for_selector(".link-state.live")
    await page.keyboard.press("j")
    await page.wait_for_url(lambda url: LEAD_ID not in url)


async def test_filters_are_the_server_s(city, look):
    looker = await look("zh")
    await looker.visit(city.url + "/leads")
    page = looker.page
    await page.select_option("[name=level]", "medium")
    await page.click("button[type=submit]")
    await page.wait_for_url("**level=medium**")
    assert await page.locator(".row-link").all_inner_texts() == [NAMES[1]]
    await page.goto(f"{city.url}/leads?q=无此企业")
    assert "没有符合条件的线索" in await page.inner_text("main")


async def test_the_language_is_switched_and_kept(city, look):
    looker = await look("zh")
    await looker.visit(city.url + "/leads?level=high")
    await looker.page.click("a.switch")
    await looker.page.wait_for_selector("html[lang=en]")
    assert "level=high" in looker.page.url
    await looker.page.goto(city.url + "/gateways")
    assert await looker.page.get_attribute("html", "lang") == "en"


async def store_more(dsn: str) -> None:
    async with await Database.open(dsn) as db:
        known = await load_registry(db)
        rows, now = empty_readings(17), to_us(datetime.now(UTC))
        rows["circuit"] = known.circuit_keys["E4-M1"]
        rows["ts"] = now - np.arange(17) * 1_000_000
        rows["p_kw"], rows["received_at"] = 5.0, now
        await write_batch(db, IngestBatch(rows=rows))


async def test_figures_are_live_and_come_back_after_a_restart(
    make_database, serve, short_folder, look
):
    dsn = make_database("pages_live")
    await seed(dsn)
    home = short_folder / "pages-home-live"
    looker = await look("en")
    with serve(dsn, home) as served:
        await looker.visit(served.url)
        await store_more(dsn)
        figure = "document.querySelector('[data-figure=readings_minute]').textContent"
        await looker.page.wait_for_function(f"() => Number({figure}) >= 17")
        began = time.monotonic()
        await asyncio.to_thread(served.stop)
        assert time.monotonic() - began < 6, "an open stream must not hold the process"
        await looker.page.wait_for_selector(".link-state.broken")
    with serve(dsn, home, served.port):
        await looker.page.wait_for_selector(".link-state.live", timeout=20_000)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", ["/", "/leads", "/gateways"])
async def test_an_empty_installation_says_what_to_do_next(empty_city, look, path, lang):
    looker = await look(lang)
    await looker.visit(empty_city.url + path)
    assert "wattwitness " in await looker.page.inner_text("main pre >> nth=0")
    await looker.shoot(f"empty-{path.strip('/') or 'overview'}")
    assert looker.troubles == []


async def test_what_is_not_there_is_told_in_both_languages(city, look):
    looker = await look("zh")
    response = await looker.page.goto(city.url + "/leads/L-none")
    assert response.status == 404
    text = await looker.page.inner_text("main")
    assert "此地址没有内容" in text
    assert "There is nothing at this address." in text
    await looker.shoot("not-found")


async def test_it_prints_without_its_controls(city, look):
    looker = await look("zh")
    await looker.visit(city.url + PAGES["lead"])
    await looker.page.emulate_media(media="print")
    assert not await looker.page.is_visible(".tools")
    assert await looker.page.is_visible(".sentence")


async def test_a_lead_is_decided_with_a_reason_and_taken_back(city, look):
    looker = await look("en")
    await looker.visit(city.url + PAGES["lead"])
    page = looker.page

    async def decide(outcome: str, reason: str, standing: str) -> None:
        await page.fill("[name=reason]", reason)
        await page.click(f"button[value={outcome}]")
        await page.wait_for_selector(f"h1 .status-{standing}")

    await page.click("button[value=confirmed]")
    assert await page.locator(".decisions").count() == 0, "without a reason nothing is kept"
    await page.fill("[name=actor]", "Li")
    await decide("confirmed", "the fan stood still", "confirmed")
    assert "the fan stood still" in await page.inner_text(".decisions")
    await looker.shoot("lead-decided")
    await page.goto(city.url + "/leads")
    assert NAMES[0] not in await page.locator(".row-link").all_inner_texts()
    await looker.visit(city.url + PAGES["lead"])
    assert await page.input_value("[name=actor]") == "Li"
    await decide("not_yet", "another fan was meant", "open")
    assert await page.locator(".decisions li").count() == 2
    assert looker.troubles == []
