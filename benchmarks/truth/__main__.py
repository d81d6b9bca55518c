"""`python -m benchmarks.truth`: does the software find what was planted, and nothing else?

Builds a seeded city, puts its readings into a real PostgreSQL, runs the real pipeline, and scores
what it says against the answer key. Exit code 0 unless it could not run: the figures speak.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.truth.answers import planted_spans, score_states
from benchmarks.truth.report import print_report
from benchmarks.truth.seeds import SIZES, TEST_SEEDS, TUNE_SEEDS, Size, start_of
from benchmarks.truth.stage import analyse, fill
from gateway_sim.city import City, build_city
from gateway_sim.scenario import Scenario
from wattwitness.domain.errors import WattWitnessError
from wattwitness.runtime.services import services
from wattwitness.runtime.settings import Settings
from wattwitness.store.database import Database
from wattwitness.store.findings import list_episodes, list_leads, list_testability
from wattwitness.store.migrations import upgrade

app = typer.Typer(add_completion=False)


def _city(size: Size, seed: int) -> City:
    scenario = Scenario(enterprises=size.enterprises, days=size.days, seed=seed, alert="closed")
    return build_city(scenario, start_of(size))


async def _run(size: Size, seed: int, *, verbose: bool) -> None:
    city = _city(size, seed)
    with tempfile.TemporaryDirectory(prefix="wattwitness-truth-") as folder:
        settings = Settings(home=Path(folder))
        async with (
            services(settings, database=True) as found,
            await Database.open(found.dsn, application="truth") as db,
        ):
            await upgrade(db)
            readings = await fill(db, city)
            started = time.perf_counter()
            await analyse(db, city)
            seconds = time.perf_counter() - started
            print(f"{readings:,} readings analysed in {seconds:.1f} s on one core\n")
            episodes = await list_episodes(db)
            testability = await list_testability(db)
            leads = await list_leads(db)
            states = await score_states(db, city)
    planted = planted_spans(city, testability)
    print_report(city, planted, episodes, leads, states, verbose=verbose)


@app.command()
def main(
    size: Annotated[str, typer.Option(help=f"{' | '.join(SIZES)}.")] = "small",
    seed: Annotated[int | None, typer.Option(help="A seed; default: the first test seed.")] = None,
    *,
    verbose: Annotated[bool, typer.Option(help="List what was missed and what was false.")] = False,
) -> None:
    """Print planted, found, missed and false per kind, with intervals."""
    if size not in SIZES:
        raise typer.BadParameter(f"--size is one of {', '.join(SIZES)}")
    seed = TEST_SEEDS[0] if seed is None else seed
    use = "test" if seed in TEST_SEEDS else "tuning" if seed in TUNE_SEEDS else "free"
    shape = SIZES[size]
    print(
        f"truth benchmark: {shape.enterprises} enterprises × {shape.days} days, seed {seed} ({use})"
    )
    try:
        asyncio.run(_run(shape, seed, verbose=verbose))
    except WattWitnessError as error:
        print(f"benchmarks.truth: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.truth")
