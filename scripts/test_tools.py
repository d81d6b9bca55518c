"""Install what the tests need and pip cannot bring: mosquitto and a Chromium with Chinese fonts."""

import shutil
import subprocess
import sys

from playwright._impl._driver import compute_driver_executable

from wattwitness.commands.system_packages import ensure_mosquitto, install
from wattwitness.domain.errors import SetupError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def tell(line: str) -> None:
    """Say what is being installed; it takes a while."""
    print(f"[test] {line}", flush=True)


def runs(command: list[str]) -> bool:
    """Whether a program starts (a name on the PATH may be a stub, a library may be missing)."""
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def ensure_driver() -> None:
    """The program that drives the browser needs a library that minimal systems leave out."""
    node, _ = compute_driver_executable()
    if not runs([str(node), "--version"]):
        install(["libatomic1"], "install libatomic", tell)


def ensure_browser() -> None:
    """A Chromium, from the system's packages or, failing that, from Playwright."""
    if any(runs([name, "--version"]) for name in BROWSERS if shutil.which(name)):
        return
    try:
        install(["chromium", "fonts-noto-cjk"], "install Chromium", tell)
    except SetupError:
        tell("no system Chromium: asking Playwright for its own")
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    try:
        ensure_mosquitto(tell)
        ensure_driver()
        ensure_browser()
    except SetupError as error:
        sys.exit(f"wattwitness: {error}")
    except subprocess.CalledProcessError:
        sys.exit("wattwitness: no browser for the page tests - install Chromium and repeat")
