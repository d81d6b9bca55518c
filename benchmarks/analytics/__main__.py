"""`python -m benchmarks.analytics`: what a city-day costs, as multiples of a sum over it.

Plants of the simulator, replicated with noise, with a history behind them. Steps in memory are
timed on a few models, the way through PostgreSQL on a part of the city; both are told per
enterprise and for the city. Processor time, the best of several runs, in one process on one core.
"""

import asyncio
from typing import Annotated

import typer

from benchmarks.analytics.city import models
from benchmarks.analytics.clock import one_core
from benchmarks.analytics.memory import measure, ready
from benchmarks.analytics.minute import measure_minute
from benchmarks.analytics.report import City, print_report
from benchmarks.analytics.stored import measure_stored

app = typer.Typer(add_completion=False)


@app.command()
def main(
    enterprises: Annotated[int, typer.Option(min=1, help="Of the city.")] = 900,
    circuits: Annotated[int, typer.Option(min=2, help="Of each enterprise.")] = 20,
    days_of_history: Annotated[int, typer.Option(min=2, help="Before the measured day.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulator.")] = 7,
    model_count: Annotated[
        int, typer.Option("--models", min=1, help="Enterprises that are simulated.")
    ] = 4,
    stored: Annotated[
        int, typer.Option(min=0, help="Enterprises that go through PostgreSQL; 0 = none.")
    ] = 24,
) -> None:
    """Measure a city-day of analysis."""
    pinned = one_core()
    found = [ready(model) for model in models(model_count, circuits, days_of_history, seed)]
    through = asyncio.run(measure_stored(found, stored)) if stored else None
    steps = measure(found, enterprises)
    minute = measure_minute(found, enterprises)
    city = City(enterprises, circuits, days_of_history, pinned)
    print_report(city, steps, through, minute)


if __name__ == "__main__":
    app()
