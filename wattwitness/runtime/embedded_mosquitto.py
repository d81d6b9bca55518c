"""A mosquitto of our own: own port on the loopback, persistence, queues that do not drop silently.

The configuration is `mosquitto.conf` beside this module; docker-compose.yml uses the same file's
settings. A broker that loses power may still lose what it has acknowledged (measured), which is why
gateways wait for the collector's proof of delivery.
"""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import psutil

from wattwitness.domain.errors import SetupError

_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 10.0
REMEDY = "install it (Debian, Ubuntu: apt-get install mosquitto; macOS: brew install mosquitto)"


def find_mosquitto() -> str | None:
    """Path of the mosquitto program; Debian keeps it where users' PATHs do not look."""
    return shutil.which("mosquitto") or shutil.which(
        "mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
    )


def start_mosquitto(folder: Path, preferred_port: int) -> str:
    """Start (or join) the broker of `folder`; returns its URL.

    Raises:
        SetupError: mosquitto is missing or does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    running = _running_port(folder)
    if running:
        return f"mqtt://127.0.0.1:{running}"
    program = find_mosquitto()
    if program is None:
        raise SetupError("mosquitto, the MQTT broker, is not installed", REMEDY)
    for port in _free_ports(preferred_port):
        if _start_on(program, folder, port):
            (folder / "port").write_text(str(port), encoding="utf-8")
            return f"mqtt://127.0.0.1:{port}"
    said = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    raise SetupError(
        f"mosquitto does not start: {said[-1] if said else 'no message'}", f"see {folder / 'log'}"
    )


def _start_on(program: str, folder: Path, port: int) -> bool:
    """Whether a broker of ours came to listen there; another may have been quicker."""
    configuration = _write_configuration(folder, port)
    (folder / "pid").unlink(missing_ok=True)
    (folder / "log").touch()
    # it makes itself a daemon, so that it outlives whichever of its users started it
    subprocess.run([program, "-d", "-c", str(configuration)], capture_output=True, check=False)
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        process = _process(folder)
        if process is None and _has_written(folder / "pid"):
            return False
        if process is not None and _listens(process, port):
            return True
        time.sleep(0.02)
    return False


def _has_written(pid_file: Path) -> bool:
    """Whether the broker has said its pid; the file is there, and empty, a moment before."""
    return pid_file.exists() and bool(pid_file.read_text(encoding="utf-8").strip())


def stop_mosquitto(folder: Path) -> None:
    """Stop the broker of `folder`; it writes its queues to disk on the way out."""
    process = _process(folder)
    if process is not None:
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process.terminate()
            process.wait(_STOP_TIMEOUT_S)


def _process(folder: Path) -> psutil.Process | None:
    """The running broker of `folder`, if there is one."""
    try:
        process = psutil.Process(int((folder / "pid").read_text(encoding="utf-8")))
        ours = str(folder / "mosquitto.conf") in process.cmdline()  # not the system's own broker
        alive = ours and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.Error):
        return None
    return process if alive else None


def _running_port(folder: Path) -> int | None:
    if _process(folder) is None:
        return None
    return int((folder / "port").read_text(encoding="utf-8"))


def _free_ports(preferred: int) -> Iterator[int]:
    """A few ports on which nobody listens now, the preferred one first."""
    for port in (*range(preferred, preferred + 50), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        yield found


def _write_configuration(folder: Path, port: int) -> Path:
    shipped = (files("wattwitness.runtime") / "mosquitto.conf").read_text(encoding="utf-8")
    lines = [
        shipped,
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        f"persistence_location {folder}/",
        f"pid_file {folder / 'pid'}",
        f"log_dest file {folder / 'log'}",
        f"user {getpass.getuser()}",  # started by root it would otherwise change to a user
    ]  # that may not write into the home folder
    path = folder / "mosquitto.conf"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        found = process.net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in found)
