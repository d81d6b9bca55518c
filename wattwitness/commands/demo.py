"""`wattwitness demo`: everything, with a small simulated city, for a look.

The city's past is written as files and imported, its present is published over MQTT by simulated
gateways: the two ways in which real readings come in.
"""

import csv
import json
import os
import shutil
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wattwitness.commands.imports import calendar
from wattwitness.commands.system_packages import ensure_mosquitto
from wattwitness.commands.up import PROCESSES
from wattwitness.domain.errors import SetupError
from wattwitness.files.readings_import import import_readings
from wattwitness.files.registry_import import import_registry
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.role import only_one
from wattwitness.runtime.services import EMBEDDED, services, users_at_work
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.runtime.supervisor import Program, Supervisor
from wattwitness.store.database import Database
from wattwitness.store.findings import list_leads
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import load_registry

app = typer.Typer(help="Everything, with a small simulated city, for a look.")

_MARKER = "demo.json"  # says that this home is a demo's and may be emptied
_SCENARIO = """\
alert = "open"
live_days = 2
recent_fault = true
live_fault_after_min = 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    enterprises: int
    days: int
    seed: int
    browser: bool


def _say(line: str) -> None:
    typer.echo(f"[demo] {line}")


@app.callback(invoke_without_command=True)
def demo(
    *,
    enterprises: Annotated[
        int, typer.Option(min=1, max=2000, help="Plants in the simulated city.")
    ] = 40,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days of history.")] = 14,
    exit_after: Annotated[
        float | None,
        typer.Option(min=1, metavar="SECONDS", help="Stop by itself, counted from the start."),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same city.")] = 7,
) -> None:
    """Simulate a small city, fill in its history, keep it live, open an alert, serve the pages.

    Uses a home folder of its own, which it empties at each start. Ctrl-C stops all of it.
    """
    _use_a_home_of_its_own()
    settings = load_settings()
    configure_logging("warning", "demo")

    options = _Options(enterprises=enterprises, days=days, seed=seed, browser=not no_open)

    async def main(lifecycle: Lifecycle) -> None:
        if exit_after is not None:
            lifecycle.spawn("exit-after", _stop_later(lifecycle, exit_after))
        ensure_mosquitto(_say)
        with only_one(settings.home, "demo"):
            await _empty_home(settings)
            found = await _run(settings, lifecycle, options)
        if exit_after is not None and not found:
            raise SetupError(
                f"no lead within {exit_after:g} s", "give it more time with --exit-after"
            )

    raise typer.Exit(run(main))


async def _run(settings: Settings, lifecycle: Lifecycle, options: _Options) -> bool:
    """Run it until told to stop; whether there was a lead."""
    begun = time.monotonic()
    async with _everything(settings, lifecycle) as (db, supervisor):
        city = settings.home / "city"
        await _write_city(supervisor, city, options)
        first = lifecycle.spawn("first-lead", _first_lead(db, lifecycle, settings, begun))
        if not lifecycle.stop.is_set():
            await _import_city(db, lifecycle, settings, city)
        if not lifecycle.stop.is_set():
            _say("going live: simulated gateways publish every minute from now on")
            supervisor.keep(Program(module="gateway_sim", arguments=("--city", str(city))))
        found = bool(await first)
        if found and options.browser:
            webbrowser.open(f"http://{settings.http}/")
        await lifecycle.stop.wait()
        _say("stopping")
        await lifecycle.finish()
    return found


def _use_a_home_of_its_own() -> None:
    """Simulated readings never mix with real ones: the default home is left alone."""
    if not os.environ.get("WATTWITNESS_HOME"):
        home = load_settings().home
        os.environ["WATTWITNESS_HOME"] = str(home.with_name(f"{home.name}-demo"))


async def _empty_home(settings: Settings) -> None:
    home, marker = settings.home, settings.home / _MARKER
    try:
        strange = any(item.name != "run" for item in home.iterdir())  # run/ holds locks, ours too
        if strange and not marker.exists():
            raise SetupError(
                f"{home} holds something that is not a demo's", "set WATTWITNESS_HOME elsewhere"
            )
        marker.write_text(json.dumps({"made_by": "wattwitness demo"}), encoding="utf-8")
        if users_at_work(settings):
            raise SetupError(
                f"something of ours runs in {home}", "stop it, or set WATTWITNESS_HOME elsewhere"
            )
        if (home / "postgres").exists():
            await _refuse_strangers(settings)
        for name in (*EMBEDDED, "city", "simulator"):
            shutil.rmtree(home / name, ignore_errors=True)
    except OSError as error:
        raise SetupError(
            f"the home folder {home} cannot be written: {error.strerror}",
            "set WATTWITNESS_HOME to a folder of yours",
        ) from error
    _say(f"home folder {home}")


async def _refuse_strangers(settings: Settings) -> None:
    """Keep data that are not the earlier demo's; what a killed demo left running is stopped."""
    city = settings.home / "city" / "enterprises.csv"
    simulated: set[str] = set()
    if city.exists():
        with city.open(encoding="utf-8-sig", newline="") as file:
            simulated = {row["enterprise_id"] for row in csv.DictReader(file)}
    async with (
        services(settings, database=True, broker=True) as found,
        await Database.open(found.dsn, application="demo") as db,
    ):
        await upgrade(db)
        strangers = sorted((await load_registry(db)).enterprises.keys() - simulated)
    if strangers:
        raise SetupError(
            f"{settings.home} holds an enterprise that no demo made ({strangers[0]})",
            "set WATTWITNESS_HOME elsewhere",
        )


async def _stop_later(lifecycle: Lifecycle, seconds: float) -> None:
    if not await lifecycle.sleep(seconds):
        _say(f"{seconds:g} s are over")
        lifecycle.stop.set()


@asynccontextmanager
async def _everything(
    settings: Settings, lifecycle: Lifecycle
) -> AsyncIterator[tuple[Database, Supervisor]]:
    """Database, broker, collector, analytics and pages, running."""
    _say("starting the database and the broker")
    async with (
        services(settings, database=True, broker=True) as found,
        await Database.open(found.dsn, application="demo", zone=settings.zone) as db,
    ):
        await upgrade(db)
        if (await load_registry(db)).enterprises:
            raise SetupError(
                "the database already holds enterprises", "give the demo an empty database"
            )
        _say(f"database in mode {db.mode.value}; broker at {found.mqtt_url}")
        _say("starting the collector, the analytics and the pages")
        supervisor = Supervisor(lifecycle, {"WATTWITNESS_LOG_LEVEL": "warning"})
        for program in PROCESSES:
            supervisor.keep(program)
        _say(f"pages: http://{settings.http}/")
        yield db, supervisor


async def _write_city(supervisor: Supervisor, city: Path, options: _Options) -> None:
    _say(f"simulating {options.enterprises} enterprises, {options.days} days, minute by minute")
    scenario = city.with_suffix(".toml")
    scenario.write_text(_SCENARIO, encoding="utf-8")
    given = {
        "scenario": scenario,
        "history": city,
        "enterprises": options.enterprises,
        "days": options.days,
        "seed": options.seed,
    }
    arguments = [f"--{name}={value}" for name, value in given.items()]
    await supervisor.run(Program(module="gateway_sim", arguments=arguments))


async def _import_city(db: Database, lifecycle: Lifecycle, settings: Settings, city: Path) -> None:
    folders = (settings.home, settings.home)
    await import_registry(db, city, reject_folders=folders)
    registry = await load_registry(db)
    files = sorted((city / "readings").glob("*.parquet"))
    _say(f"importing the history of {len(files)} enterprises; leads appear as it is analysed")
    console = Console(stderr=True)
    columns = (TextColumn("       "), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    stored, begun = 0, time.monotonic()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        for file in bar.track(files):
            if lifecycle.stop.is_set():
                return
            report = await import_readings(
                db, file, registry, calendar(settings), reject_folders=folders
            )
            stored += report.stored
    seconds = time.monotonic() - begun
    _say(f"{stored:,} readings stored in {seconds:.0f} s ({stored / seconds:,.0f} a second)")


async def _first_lead(db: Database, lifecycle: Lifecycle, settings: Settings, begun: float) -> bool:
    """Wait for it and tell; False when stopped before."""
    while not await lifecycle.sleep(0.5):
        found = await list_leads(db)
        if found:
            _say(f"first lead after {time.monotonic() - begun:.0f} s: {found[0].reason['en']}")
            _say(f"look: http://{settings.http}/leads  (no account needed; this machine only)")
            _say("Ctrl-C stops everything")
            return True
    return False
