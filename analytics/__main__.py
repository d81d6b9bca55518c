"""`wattwitness analyse`: a range of days to its end, or following live data."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from analytics.bench import Bench
from analytics.executors import Executor, InProcess, ProcessPool
from analytics.live.warner import Warner
from analytics.live.watching import Watcher
from analytics.pacing import Pace
from analytics.results import PostgresResults
from analytics.running import Follower, Progress, analyse_range
from analytics.series import PostgresSeries
from wattwitness.runtime.lifecycle import Lifecycle, run
from wattwitness.runtime.logs import configure_logging
from wattwitness.runtime.options import instant_option
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings, load_settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade
from wattwitness.store.registry import load_registry

app = typer.Typer(add_completion=False, rich_markup_mode=None)
log = structlog.get_logger()


@contextmanager
def _executor(workers: int) -> Iterator[Executor]:
    if workers == 1:
        yield InProcess()
        return
    with ProcessPool(workers) as pool:
        yield pool


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal, nothing in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _all: None
        return
    columns = (
        TextColumn("analysing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("enterprises"),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("analysing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@asynccontextmanager
async def _store(settings: Settings, workers: int) -> AsyncIterator[Database]:
    """The database, upgraded; the embedded one runs as long as it is needed."""
    connections = 2 * workers + 1  # each enterprise under way: its lock, and its work
    async with (
        services(settings, database=True) as found,
        await Database.open(
            found.dsn, application="analyse", max_connections=connections, zone=settings.zone
        ) as db,
    ):
        await upgrade(db)
        yield db


async def _bench(db: Database, executor: Executor, stop: asyncio.Event) -> Bench:
    return Bench(
        registry=await load_registry(db),
        series=PostgresSeries(db),
        results=PostgresResults(db),
        executor=executor,
        zone=db.zone,
        stop=stop,
    )


async def _analyse(
    lifecycle: Lifecycle, from_: datetime, to: datetime, enterprises: list[str], workers: int
) -> None:
    settings = load_settings()
    configure_logging(settings.log_level, "analyse")
    async with _store(settings, workers) as db:
        with _executor(workers) as executor, _progress() as progress:
            bench = await _bench(db, executor, lifecycle.stop)
            s = await analyse_range(db, bench, from_, to, enterprises, progress)
    typer.echo(
        f"analysed {s.days} days of {s.enterprises} enterprises ({s.readings:,} readings): "
        f"{s.episodes} episodes ({s.suppressed} more under declarations), {s.leads} leads"
    )


async def _follow(lifecycle: Lifecycle, workers: int) -> None:
    settings = load_settings()
    configure_logging(settings.log_level, "analyse")
    async with _store(settings, workers) as db:
        with _executor(workers) as executor:
            log.info("following")
            pace = Pace(settings.follow_most_s)
            bench = await _bench(db, executor, lifecycle.stop)
            await Follower(db, bench, pace=pace).run(lifecycle)


async def _watch(lifecycle: Lifecycle) -> None:
    settings = load_settings()
    configure_logging(settings.log_level, "watch")
    async with _store(settings, 1) as db:
        lifecycle.spawn("warn", Warner(db).run(lifecycle))
        await Watcher(db).run(lifecycle)
        await lifecycle.finish()


def _range(from_: datetime | None, to: datetime | None) -> tuple[datetime, datetime]:
    if from_ is None or to is None:
        raise typer.BadParameter("give --from and --to, or --follow, or --watch")
    if to <= from_:
        raise typer.BadParameter("--to must be after --from")
    return from_, to


@app.command()
def analyse(
    from_: Annotated[
        datetime | None,
        typer.Option(
            "--from", metavar="TS", parser=instant_option, help="Start, RFC 3339 with offset."
        ),
    ] = None,
    to: Annotated[
        datetime | None,
        typer.Option(
            "--to", metavar="TS", parser=instant_option, help="End (not included), RFC 3339."
        ),
    ] = None,
    enterprise: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this enterprise; repeatable.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Worker processes.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler (not available yet).")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Keep up with live data.")] = False,  # noqa: FBT002 - a flag of the command line
    watch: Annotated[  # noqa: FBT002 - likewise
        bool, typer.Option("--watch", help="Verdicts and warnings, minute by minute.")
    ] = False,
) -> None:
    """Analyse stored readings: states, quality, episodes, leads.

    All local days that [--from, --to) touches are analysed again; --follow keeps up with what
    arrives. Both give the same results, and running again changes nothing. --watch judges open
    alerts with each new reading, and warns of treatment that is off, between two looks of
    --follow; of a database one at a time.
    """
    if scheduler is not None:
        raise typer.BadParameter("--scheduler is not available yet; use --workers N")
    if follow and (from_ or to or enterprise):
        raise typer.BadParameter("--follow takes all data; leave out --from, --to, --enterprise")
    if watch and (follow or from_ or to or enterprise):
        raise typer.BadParameter("--watch takes what is newest; leave out all other choices")
    if watch:
        sys.exit(run(_watch))
    if follow:
        sys.exit(run(lambda lifecycle: _follow(lifecycle, workers)))
    start, end = _range(from_, to)
    sys.exit(run(lambda lifecycle: _analyse(lifecycle, start, end, enterprise or [], workers)))


def main() -> None:
    """Entry of `python -m analytics`."""
    app(prog_name="wattwitness analyse")


if __name__ == "__main__":
    main()
