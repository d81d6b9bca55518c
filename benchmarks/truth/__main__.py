"""`python -m benchmarks.truth`: does the software find what was planted, and nothing else?

Builds seeded cities, puts their readings into a real PostgreSQL each, runs the real pipeline, and
scores what it says against the answer keys. Exit code 0 unless it could not run: the figures speak.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.truth.answers import planted_spans, score_states
from benchmarks.truth.measured import Measured, measure, pool
from benchmarks.truth.report import print_line, print_report
from benchmarks.truth.seeds import SIZES, START, TEST_SEEDS, Size, seeds_of, use_of
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
    return build_city(scenario, START)


async def _run(size: Size, seed: int) -> Measured:
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
            episodes = await list_episodes(db)
            testability = await list_testability(db)
            leads = await list_leads(db)
            states = await score_states(db, city)
    planted = planted_spans(city, testability)
    return measure(city, planted, episodes, leads, states, readings=readings, seconds=seconds)


@app.command()
def main(
    size: Annotated[str, typer.Option(help=f"{' | '.join(SIZES)}.")] = "small",
    seeds: Annotated[
        str,
        typer.Option("--seeds", "--seed", help="test, tune, or numbers between commas."),
    ] = str(TEST_SEEDS[0]),
    *,
    verbose: Annotated[bool, typer.Option(help="List what was missed and what was false.")] = False,
) -> None:
    """Print planted, found, missed and false per kind, with intervals; several seeds are pooled."""
    if size not in SIZES:
        raise typer.BadParameter(f"--size is one of {', '.join(SIZES)}")
    try:
        chosen = seeds_of(seeds)
    except ValueError:
        raise typer.BadParameter("--seeds is test, tune, or numbers between commas") from None
    shape = SIZES[size]
    named = ", ".join(map(str, chosen))
    print(f"truth benchmark: {shape.enterprises} enterprises × {shape.days} days, seeds {named}")
    measured = []
    try:
        for seed in chosen:
            measured.append(asyncio.run(_run(shape, seed)))
            print_line(seed, use_of(seed), measured[-1])
    except WattWitnessError as error:
        print(f"benchmarks.truth: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print_report(pool(measured), verbose=verbose)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.truth")
