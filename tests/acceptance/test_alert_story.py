"""One alert from its declaration to its assessment, as a coordinator lives it, in a real Chromium.

Real processes (`wattwitness up`), real files in, no result put into the store by hand.
"""

import asyncio
import csv
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from playwright.async_api import expect

from wattwitness.domain.instants import DEFAULT_ZONE

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
MINUTE = timedelta(minutes=1)
KNOWN = NOW - 30 * MINUTE  # what is imported at first ends here
RESPONSE = NOW - 180 * MINUTE
HISTORY = timedelta(days=16)
PLANTS = {  # enterprise → name, grade, what it does from the response on
    "HT": ("华泰铸造有限公司", "D", "works on, then stops"),
    "YX": ("永兴印刷有限公司", "C", "works on"),
    "RF": ("瑞丰水泥有限公司", "C", "stops"),
    "CC": ("长城家具有限公司", "D", "is silent"),
    "TC": ("天成制药有限公司", "A", "is asked for nothing"),
}
PATIENCE_MS = 90_000


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def registry(folder):
    folder.mkdir()
    write(folder / "enterprises.csv", [
        {
            "enterprise_id": e, "name": name, "grade": grade, "district": "高新区",
            "industry": name[2:4],
        }
        for e, (name, grade, _) in PLANTS.items()
    ])  # fmt: skip
    write(folder / "gateways.csv", [{"gateway_id": f"G{e}", "enterprise_id": e} for e in PLANTS])
    write(folder / "circuits.csv", [
        {
            "circuit_id": f"{e}-{channel}", "gateway_id": f"G{e}", "channel": channel, "role": role,
            "rated_kw": rated, "resolution_kw": 0.1,
        }
        for e in PLANTS
        for channel, role, rated in (("P1", "production", 160), ("T1", "treatment", 20))
    ])  # fmt: skip
    write(folder / "pairings.csv", [
        {"pairing_id": f"{e}-1", "production": f"{e}-P1", "treatment": f"{e}-T1"} for e in PLANTS
    ])  # fmt: skip
    write(folder / "measures.csv", [
        {"enterprise_id": e, "level": "orange", "action": "stop", "grace_min": 30}
        for e, (_, grade, _) in PLANTS.items() if grade != "A"
    ])  # fmt: skip
    return folder


def readings(enterprise_id, begins, ends, share=1.0, resent=0):
    """Minutes of a plant that rests for ten minutes in every two hours."""
    noise = np.random.default_rng(sum(enterprise_id.encode()) + int(begins.timestamp()) % 1000)
    size = {e: 120.0 + 15 * n for n, e in enumerate(PLANTS)}[enterprise_id]
    found, at = [], begins
    while at < ends:
        works = share if (at.timestamp() // 60) % 120 >= 10 else 0.0
        for channel, kw in (("P1", size), ("T1", 15.0)):
            p_kw = works * kw * noise.normal(1.0, 0.02)
            received = NOW if resent else at + timedelta(seconds=2)
            found.append({
                "circuit_id": f"{enterprise_id}-{channel}", "ts": at.isoformat(),
                "p_kw": f"{p_kw:.1f}", "received_at": received.isoformat(), "resent": resent,
            })  # fmt: skip
        at += MINUTE
    return found


def wattwitness(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "wattwitness", *map(str, arguments)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def running(home, monkeypatch):
    """`wattwitness up`; gives the address of its pages."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setenv("WATTWITNESS_HTTP", address)
    process = subprocess.Popen([sys.executable, "-m", "wattwitness", "up"], env=dict(os.environ))
    try:
        for _ in range(600):
            assert process.poll() is None, "`wattwitness up` ended"
            try:
                if httpx.get(f"http://{address}/readyz", timeout=2).is_success:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        yield f"http://{address}"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def local(instant):
    return instant.astimezone(DEFAULT_ZONE).strftime("%Y-%m-%dT%H:%M")


def row(looker, name, group):
    return looker.page.locator(f'#board tbody[data-group="{group}"] tr').filter(has_text=name)


async def sign(page, form, reason):
    await page.fill(f"{form} [name=reason]", reason)
    await page.fill(f"{form} [name=actor]", "王调度")


@pytest.mark.timeout(600)
async def test_an_alert_from_declaration_to_assessment(running, look, tmp_path):
    wattwitness("import", "registry", registry(tmp_path / "registry"))
    past = []
    for e, (_, _, conduct) in PLANTS.items():
        past += readings(e, NOW - HISTORY, RESPONSE + 10 * MINUTE)
        if conduct != "is silent":
            past += readings(e, RESPONSE + 10 * MINUTE, KNOWN, 0.0 if conduct == "stops" else 1.0)
    wattwitness("import", "readings", write(tmp_path / "past.csv", past))

    desk = await look("zh")
    page = desk.page
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    await desk.visit(f"{running}/alerts")
    await page.select_option("#declare [name=level]", "orange")
    await page.fill("#declare [name=response_from]", local(RESPONSE))
    await page.fill("#declare [name=issued_at]", local(RESPONSE - 24 * 60 * MINUTE))
    await sign(page, "#declare", "市应急办〔2026〕18 号")
    await desk.shoot("story-1-declare")
    await page.click("#declare button[type=submit]")
    address = await page.locator('a[href^="/board/"]').first.get_attribute("href")
    board, alert = f"{running}{address}", address.rsplit("/", 1)[1]

    await desk.visit(board)
    await expect(row(desk, "华泰铸造", "call")).to_have_count(1)
    await expect(row(desk, "永兴印刷", "call")).to_have_count(1)
    await expect(row(desk, "瑞丰水泥", "done")).to_have_count(1)
    await expect(row(desk, "长城家具", "check")).to_have_count(1)
    await expect(row(desk, "天成制药", "exempt")).to_have_count(1)
    await expect(row(desk, "长城家具", "check").locator(".c-age")).to_contain_text("小时")
    await desk.shoot("story-2-board")

    # a plant stops: its row turns, on the open board
    stopped = readings("YX", KNOWN, NOW)
    stopped += [r for e in ("HT", "RF") for r in readings(e, KNOWN, NOW, 0.0)]
    wattwitness("import", "readings", write(tmp_path / "stopped.csv", stopped))
    await expect(row(desk, "华泰铸造", "stopped")).to_have_count(1)
    await desk.shoot("story-3-stopped")

    # a gateway that was cut off sends what it kept: cannot say → complied, with its trace
    late = readings("CC", RESPONSE + 10 * MINUTE, NOW, 0.0, resent=1)
    wattwitness("import", "readings", write(tmp_path / "late.csv", late))
    flipped = row(desk, "长城家具", "done")
    await expect(flipped).to_have_count(1)
    await expect(flipped.locator(".trace")).to_contain_text("补")
    await desk.shoot("story-4-late")

    # the one that still runs is called
    await row(desk, "永兴印刷", "call").locator("[data-call]").click()
    await page.fill("tr.calling [name=text]", "值班厂长：马上停")
    await page.fill("tr.calling [name=promised]", local(NOW + 120 * MINUTE)[-5:])
    await page.fill("tr.calling [name=actor]", "王调度")
    await desk.shoot("story-5-call")
    await page.click("tr.calling button[type=submit]")
    await expect(row(desk, "永兴印刷", "resting")).to_have_count(1)
    await desk.shoot("story-6-called")

    phone = await look("en", "phone")
    await phone.visit(board)
    await expect(row(phone, "永兴印刷", "resting")).to_have_count(1)
    await phone.shoot("story-6-called")

    # lifted, and assessed
    await desk.visit(f"{running}/alerts/{alert}")
    await page.click("#lift summary")
    await sign(page, "#lift", "空气质量好转")
    await desk.shoot("story-7-lift")
    await page.click("#lift button[type=submit]")
    await page.wait_for_load_state("domcontentloaded")
    after = datetime.now(UTC) + 3 * MINUTE  # minutes after the lift: the order's time is over
    rest = [
        r
        for e, (_, grade, conduct) in PLANTS.items() if grade != "A"
        for r in readings(e, NOW, after, 1.0 if conduct == "works on" else 0.0)
    ]  # fmt: skip
    wattwitness("import", "readings", write(tmp_path / "rest.csv", rest))
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while "kWh" not in await page.inner_text("main"):
            await asyncio.sleep(1)
            await desk.visit(f"{running}/alerts/{alert}/assessment")
    await expect(page.locator("main")).to_contain_text("高新区")
    await desk.shoot("story-8-assessment")
    await phone.visit(f"{running}/alerts/{alert}/assessment")
    await phone.shoot("story-8-assessment")
    assert not desk.troubles
    assert not phone.troubles
