"""What no Python wheel carries (mosquitto, a browser) comes from the system's package manager."""

import os
import shutil
import subprocess
from collections.abc import Callable

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.embedded_mosquitto import REMEDY, find_mosquitto

# manager → (commands that refresh its lists, command that installs)
_MANAGERS: dict[str, tuple[list[str], list[str]]] = {
    "apt-get": (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q"]),
    "dnf": ([], ["dnf", "install", "-y", "-q"]),
    "apk": ([], ["apk", "add", "--no-cache"]),
    "pacman": ([], ["pacman", "-Sy", "--noconfirm"]),
    "zypper": ([], ["zypper", "--non-interactive", "install"]),
    "brew": ([], ["brew", "install"]),
}


def install(packages: list[str], remedy: str, tell: Callable[[str], None]) -> None:
    """Install system packages, where this user may.

    Raises:
        SetupError: there is no package manager, no right to use it, or it failed.
    """
    names = " ".join(packages)
    manager = next((name for name in _MANAGERS if shutil.which(name)), None)
    privilege = _privilege(manager)
    if manager is None or privilege is None:
        raise SetupError(f"{names} is not installed and may not be installed from here", remedy)
    tell(f"{names} is missing: installing it with {manager}")
    refresh, add = _MANAGERS[manager]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in filter(None, (refresh, [*add, *packages])):
        done = subprocess.run(
            [*privilege, *command], env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise SetupError(f"{manager} could not install {names}: {last}", remedy)


def ensure_mosquitto(tell: Callable[[str], None]) -> str:
    """Path of the mosquitto program, installed now if it was missing.

    Raises:
        SetupError: it is missing and cannot be installed from here.
    """
    if find_mosquitto() is None:
        install(["mosquitto"], REMEDY, tell)
        _stop_system_broker()
    found = find_mosquitto()
    if found is None:
        raise SetupError("mosquitto was installed but is not found", REMEDY)
    return found


def _privilege(manager: str | None) -> list[str] | None:
    """What to put before the command: nothing, sudo without a password, or None = may not."""
    if manager == "brew" or (hasattr(os, "geteuid") and os.geteuid() == 0):
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def _stop_system_broker() -> None:
    """The package starts a system-wide broker of its own; we asked only for the program."""
    privilege = _privilege(None) or []
    if shutil.which("systemctl"):
        command = [*privilege, "systemctl", "disable", "--now", "mosquitto"]
        subprocess.run(command, capture_output=True, check=False)
