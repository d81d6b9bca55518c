"""The assessment in a real Chromium: from the board to one sheet of paper, in both languages."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from wattwitness.domain.registry import Alert, AlertLevel, Enterprise, MeasureAction, Registry
from wattwitness.domain.verdicts import MeasureVerdict, Verdict, VerdictCode
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import save_registry
from wattwitness.store.verdicts import save_live_verdicts

HOUR = timedelta(hours=1)
BEGAN = datetime(2026, 11, 10, 0, tzinfo=UTC)
LIFT = BEGAN + 36 * HOUR
DISTRICTS = [
    "高新区", "城关镇", "开发区", "南湖乡", "历城区", "章丘区", "长清区", "济阳区", "莱芜区",
]  # fmt: skip
INDUSTRIES = ["化工", "铸造", "家具", "水泥", "涂装", "印刷"]
PLANTS = 72
CITY = Registry(
    enterprises={
        f"E{n:02d}": Enterprise(
            enterprise_id=f"E{n:02d}", name=f"鑫源铸造有限责任公司第 {n} 厂",
            district=DISTRICTS[n % 9], industry=INDUSTRIES[n % 6],
        )
        for n in range(PLANTS)
    },
    alerts={
        "A1": Alert(
            alert_id="A1", level=AlertLevel.RED, issued_at=BEGAN - HOUR, response_from=BEGAN,
            lifted_at=LIFT,
        )
    },
)  # fmt: skip


def verdict(n: int) -> Verdict:
    code = list(VerdictCode)[n % 5]
    share = {VerdictCode.COMPLIED: 0.05, VerdictCode.PARTIAL: 0.4}.get(code, 0.9)
    usual = 5_000.0 + 100 * n
    measure = MeasureVerdict(
        action=MeasureAction.STOP, scope=("*",), level=AlertLevel.RED, circuits=(f"P{n}",),
        verdict=code, confidence=0.9, from_=BEGAN + 2 * HOUR, to=LIFT, running_minutes=2000 * share,
        allowed_minutes=20.0, usual_minutes=2000.0, energy_kwh=share * usual, baseline_kwh=usual,
        interval_kwh=(0.9 * usual, 1.1 * usual), missed_share=None, coverage=1.0,
        running_share=share,
    )  # fmt: skip
    undecided = code is VerdictCode.INSUFFICIENT_DATA
    return Verdict(
        alert_id="A1", enterprise_id=f"E{n:02d}", level=AlertLevel.RED, verdict=code,
        confidence=0.9, as_of=LIFT, measures=(measure,),
        why=("low_coverage",) if undecided else (),
        notes=("silent_with_alert",) if undecided else (),
    )  # fmt: skip


async def seed(dsn: str) -> None:
    async with await Database.open(dsn, application="tests") as db:
        await upgrade(db)
        await save_registry(db, CITY)
        await save_live_verdicts(db, [verdict(n) for n in range(PLANTS)], LIFT)


@pytest.fixture(scope="module")
def city(make_database, in_loop, serve, short_folder):
    dsn = make_database("assessment")
    in_loop(seed(dsn))
    with serve(dsn, short_folder / "assessment-home") as served:
        yield served


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_from_the_board_to_one_sheet_of_paper(city, look, lang):
    looker = await look(lang)
    page = looker.page
    await looker.visit(f"{city.url}/board/A1")
    await page.click('a[href="/alerts/A1/assessment"]')
    await page.wait_for_selector(".assessment")
    await looker.shoot("assessment")
    assert await page.locator(".assessment .card").count() == 10
    assert await page.locator("#top tbody tr").count() == 10
    # bars carry words, and a second or third of them is not told by colour alone
    words = await page.locator("#compliance .stack-words").inner_text()
    assert ("已落实" if lang == "zh" else "cut made") in words
    printed = await page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type /Page\b", printed)) == 1
    async with page.expect_download() as asked:
        await page.click('a[href*="assessment.pdf"]')
    path = await (await asked.value).path()
    assert path.read_bytes().startswith(b"%PDF-")
    assert looker.troubles == []


async def test_on_a_telephone_nothing_is_wider_than_the_screen(city, look):
    looker = await look("zh", "phone")
    await looker.visit(f"{city.url}/alerts/A1/assessment")
    await looker.shoot("assessment")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await looker.page.evaluate(wide) <= 0
    assert looker.troubles == []
