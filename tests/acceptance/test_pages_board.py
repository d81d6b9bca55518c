"""The alert board in a real Chromium: it turns live, catches up, hangs on a wall, replays."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from wattwitness.domain.call_notes import CallNote
from wattwitness.domain.courses import PIECE_US, Moment, Piece
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import (
    DEFAULT_ZONE,
    US_PER_MINUTE,
    from_us,
    local_day,
    to_us,
)
from wattwitness.domain.readings import Readings, empty_readings
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
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode
from wattwitness.store.call_notes import add_call_note
from wattwitness.store.courses import save_late
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.verdicts import replace_verdicts, save_live_verdicts

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BEGAN = NOW - 5 * HOUR
PAST = NOW - timedelta(days=9)
NAMES = [
    "鑫源化工",
    "华泰铸造",
    "长城家具",
    "瑞丰水泥",
    "东方涂装",
    "永兴印刷",
    "利民砖厂",
    "金鼎陶瓷",
]
INDUSTRIES = ["化工", "铸造", "家具", "水泥", "涂装", "印刷", "砖瓦", "陶瓷"]
DISTRICTS = ["高新区", "城关镇", "开发区", "南湖乡"]
GRADES = [Grade.C, Grade.D, Grade.B, Grade.NONE, Grade.B_MINUS]
PLANTS = 36
IN_FORCE = Alert(
    alert_id="A1", level=AlertLevel.ORANGE, issued_at=BEGAN - 24 * HOUR, response_from=BEGAN,
    changes=(AlertChange(level=AlertLevel.RED, issued_at=BEGAN, response_from=BEGAN + HOUR),),
)  # fmt: skip
OVER = Alert(
    alert_id="A0", level=AlertLevel.YELLOW, issued_at=PAST - 24 * HOUR, response_from=PAST,
    lifted_at=PAST + 6 * HOUR, districts=("高新区",),
)  # fmt: skip


def plant(n: int) -> Enterprise:
    kind = n % len(NAMES)
    return Enterprise(
        enterprise_id=f"E{n:02d}",
        name=f"{NAMES[kind]}{n // len(NAMES) + 1 if n >= len(NAMES) else ''}有限公司",
        district=DISTRICTS[n % len(DISTRICTS)],
        industry=INDUSTRIES[kind],
        grade=GRADES[n % len(GRADES)],
    )


def registry() -> Registry:
    plants = [plant(n) for n in range(PLANTS)]
    gateways = [
        Gateway(gateway_id=f"G{p.enterprise_id}", enterprise_id=p.enterprise_id) for p in plants
    ]
    circuits = [
        Circuit(
            circuit_id=f"{p.enterprise_id}-{channel}", gateway_id=f"G{p.enterprise_id}",
            channel=channel, role=role, name=name, rated_kw=300.0,
        )
        for p in plants
        for channel, role, name in (
            ("P1", Role.PRODUCTION, "1#生产线"),
            ("P2", Role.PRODUCTION, "2#生产线"),
            ("T1", Role.TREATMENT, "治污风机"),
        )
    ]  # fmt: skip
    return Registry(
        enterprises={p.enterprise_id: p for p in plants},
        gateways={g.gateway_id: g for g in gateways},
        circuits={c.circuit_id: c for c in circuits},
        measures=tuple(
            Measure(enterprise_id=p.enterprise_id, level=AlertLevel.RED, action=MeasureAction.STOP)
            for p in plants
        ),
        alerts={"A1": IN_FORCE, "A0": OVER},
    )


CODES = [
    VerdictCode.VIOLATED, VerdictCode.COMPLIED, VerdictCode.COMPLIED, VerdictCode.PARTIAL,
    VerdictCode.COMPLIED, VerdictCode.INSUFFICIENT_DATA, VerdictCode.COMPLIED,
    VerdictCode.VIOLATED, VerdictCode.EXEMPT,
]  # fmt: skip


def verdict(n: int, code: VerdictCode | None = None, **changes) -> Verdict:
    """What is said of plant `n`: mixed words, each with numbers that fit it."""
    code = code or CODES[n % len(CODES)]
    usual_kw = 180.0 + 37 * n
    left = {VerdictCode.VIOLATED: 0.94, VerdictCode.PARTIAL: 0.55}.get(code, 0.02)
    runs = {VerdictCode.VIOLATED: 170.0, VerdictCode.PARTIAL: 60.0}.get(code, 4.0)
    limited = n % 3 == 1
    known = code != VerdictCode.INSUFFICIENT_DATA
    why = {VerdictCode.INSUFFICIENT_DATA: ("low_coverage",), VerdictCode.EXEMPT: ("voluntary",)}
    measure = MeasureVerdict(
        action=MeasureAction.LIMIT if limited else MeasureAction.STOP,
        scope=("*",),
        level=AlertLevel.RED,
        circuits=(f"E{n:02d}-P1", f"E{n:02d}-P2"),
        verdict=code,
        confidence=0.93 - 0.01 * (n % 9),
        from_=BEGAN + 2 * HOUR,
        to=NOW,
        running_minutes=runs if known else None,
        allowed_minutes=20.0,
        usual_minutes=178.0,
        energy_kwh=usual_kw * 3 * left if known else None,
        baseline_kwh=usual_kw * 3,
        interval_kwh=(usual_kw * 2.6, usual_kw * 3.3),
        missed_share=left,
        coverage=0.99 if known else 0.31,
        why=why.get(code, ()),
        like_days=10,
        compared_days=tuple(local_day(NOW, DEFAULT_ZONE) - timedelta(days=d) for d in range(2, 9)),
    )
    head = Verdict(
        alert_id="A1",
        enterprise_id=f"E{n:02d}",
        level=AlertLevel.RED,
        verdict=code,
        confidence=0.93 - 0.01 * (n % 9) if known else 0.0,
        as_of=NOW - (n % 4) * MINUTE if known else NOW - (40 + n) * MINUTE,
        measures=() if code == VerdictCode.EXEMPT else (measure,),
        now_kw=usual_kw * left if known else None,
        baseline_kw=usual_kw,
        required_kw=None if code == VerdictCode.EXEMPT else usual_kw * 0.5 * limited,
        why=why.get(code, ()),
        notes=(("shifted_night",), ("treatment_off_while_held",), ("silent_with_alert",))[n % 3]
        if n % 7 == 0
        else (),
        basis="b",
    )
    return replace(head, **changes)


def in_grace(n: int) -> Verdict:
    return verdict(
        n, VerdictCode.INSUFFICIENT_DATA, why=("grace",), now_kw=300.0, as_of=NOW,
        grace_until=NOW + 95 * MINUTE,
    )  # fmt: skip


def everything() -> list[Verdict]:
    return [in_grace(n) if n in {10, 20} else verdict(n) for n in range(PLANTS)]


async def put_readings(db: Database, known: Registry) -> None:
    """Two shifts of one plant; it stopped one of its lines an hour after the response."""
    rng = np.random.default_rng(5)
    for circuit in ("E00-P1", "E00-P2", "E00-T1"):
        ts = np.arange(to_us(NOW - timedelta(days=9)), to_us(NOW), US_PER_MINUTE)
        hour = (ts // (60 * US_PER_MINUTE) + 8) % 24
        mood = rng.normal(1, 0.15, 12)[(ts // (24 * 60 * US_PER_MINUTE)) % 12]
        works = (hour >= 1) & (hour < 22)
        kw = np.where(works, 150.0 * mood, 2.0) * rng.normal(1, 0.06, len(ts))
        if circuit == "E00-P2":
            kw[ts > to_us(BEGAN + HOUR)] = 1.0
        rows = empty_readings(len(ts))
        rows["circuit"], rows["ts"] = known.circuit_keys[circuit], ts
        rows["p_kw"], rows["received_at"] = kw.round(1), ts + 2_000_000
        await write_batch(db, IngestBatch(rows=rows))
    for n, it in enumerate(everything()):
        if n:  # what was judged was heard
            await write_batch(db, IngestBatch(rows=one_reading(known, n, it.as_of)))


def one_reading(known: Registry, n: int, at: datetime) -> Readings:
    """A reading of plant `n`."""
    row = empty_readings(1)
    row["circuit"], row["ts"], row["p_kw"] = known.circuit_keys[f"E{n:02d}-P1"], to_us(at), 90.0
    row["received_at"] = to_us(at)
    return row


async def hear(dsn: str, n: int, at: datetime) -> None:
    async with await Database.open(dsn, application="tests") as db:
        await write_batch(db, IngestBatch(rows=one_reading(await load_registry(db), n, at)))


async def late_data(db: Database, it: Verdict, at: datetime) -> None:
    """The analysis takes in late data and says something else of the same time."""
    async with db.transaction() as connection:
        key = await connection.fetchval(
            "SELECT enterprise_key FROM enterprises WHERE enterprise_id = $1", it.enterprise_id
        )
        await replace_verdicts(connection, key, [it], at)


async def minute_by_minute(db: Database, it: Verdict, begin: datetime, end: datetime) -> None:
    """What the watcher says of an enterprise."""
    for n in range((end - begin) // MINUTE + 1):
        at = begin + n * MINUTE
        await save_live_verdicts(db, [replace(it, as_of=at)], at)


async def judged_again(db: Database, it: Verdict) -> None:
    """The minutes of the alert by all that came."""
    minutes = range(to_us(BEGAN), to_us(NOW), US_PER_MINUTE)
    waits = replace(it, verdict=VerdictCode.INSUFFICIENT_DATA, why=("grace",))
    moments = [
        Moment(
            minute_us=us,
            verdict=replace(it if us > to_us(BEGAN + 2 * HOUR) else waits, as_of=from_us(us)),
            heard_us=us,
        )
        for us in minutes
    ]
    starts = sorted({us // PIECE_US * PIECE_US for us in minutes})
    pieces = [
        Piece(
            begins_us=start,
            rests_on=b"",
            moments=[m for m in moments if start <= m.minute_us < start + PIECE_US],
        )
        for start in starts
    ]
    await save_late(db, it.enterprise_id, it.alert_id, [], pieces)


async def seed(dsn: str) -> None:
    async with await Database.open(dsn, application="tests") as db:
        await upgrade(db)
        await save_registry(db, registry())
        await put_readings(db, await load_registry(db))
        begun = [
            replace(v, verdict=VerdictCode.INSUFFICIENT_DATA, why=("grace",), as_of=BEGAN + HOUR)
            for v in everything()
        ]
        await save_live_verdicts(db, begun, BEGAN + HOUR)
        before = [replace(v, as_of=v.as_of - 90 * MINUTE) for v in everything() if v.now_kw]
        await save_live_verdicts(db, before, NOW - 90 * MINUTE)
        for n in (3, 11):
            wrong, right = (
                verdict(n, word) for word in (VerdictCode.VIOLATED, VerdictCode.COMPLIED)
            )
            await minute_by_minute(db, wrong, NOW - 50 * MINUTE, NOW - 21 * MINUTE)
            await late_data(db, replace(right, as_of=NOW - 21 * MINUTE), NOW - 20 * MINUTE)
            await save_live_verdicts(db, [right], NOW)
            await judged_again(db, right)
        others = [v for v in everything() if v.enterprise_id not in {"E03", "E11"}]
        half = [replace(v, as_of=v.as_of - 31 * MINUTE) for v in others if v.now_kw]
        await save_live_verdicts(db, half, NOW - 31 * MINUTE)
        await save_live_verdicts(db, others, NOW)
        for n, minutes in ((7, 30), (16, -5)):
            note = CallNote(
                note_id=0, alert_id="A1", enterprise_id=f"E{n:02d}", at=NOW - 45 * MINUTE,
                actor="李敏", text="答应停产", promised_at=NOW + minutes * MINUTE,
            )  # fmt: skip
            await add_call_note(db, note)


@pytest.fixture(scope="module")
def seeded(make_database, in_loop):
    dsn = make_database("board")
    in_loop(seed(dsn))
    return dsn


@pytest.fixture(scope="module")
def city(seeded, serve, short_folder):
    with serve(seeded, short_folder / "board-home") as served:
        yield served


PAGES = {
    "board": "/board/A1",
    "board-replay": f"/board/A1/replay?at={(NOW - 30 * MINUTE):%Y-%m-%dT%H:%M:%SZ}",
    "board-enterprise": "/enterprises/E00?alert=A1",
    "board-past": "/board/A0",
}
SAYS = {
    "board": {
        "zh": [
            "红色预警",
            "立即致电",
            "未落实",
            "已落实",
            "含补传数据",
            "承诺时间已过",
            "宽限期剩",
        ],
        "en": ["Red alert", "Call now", "not cut", "cut made", "with late data", "call again"],
    },
    "board-replay": {
        "zh": ["播放", "当时所知"],
        "en": ["as known then", "with late data"],
    },
    "board-enterprise": {
        "zh": ["预警期间曲线", "停产", "可比日"],
        "en": ["Curves under the alert", "10 like days", "The verdict turned"],
    },
    "board-past": {"zh": ["黄色预警", "历时"], "en": ["Yellow alert", "lasted 6 h"]},
}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def go(looker, url: str, wait: str = "table.board tbody tr[id]") -> None:
    await looker.page.goto(url, wait_until="domcontentloaded")
    await looker.page.wait_for_selector(wait)


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
async def test_page(city, look, name, lang, size):
    looker = await look(lang, size)
    chart = "enterprise" in name
    await go(looker, city.url + PAGES[name], "#lanes[data-drawn]" if chart else "tr[id]")
    if "replay" not in name:
        await looker.page.wait_for_selector(".link-state.live")
    await looker.page.wait_for_timeout(300)
    text = await looker.page.inner_text("body")
    await looker.shoot(name)
    assert [part for part in SAYS[name][lang] if part not in text] == []
    assert await looker.page.evaluate(WIDER) == 0
    assert looker.troubles == []
    assert looker.hosts == {f"127.0.0.1:{city.port}"}


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_no_column_is_cut_off_on_smaller_desks(city, look, lang):
    looker = await look(lang)
    await go(looker, f"{city.url}/board/A1")
    for width in (1366, 1280, 1200, 1120, 1024, 900, 800, 760, 600, 320):
        await looker.page.set_viewport_size({"width": width, "height": 800})
        over = await looker.page.evaluate(
            "document.querySelector('table.board').scrollWidth"
            " - document.getElementById('board').clientWidth"
        )
        assert over <= 0, width
        assert await looker.page.evaluate(WIDER) == 0, width


async def say(dsn: str, *verdicts: Verdict) -> None:
    async with await Database.open(dsn, application="tests") as db:
        await save_live_verdicts(db, verdicts, datetime.now(UTC))


def group_of(page, n: int):
    return page.evaluate(
        f"document.getElementById('row-E{n:02d}')?.closest('tbody').dataset.group ?? null"
    )


async def until_in(page, n: int, group: str) -> None:
    await page.wait_for_function(
        "([row, group]) => document.getElementById(row)?.closest('tbody').dataset.group === group",
        arg=[f"row-E{n:02d}", group],
        timeout=15_000,
    )


@pytest.fixture
async def own(make_database, numbers, serve, short_folder):
    """A board of its own that a test may change."""
    dsn = make_database(f"board_own_{next(numbers)}")
    await seed(dsn)
    return dsn, short_folder / "board-own-home"


@pytest.fixture(scope="module")
def numbers():
    return itertools.count()


async def test_a_row_turns_live_in_place_and_its_age_ticks(own, serve, look):
    dsn, home = own
    looker = await look("en")
    streams = []
    looker.page.on("request", lambda r: "/stream?" in r.url and streams.append(r.url))
    with serve(dsn, home) as served:
        await go(looker, f"{served.url}/board/A1")
        page = looker.page
        await page.wait_for_selector(".link-state.live")
        assert await group_of(page, 0) == "call"
        await page.evaluate("window.kept = document.getElementById('row-E00')")
        await page.focus("#row-E00 a")
        heard = datetime.now(UTC)
        await hear(dsn, 1, heard)
        await say(dsn, verdict(0, VerdictCode.COMPLIED, as_of=heard), verdict(1, as_of=heard))
        await until_in(page, 0, "done")
        assert await page.evaluate("window.kept === document.getElementById('row-E00')")
        assert await page.evaluate("document.activeElement.closest('tr').id") == "row-E00"
        assert "cut made" in await page.inner_text("#row-E00 .c-verdict")
        assert await page.inner_text("[data-count=violated]") == "7"
        first = await page.inner_text("#row-E01 [data-slot=age]")
        assert first.endswith(" s")
        await page.wait_for_function(
            "was => document.querySelector('#row-E01 [data-slot=age]').textContent !== was",
            arg=first,
        )
        assert len(streams) == 1, "a tab opens one stream"
        assert looker.troubles == []


async def test_a_lost_connection_is_told_and_catches_up_by_itself(own, serve, look):
    dsn, home = own
    looker = await look("zh")
    with serve(dsn, home) as served:
        await go(looker, f"{served.url}/board/A1")
        await looker.page.wait_for_selector(".link-state.live")
        await asyncio.to_thread(served.stop)
        await looker.page.wait_for_selector(".link-state.broken")
    await say(dsn, verdict(7, VerdictCode.COMPLIED, as_of=NOW + 5 * MINUTE))
    assert await group_of(looker.page, 7) == "resting"
    with serve(dsn, home, served.port):
        await until_in(looker.page, 7, "done")
        await looker.page.wait_for_selector(".link-state.live")


async def test_filters_are_the_server_s_and_hold_for_what_comes(own, serve, look):
    dsn, home = own
    looker = await look("en")
    with serve(dsn, home) as served:
        await go(looker, f"{served.url}/board/A1")
        page = looker.page
        await page.select_option("[name=standing]", "violated")
        await page.wait_for_url("**standing=violated**")
        await page.select_option("[name=district]", "高新区")
        await page.wait_for_url("**district=**")
        await page.wait_for_selector(".link-state.live")
        rows = page.locator("table.board tbody tr[id]")
        assert await rows.count() == 2
        assert set(await page.locator("[data-slot=district]").all_inner_texts()) == {"高新区"}
        assert await page.inner_text("[data-count=complied]") == "3"
        await say(dsn, verdict(0, VerdictCode.COMPLIED, as_of=NOW + 5 * MINUTE))
        await page.wait_for_selector("#row-E00", state="detached")
        assert await page.inner_text("[data-count=complied]") == "4"
        await say(dsn, verdict(4, VerdictCode.VIOLATED, as_of=NOW + 5 * MINUTE))
        await until_in(page, 4, "call")


async def test_a_call_is_noted_in_the_row_which_rests_and_comes_back(own, serve, look):
    dsn, home = own
    looker = await look("en")
    with serve(dsn, home) as served:
        await go(looker, f"{served.url}/board/A1")
        page = looker.page
        await page.click("#row-E09 [data-call]")
        await page.fill(".calling [name=text]", "stops the kiln")
        await page.fill(".calling [name=actor]", "Li")
        soon = (datetime.now(DEFAULT_ZONE) + 2 * MINUTE).strftime("%H:%M")
        await page.fill(".calling [name=promised]", soon)
        await looker.shoot("board-calling")
        await page.click(".calling [type=submit]")
        await until_in(page, 9, "resting")
        said = await page.inner_text("#row-E09 [data-slot=call]")
        assert "stops the kiln" in said
        assert soon in said
        async with await Database.open(dsn, application="tests") as db, db.transaction() as link:
            await link.execute(  # time does not wait for the test
                "UPDATE call_notes SET at = at - interval '9 min',"
                " promised_at = promised_at - interval '9 min' WHERE enterprise_id = 'E09'"
            )
        await until_in(page, 9, "call")
        assert "call again" in await page.inner_text("#row-E09 [data-slot=call]")
        await page.click("#row-E16 [data-call]")
        assert await page.input_value(".calling [name=actor]") == "Li", "remembered"
        assert looker.troubles == []


async def test_the_wall_needs_no_scrolling_and_turns_its_pages(city, look):
    looker = await look("zh")
    await looker.page.set_viewport_size({"width": 1920, "height": 1080})
    await go(looker, f"{city.url}/board/A1?wall=1")
    page = looker.page
    await page.wait_for_selector("[data-wall-page]:not([hidden])")
    assert not await page.is_visible(".top nav")
    rows = "[...document.querySelectorAll('tbody tr')].filter(r => r.offsetParent)"
    first = await page.evaluate(f"String({rows}.map(r => r.id))")
    assert first.count("row-") >= 6
    bottoms = await page.evaluate(f"{rows}.map(r => r.getBoundingClientRect().bottom)")
    assert max(bottoms) <= 1080
    size = await page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('.c-who a')).fontSize)"
    )
    assert size >= 36, "a name is 4 % of the height: readable from five metres"
    await looker.shoot("board-wall")
    await page.wait_for_function(
        f"was => String({rows}.map(r => r.id)) !== was", arg=first, timeout=15_000
    )
    assert looker.troubles == []


async def test_a_past_minute_is_replayed_by_keys_and_with_late_data(city, look):
    looker = await look("en")
    at = NOW - 30 * MINUTE
    await go(looker, f"{city.url}/board/A1/replay?at={at:%Y-%m-%dT%H:%M:%SZ}")
    page = looker.page

    async def shown(knowledge: str, moment: datetime) -> None:
        await page.wait_for_function(
            "want => document.getElementById('board').dataset.shown === want",
            arg=f"{knowledge} {moment:%Y-%m-%dT%H:%M:%S}Z",
        )

    await shown("then", at)
    assert await group_of(page, 3) == "call", "the late data had not come"
    assert await group_of(page, 9) == "call"
    await page.check("[value=late]")
    await shown("late", at)
    assert await group_of(page, 3) == "done"
    await page.check("[value=then]")
    await page.focus("#replay-at")
    await page.keyboard.press("ArrowRight")
    await shown("then", at + MINUTE)
    for _ in range(3):
        await page.keyboard.press("ArrowLeft")
    await shown("then", at - 2 * MINUTE)
    await page.goto(f"{city.url}/board/A1/replay?at={BEGAN + 65 * MINUTE:%Y-%m-%dT%H:%M:%SZ}")
    await shown("then", BEGAN + 65 * MINUTE)
    assert await group_of(page, 3) == "grace"
    await page.click("[data-play]")
    await shown("then", BEGAN + 67 * MINUTE)
    assert looker.troubles == []


async def test_an_empty_installation_says_where_alerts_come_from(
    make_database, serve, look, short_folder
):
    dsn = make_database("board_empty")
    looker = await look("en")
    with serve(dsn, short_folder / "board-empty-home") as served:
        await looker.visit(f"{served.url}/board")
        assert "wattwitness alert declare" in await looker.page.inner_text("main")


async def test_the_strictest_open_alert_is_the_board(city, look):
    looker = await look("zh")
    await looker.visit(city.url + "/")
    assert await looker.page.locator(".top nav a").first.inner_text() == "调度看板"
    await looker.page.click(".top nav a >> nth=0")
    await looker.page.wait_for_url("**/board/A1")
