"""`wattwitness doctor`: everything that can be wrong with an installation, each with its remedy."""

import platform
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import typer

from wattwitness.domain.errors import InputRefusedError, WattWitnessError
from wattwitness.runtime.embedded_mosquitto import REMEDY, find_mosquitto
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.overview import DatabaseStatus, database_status
from wattwitness.wire.broker_address import BrokerAddress
from wattwitness.wire.login import DISCONNECT, REASONS, connack_reason, connect_packet

app = typer.Typer(help="Check the installation; each finding has a remedy.")

_DISK_WARN_GB, _DISK_FAIL_GB = 10, 1
_CLOCK_WARN_S, _CLOCK_FAIL_S = 1, 30
_FONTS = (
    "noto sans cjk",
    "noto serif cjk",
    "source han",
    "wenquanyi",
    "pingfang",
    "microsoft yahei",
)


class Grade(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, and what to do about it."""

    grade: Grade
    subject: str
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" - {self.remedy}" if self.remedy and self.grade is not Grade.OK else ""
        return f"{self.grade.value:<5} {self.subject:<12} {self.says}{remedy}"


@app.callback(invoke_without_command=True)
def doctor() -> None:
    """Check versions, reachability, migrations, clock, disk and fonts."""
    settings = load_settings()
    local: tuple[Callable[[Settings], Finding], ...] = (
        check_python,
        check_home,
        check_disk,
        check_broker,
        check_http,
        check_fonts,
    )
    failed = False
    for check in local:
        finding = check(settings)
        failed |= finding.grade is Grade.FAIL
        typer.echo(str(finding))
    for finding in run_command(check_database(settings)):
        failed |= finding.grade is Grade.FAIL
        typer.echo(str(finding))
    raise typer.Exit(1 if failed else 0)


def check_python(settings: Settings) -> Finding:
    """Python is new enough."""
    del settings
    good = sys.version_info >= (3, 11)
    return Finding(
        Grade.OK if good else Grade.FAIL,
        "python",
        f"{platform.python_version()} on {platform.system()}",
        "install Python 3.11 or newer",
    )


def check_home(settings: Settings) -> Finding:
    """The home folder can be written."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(
            Grade.FAIL,
            "home",
            f"{settings.home} cannot be written: {error.strerror}",
            "set WATTWITNESS_HOME to a folder of yours",
        )
    return Finding(Grade.OK, "home", str(settings.home))


def check_disk(settings: Settings) -> Finding:
    """There is room for readings (a city needs 30–45 GB a year)."""
    folder = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(folder).free / 1e9
    grade = (
        Grade.OK if free >= _DISK_WARN_GB else Grade.WARN if free >= _DISK_FAIL_GB else Grade.FAIL
    )
    return Finding(grade, "disk", f"{free:.1f} GB free", "free or add disk space")


def check_broker(settings: Settings) -> Finding:
    """The broker in use is there, and lets us in."""
    if settings.mqtt_url is None:
        return _own_broker()
    try:
        address = BrokerAddress.parse(settings.mqtt_url)
        reason = _log_in(address)
    except InputRefusedError as error:
        return Finding(Grade.FAIL, "broker", error.message, error.remedy)
    except OSError as error:
        return Finding(
            Grade.FAIL,
            "broker",
            f"{address} cannot be reached: {error}",
            "start the broker or mend WATTWITNESS_MQTT_URL",
        )
    if reason is None:
        says, remedy = "answers, but not as an MQTT broker", "mend WATTWITNESS_MQTT_URL"
        return Finding(Grade.FAIL, "broker", f"{address} {says}", remedy)
    if reason:
        says = REASONS.get(reason, f"it answers with reason 0x{reason:02x}")
        remedy = "mend user and password in WATTWITNESS_MQTT_URL, or the broker's rules"
        return Finding(Grade.FAIL, "broker", f"{address} refuses us: {says}", remedy)
    return Finding(Grade.OK, "broker", f"{address} lets us in")


def _own_broker() -> Finding:
    program = find_mosquitto()
    if program is None:
        return Finding(Grade.FAIL, "broker", "mosquitto is not installed", REMEDY)
    asked = subprocess.run([program, "-h"], capture_output=True, text=True, check=False)
    version = (asked.stdout.splitlines() or ["mosquitto"])[0]
    return Finding(Grade.OK, "broker", f"our own {version}")


def _log_in(address: BrokerAddress) -> int | None:
    """Log in to a broker under a name of our own, and out again; the reason code of its answer."""
    name = f"wattwitness-doctor-{secrets.token_hex(4)}"  # the collector's would throw it out
    sock = socket.create_connection((address.host, address.port), timeout=5)
    if address.tls:
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=address.host)
    with sock:
        sock.sendall(connect_packet(name, address.username, address.password))
        answer = b""
        while connack_reason(answer) is None and len(answer) < 16 and (more := sock.recv(256)):
            answer += more
        with suppress(OSError):  # one that refused us has hung up
            sock.sendall(DISCONNECT)
    return connack_reason(answer)


def check_http(settings: Settings) -> Finding:
    """The pages' address is free, or taken (perhaps by ourselves)."""
    host, _, port = settings.http.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except OSError:
        taken = False
    else:
        taken = True
    if taken:
        return Finding(
            Grade.WARN,
            "pages",
            f"{settings.http} is in use",
            "fine if WattWitness runs now; otherwise set WATTWITNESS_HTTP to another port",
        )
    return Finding(Grade.OK, "pages", f"{settings.http} is free")


def check_fonts(settings: Settings) -> Finding:
    """A Chinese font is installed here (reports are made on this machine)."""
    del settings
    known: list[str] = []
    if shutil.which("fc-list"):
        asked = subprocess.run(
            ["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False
        )
        known = asked.stdout.lower().splitlines()
    folders = (Path("/usr/share/fonts"), Path("/System/Library/Fonts"), Path.home() / ".fonts")
    named = (f.name.lower() for d in folders if d.exists() for f in d.rglob("*CJK*"))
    if any(font in line for line in known for font in _FONTS) or known or any(named):
        return Finding(Grade.OK, "fonts", "a Chinese font is installed")
    return Finding(
        Grade.WARN,
        "fonts",
        "no Chinese font found: reports made here would show empty boxes",
        "install one (Debian, Ubuntu: apt-get install fonts-noto-cjk)",
    )


async def check_database(settings: Settings) -> list[Finding]:
    """The database is there, migrated, new enough, and its clock agrees with ours."""
    try:
        async with (
            services(settings, database=True) as found,
            await Database.open(found.dsn, application="doctor") as db,
        ):
            status = await database_status(db)
    except WattWitnessError as error:
        return [Finding(Grade.FAIL, "database", error.message, error.remedy)]
    return [
        _version(status), _rights(status), _durability(status), _migrations(status), _clock(status)
    ]  # fmt: skip


def _version(status: DatabaseStatus) -> Finding:
    extension = f", TimescaleDB {status.timescale_version}" if status.timescale_version else ""
    says = f"PostgreSQL {status.server_version}{extension}, mode {status.mode.value}"
    old = int(status.server_version.split(".")[0]) < 16
    return Finding(
        Grade.WARN if old else Grade.OK, "database", says, "PostgreSQL 16 or newer is recommended"
    )


def _rights(status: DatabaseStatus) -> Finding:
    return Finding(
        Grade.OK if status.writable else Grade.FAIL,
        "rights",
        "we may write and make tables" if status.writable else "we may only read",
        "make our role the owner of the database, and the database writable",
    )


def _durability(status: DatabaseStatus) -> Finding:
    return Finding(
        Grade.OK if status.durable else Grade.FAIL,
        "durability",
        "what is committed survives a crash"
        if status.durable
        else "fsync or full_page_writes is off: a power cut loses what gateways were told",
        "set both on in postgresql.conf and reload",
    )


def _migrations(status: DatabaseStatus) -> Finding:
    if status.pending_migrations:
        return Finding(
            Grade.WARN,
            "migrations",
            f"{status.pending_migrations} pending",
            "run wattwitness db upgrade",
        )
    return Finding(Grade.OK, "migrations", "up to date")


def _clock(status: DatabaseStatus) -> Finding:
    offset = abs(status.clock_offset(datetime.now(UTC)).total_seconds())
    grade = (
        Grade.OK if offset < _CLOCK_WARN_S else
        Grade.WARN if offset < _CLOCK_FAIL_S else Grade.FAIL
    )  # fmt: skip
    return Finding(
        grade,
        "clock",
        f"{offset:.1f} s apart from the database's",
        "synchronise both clocks with NTP",
    )
