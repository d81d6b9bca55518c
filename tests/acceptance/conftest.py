"""Pages in a real Chromium, against server processes of their own over a real PostgreSQL."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import asyncpg
import pytest
from playwright.async_api import async_playwright

ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desktop": (1360, 900), "phone": (390, 844)}


def in_a_loop(work):
    """Run a coroutine from a fixture or test that may itself be inside a loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def create_database(server: str, name: str) -> str:
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    head, question, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """A server process of its own, ready inside its `with` block."""

    def __init__(self, dsn: str, home: Path, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WATTWITNESS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dashboards", "--port", str(self.port)],
            env={**kept, "WATTWITNESS_DATABASE_URL": dsn, "WATTWITNESS_HOME": str(home)},
        )

    def __enter__(self) -> Self:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310
                    assert answer.status == 200
                    return self
            except OSError:
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.1)
        self.process.kill()
        raise AssertionError("the server did not become ready")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


@pytest.fixture(scope="session")
def serve():
    """A server process over a database: `with serve(dsn, home) as served`."""
    return Served


@pytest.fixture(scope="session")
def make_database(postgres_url):
    """An empty database by name; gives its DSN."""
    return lambda name: in_a_loop(create_database(postgres_url, f"{name}_{os.getpid()}"))


@pytest.fixture(scope="session")
def in_loop():
    """Run a coroutine from a fixture that may itself be inside a loop."""
    return in_a_loop


class Looker:
    """A page of the browser that remembers what went wrong on it."""

    def __init__(self, page, lang: str, size: str) -> None:
        self.page, self.lang, self.size = page, lang, size
        self.troubles: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._heard)
        page.on("pageerror", lambda e: self.troubles.append(str(e)))
        page.on("request", lambda r: self.hosts.add(urlsplit(r.url).netloc))

    def _heard(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(message.text)

    async def visit(self, url: str) -> None:
        await self.page.goto(url, wait_until="domcontentloaded")
        await self.page.wait_for_selector(".link-state.live")
        if await self.page.query_selector("#lanes"):
            await self.page.wait_for_selector("#lanes[data-drawn]")
            await self.page.wait_for_timeout(150)

    async def shoot(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        path = ARTIFACTS / f"{name}-{self.lang}-{self.size}.png"
        await self.page.screenshot(path=path, full_page=True)

    async def shown(self) -> list[str]:
        return await self.page.locator("[data-shown]").all_inner_texts()

    async def redrawn(self, act) -> None:
        before = await self.page.get_attribute("#lanes", "data-drawn")
        await act
        await self.page.wait_for_function(
            "before => document.getElementById('lanes').dataset.drawn !== before", arg=before
        )
        await self.page.wait_for_timeout(100)


@pytest.fixture
async def look():
    if CHROMIUM is None:
        pytest.fail("no Chromium on the PATH; install the package chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)

        async def open_(lang: str, size: str = "desktop") -> Looker:
            width, height = SIZES[size]
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                locale={"zh": "zh-CN", "en": "en-US"}[lang],
                timezone_id="America/New_York",  # pages speak the installation's zone, not this
            )
            return Looker(await context.new_page(), lang, size)

        yield open_
        await browser.close()
