"""`wattwitness import`: registry and readings files into the database."""

import dataclasses
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from wattwitness.domain.instants import US_PER_SECOND, kept_from, to_us
from wattwitness.files.readings_bounds import Calendar
from wattwitness.files.readings_import import (
    ImportBrokenOffError,
    ReadingsReport,
    import_readings,
)
from wattwitness.files.registry_import import RegistryImport, RegistryReport, import_registry
from wattwitness.runtime.lifecycle import run_command
from wattwitness.runtime.options import user_name
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import load_registry

app = typer.Typer(no_args_is_help=True, help="Read registry and readings files; safe to repeat.")

_AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


@app.command("registry")
def registry_command(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Folder of CSV files, one of them, or an .xlsx.")
    ],
    *,
    as_json: _AsJson = False,
) -> None:
    """Import enterprises, gateways, circuits, pairings, measures, alerts and the like.

    PATH is a folder of CSV files, one CSV named as in that folder (circuits.csv), or one .xlsx
    workbook with sheets of the same names.
    """
    found = run_command(_registry(load_settings(), path))
    _tell(found.files, found.left_alone, as_json=as_json)


@app.command("readings")
def readings_command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help=".csv, .csv.gz, .parquet, .json or .xlsx."),
    ],
    *,
    as_json: _AsJson = False,
) -> None:
    """Import readings; what is stored already is not stored twice."""
    _tell(run_command(_readings(load_settings(), files)), (), as_json=as_json)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    async with (
        services(settings, database=True) as found,
        await Database.open(found.dsn, application="import", zone=settings.zone) as db,
    ):
        await upgrade(db)
        yield db


async def _registry(settings: Settings, path: Path) -> RegistryImport:
    async with _database(settings) as db:
        return await import_registry(
            db, path, reject_folders=_reject_folders(settings), actor=user_name()
        )


async def _readings(settings: Settings, files: Sequence[Path]) -> list[ReadingsReport]:
    reports = []
    async with _database(settings) as db:
        registry = await load_registry(db)
        for path in files:
            try:
                with _progress(path.name) as progress:
                    report = await import_readings(
                        db,
                        path,
                        registry,
                        calendar(settings),
                        reject_folders=_reject_folders(settings),
                        progress=progress,
                    )
            except ImportBrokenOffError as end:
                reports.append(end.report)
                break
            reports.append(report)
    return reports


def calendar(settings: Settings) -> Calendar:
    """The instants between which readings are taken, seen from now."""
    keep_from = settings.keep_from
    if settings.keep_raw_days:
        keep_from = max(keep_from, kept_from(datetime.now(UTC), settings.keep_raw_days))
    return Calendar(
        keep_from_us=to_us(keep_from),
        tolerance_us=settings.future_tolerance_s * US_PER_SECOND,
        now_us=time.time_ns() // 1000,
    )


def _reject_folders(settings: Settings) -> tuple[Path, Path]:
    return Path.cwd(), settings.home


@contextmanager
def _progress(name: str) -> Iterator[Any]:
    """A bar on a terminal, nothing in a pipe; yields a function that takes the share done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _tell(
    reports: Sequence[ReadingsReport | RegistryReport],
    left_alone: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Print what became of each file; exit with 1 when one could not be used."""
    if as_json:
        told = [dataclasses.asdict(report) for report in reports]
        typer.echo(json.dumps(told, ensure_ascii=False, default=str, indent=1))
    else:
        for report in reports:
            for line in describe(report):
                typer.echo(line)
        if left_alone:
            typer.echo(f"not registry files, left alone: {', '.join(left_alone)}")
    failed = [report.error for report in reports if report.error]
    for error in failed:
        typer.echo(f"wattwitness: {error}", err=True)
    if failed:
        raise typer.Exit(1)


def describe(report: ReadingsReport | RegistryReport) -> list[str]:
    """A file's report in plain lines; nothing for a file of which nothing was read."""
    if report.error and not report.rows_read:
        return []
    revised = getattr(report, "revised", 0)
    counts = (
        f"{report.rows_read} read, {report.stored} stored, {report.already_there} already there"
    )
    counts += f", {revised} with another value than stored (kept as revisions)" if revised else ""
    lines = [f"{report.file}: {counts}, {report.rejected} rejected"]
    lines += [f"  {reject}" for reject in report.first_rejects]
    if report.rejected_path:
        lines.append(f"  all {report.rejected} with their reasons: {report.rejected_path}")
    if report.unknown_columns:
        lines.append(f"  columns left out: {', '.join(report.unknown_columns)}")
    return lines
