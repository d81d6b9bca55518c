"""`python -m benchmarks.storage [--url DSN]`: what a reading costs on disk, and what it is to read.

Stores a simulated city and prints bytes a reading, per column and in all, the rates of writing and
reading, and what the rollups gain: on the embedded plain PostgreSQL, and with --url also on a
server with TimescaleDB (a database of its own is made there and dropped again).
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from benchmarks.storage.measure import Figures, measure
from benchmarks.storage.report import print_report
from gateway_sim.city import City, build_city
from gateway_sim.scenario import Scenario
from wattwitness.domain.instants import kept_from
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.store.database import Database
from wattwitness.store.migrations import upgrade

app = typer.Typer(add_completion=False)
_SCRATCH = "wattwitness_storage_benchmark"


@asynccontextmanager
async def _scratch(server: str) -> AsyncIterator[Database]:
    head, question, query = server.partition("?")
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {_SCRATCH}")
        await connection.execute(f"CREATE DATABASE {_SCRATCH}")
        dsn = f"{head.rsplit('/', 1)[0]}/{_SCRATCH}{question}{query}"
        async with await Database.open(dsn, application="storage") as db:
            await upgrade(db)
            yield db
        await connection.execute(f"DROP DATABASE {_SCRATCH}")
    finally:
        await connection.close()


async def _run(city: City, url: str | None) -> list[Figures]:
    found = []
    with tempfile.TemporaryDirectory(prefix="wattwitness-storage-") as folder:
        settings = Settings(home=Path(folder))
        async with services(settings, database=True) as where, _scratch(where.dsn) as db:
            found.append(await measure(db, city))
    if url is not None:
        async with _scratch(url) as db:
            found.append(await measure(db, city))
    return found


@app.command()
def main(
    url: Annotated[
        str | None, typer.Option(help="A server with TimescaleDB, to measure there as well.")
    ] = None,
    enterprises: Annotated[int, typer.Option(min=1, help="Plants in the city.")] = 40,
    days: Annotated[int, typer.Option(min=2, help="Days of history.")] = 14,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same city.")] = 7,
) -> None:
    """Measure what a reading costs on disk, per column and in all."""
    today = kept_from(datetime.now(UTC), 0)
    # whole pieces of two days, which are counted from 1970
    start = today - timedelta(days=days + (today - datetime(1970, 1, 1, tzinfo=UTC)).days % 2)
    scenario = Scenario(enterprises=enterprises, days=days, seed=seed, alert="closed")
    print_report(asyncio.run(_run(build_city(scenario, start), url)))


if __name__ == "__main__":
    app()
