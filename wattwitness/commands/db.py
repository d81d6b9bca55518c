"""`wattwitness db`: upgrade the database, look at it, print its address."""

from datetime import datetime

import typer

from wattwitness.domain.instants import format_instant
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.overview import DatabaseStatus, database_status

app = typer.Typer(no_args_is_help=True, help="Upgrade the database, look at it, print its address.")


@app.command("upgrade")
def upgrade_command() -> None:
    """Bring the tables up to this program; safe to repeat."""
    applied = run_command(_upgrade(load_settings()))
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("nothing to do: the database is up to date")


@app.command("status")
def status_command() -> None:
    """Tell mode, versions, size, and what is in there."""
    for line in _describe(run_command(_status(load_settings()))):
        typer.echo(line)


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


async def _status(settings: Settings) -> DatabaseStatus:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="db") as db,
    ):
        return await database_status(db)


async def _url(settings: Settings) -> str:
    async with services(settings, database=True) as found:
        return found.dsn


def _describe(status: DatabaseStatus) -> list[str]:
    lines = [
        f"mode            {status.mode.value}",
        f"PostgreSQL      {status.server_version}",
        f"TimescaleDB     {status.timescale_version or 'not installed in this database'}",
        f"size            {status.bytes / 1e6:.1f} MB",
    ]
    if status.pending_migrations:
        return [
            *lines,
            f"migrations      {status.pending_migrations} pending: wattwitness db upgrade",
        ]
    lines += [
        "migrations      up to date",
        f"partitions      {status.partitions}, {status.compressed} compressed",
    ]
    for name, value in status.counts.items():
        shown = format_instant(value) if isinstance(value, datetime) else value
        lines.append(f"{name:<15} {'-' if shown is None else shown}")
    return lines
