"""`wattwitness db`: upgrade the database, look at it, move it, print its address."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from wattwitness.commands.db_status import described, recorded
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.moving import MoveReport, move_to_timescale
from wattwitness.store.overview import DatabaseStatus, database_status
from wattwitness.store.retention import Retention
from wattwitness.store.storage_status import StorageStatus, storage_status

app = typer.Typer(
    no_args_is_help=True, help="Upgrade the database, look at it, move it, print its address."
)


@app.command("upgrade")
def upgrade_command() -> None:
    """Bring the tables up to this program; safe to repeat."""
    applied = run_command(_upgrade(load_settings()))
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("nothing to do: the database is up to date")


@app.command("status")
def status_command(
    *, as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False
) -> None:
    """Tell mode, versions, sizes, compression, what is in there, and what maintenance did."""
    status, storage = run_command(_status(load_settings()))
    if as_json:
        typer.echo(json.dumps(recorded(status, storage), indent=2, ensure_ascii=False))
        return
    for line in described(status, storage):
        typer.echo(line)


@app.command("move")
def move_command() -> None:
    """Move the readings of a plain database into TimescaleDB, in the same database.

    Can be stopped and started again at any time; nothing may write meanwhile. The plain table is
    dropped at the end, after counts and checksums of every day were found to be the same.
    """
    report = run_command(_move(load_settings()))
    typer.echo(f"moved {report.readings} readings of {report.pieces} pieces; all of them verified")


@app.command("url")
def url_command() -> None:
    """Print the DSN in use. The embedded database answers there while something of ours runs."""
    typer.echo(run_command(_url(load_settings())))


async def _upgrade(settings: Settings) -> list[str]:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="db") as db,
    ):
        return [f"{step.number:04d} {step.name}" for step in await upgrade(db)]


async def _status(settings: Settings) -> tuple[DatabaseStatus, StorageStatus | None]:
    retention = Retention(
        raw_days=settings.keep_raw_days,
        rejects_days=settings.keep_rejects_days,
        courses_days=settings.keep_courses_days,
    )
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="db") as db,
    ):
        status = await database_status(db)
        if status.pending_migrations:
            return status, None
        return status, await storage_status(db, retention, datetime.now(UTC))


async def _move(settings: Settings) -> MoveReport:
    console = Console(stderr=True)
    columns = (TextColumn("moving"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="move") as db,
    ):
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("")
            return await move_to_timescale(
                db, lambda done, of: bar.update(task, completed=done, total=of)
            )


async def _url(settings: Settings) -> str:
    async with services(settings, database=True) as found:
        return found.dsn
