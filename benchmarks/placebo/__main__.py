"""`python -m benchmarks.placebo DIRECTORY`: orders that nobody gave, over a year that was real.

DIRECTORY is any data set in the formats of the contract. Alerts are invented over its whole time,
for a stop and for limits, and judged by the product's own functions from what was known at each
alert's issue. Nobody ordered anything: `complied` is wrong unless the plant happened to be as low
as ordered, which its own other weeks tell. And what would have been said had it followed: with the
energy of that time brought down to what was ordered. Exit code 0 unless it could not run.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from analytics.baselines.frozen import freeze
from analytics.verdicts.conduct import conduct_of
from analytics.verdicts.judging import judge, plan_of
from benchmarks.placebo.dataset import Analysed, analysed, read_dataset
from benchmarks.placebo.followed import followed, limit_share
from benchmarks.placebo.hindsight import Deed, Quarters, deed, quarters_of
from benchmarks.placebo.invented import Invention, alerts_over, orders_of
from benchmarks.placebo.report import Said, print_followed, print_placebo
from wattwitness.domain.errors import WattWitnessError
from wattwitness.domain.instants import to_us
from wattwitness.domain.registry import Alert, Measure, MeasureAction

app = typer.Typer(add_completion=False)


def _judged(
    found: Analysed, quarters: Quarters, alert: Alert, orders: list[Measure]
) -> Iterator[tuple[Said, Said]]:
    """What is said of each order under one alert, as it was and had it been followed.

    The baseline is frozen once: nothing in it depends on the order.
    """
    history = replace(found.history, alerts=(alert,))
    lifted = alert.lifted_at or alert.response_from
    end_us = to_us(lifted)
    baseline = freeze(history, alert)
    conduct = conduct_of(history, to_us(alert.response_from), end_us)
    for measure in orders:
        invention = Invention(alert=alert, measure=measure)
        plan = plan_of(history.plant, [measure], history.grade, alert)
        begin, end = (quarters.place(at) for at in invention.due)
        real = Said(
            order=_named(measure),
            days=(lifted - alert.response_from).days,
            deed=deed(quarters, begin, end, measure.action, limit_share(measure)),
            verdict=judge(plan, baseline, conduct, end_us).verdict,
            name=alert.alert_id,
        )
        then = judge(plan, baseline, followed(conduct, baseline, measure), end_us)
        yield real, replace(real, deed=Deed.FOLLOWED, verdict=then.verdict)


def _named(measure: Measure) -> str:
    if measure.action is MeasureAction.LIMIT:
        return f"limit to {measure.limit_pct:g} %"
    return measure.action.value


@app.command()
def main(
    directory: Annotated[Path, typer.Argument(help="A data set in the formats of the contract.")],
    limits: Annotated[str, typer.Option(help="What may still be used [%].")] = "70,50",
    every: Annotated[int, typer.Option(min=1, help="Days between alerts.")] = 1,
    enterprise: Annotated[str | None, typer.Option(help="One of several.")] = None,
    *,
    verbose: Annotated[bool, typer.Option(help="List every `complied` that was wrong.")] = False,
) -> None:
    """Print, per order, what was said of plants that did not cut, and of those that were low."""
    started = time.monotonic()
    try:
        shares = tuple(float(part) for part in limits.split(","))
    except ValueError:
        raise typer.BadParameter("--limits are numbers between commas") from None
    try:
        registry, rows = read_dataset(directory)
        names = [enterprise] if enterprise else sorted(registry.enterprises)
        said: list[Said] = []
        had: list[Said] = []
        for name in names:
            found = analysed(registry, rows, name)
            quarters = quarters_of(found.history.plant, found.rows)
            first, last = int(found.rows["ts"].min()), int(found.rows["ts"].max())
            for alert in alerts_over(first, last, every, found.history.plant.zone):
                for real, then in _judged(found, quarters, alert, orders_of(name, shares)):
                    said.append(real)
                    had.append(then)
    except WattWitnessError as error:
        print(f"benchmarks.placebo: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"placebo: {len(said):,} invented orders on {', '.join(names)}")
    print_placebo(said)
    print_followed(had)
    if verbose:
        for one in said:
            if one.verdict.value == "complied" and one.deed.value != "was as low as ordered":
                print(f"  complied: {one.name} {one.order}: the plant {one.deed.value}")
    print(f"in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.placebo")
