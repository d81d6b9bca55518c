"""Install what the tests need and pip cannot bring: mosquitto and a Chromium with Chinese fonts."""

import shutil
import subprocess
import sys

from wattwitness.commands.system_packages import ensure_mosquitto, install
from wattwitness.domain.errors import SetupError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def tell(line: str) -> None:
    """Say what is being installed; it takes a while."""
    print(f"[test] {line}", flush=True)


def ensure_browser() -> None:
    """A Chromium, from the system's packages or, failing that, from Playwright."""
    if any(map(shutil.which, BROWSERS)):
        return
    try:
        install(["chromium", "fonts-noto-cjk"], "install Chromium", tell)
    except SetupError:
        tell("no system Chromium: asking Playwright for its own")
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    try:
        ensure_mosquitto(tell)
        ensure_browser()
    except SetupError as error:
        sys.exit(f"wattwitness: {error}")
    except subprocess.CalledProcessError:
        sys.exit("wattwitness: no browser for the page tests - install Chromium and repeat")
