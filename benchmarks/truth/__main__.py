"""`python -m benchmarks.truth`: does the software find what was planted, and nothing else?

Builds seeded cities, runs the real pipeline over their readings - enterprise by enterprise in
memory, or through a PostgreSQL of its own - and scores what it says against the answer keys. Exit
code 0 unless it could not run: the figures speak.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from analytics.calibration import (
    CALIBRATION,
    TABLE,
    UNCALIBRATED,
    Calibration,
    formatted,
    learn,
)
from benchmarks.truth import orders
from benchmarks.truth.ablations import ABLATIONS
from benchmarks.truth.measured import Measured, pool
from benchmarks.truth.orders_report import print_errors, print_orders
from benchmarks.truth.report import kind_row, print_details, print_line, print_report, share
from benchmarks.truth.seeds import (
    SHAPES,
    SIZES,
    START,
    TEST_SEEDS,
    TUNE_SEEDS,
    Size,
    scenario_of,
    seeds_of,
    use_of,
)
from benchmarks.truth.stage import Way, in_memory, through_postgres
from gateway_sim.city import build_city
from wattwitness.domain.errors import WattWitnessError
from wattwitness.domain.rules import RULE_VERSION

app = typer.Typer(add_completion=False)
_CHILDREN = resource.RUSAGE_CHILDREN
STORES = ("memory", "postgres")


def _cities(
    size: Size,
    shapes: Sequence[str],
    seeds: Sequence[int],
    way: Way,
    *,
    store: str,
    processes: int,
) -> Iterator[tuple[int, Measured]]:
    for shape in shapes:
        for seed in seeds:
            city = build_city(scenario_of(size, seed, shape), START)
            through = store == "postgres"
            parts = through_postgres(city, way) if through else in_memory(city, way, processes)
            yield seed, pool(parts)


def _calibrate(size: Size, seeds: Sequence[int], processes: int) -> None:
    """Learn the table of the product anew, on cities of both shapes."""
    if any(seed not in TUNE_SEEDS for seed in seeds):
        raise typer.BadParameter("confidence is calibrated on tuning seeds only: --seeds tune")
    way = Way(UNCALIBRATED)
    found = []
    cities = _cities(size, tuple(SHAPES), seeds, way, store="memory", processes=processes)
    for seed, measured in cities:
        print_line(seed, use_of(seed), measured)
        found.append(measured)
    together = pool(found)
    predictions = {kind: score.predictions for kind, score in together.kinds.items()}
    _, _, verdicts = CALIBRATION.version.partition("; ")
    _write_table(predictions, "; ".join(filter(None, (_version(seeds), verdicts))))


def _calibrate_verdicts(size: Size, seeds: Sequence[int], processes: int) -> None:
    """Learn what the confidence of verdicts is worth; the other kinds stay as they are."""
    found = _tried(size, seeds, UNCALIBRATED, processes)
    episodes, _, _ = CALIBRATION.version.partition("; ")
    _write_table(orders.predictions_by_kind(found), f"{episodes}; verdicts {_version(seeds)}")


def _tried(
    size: Size, seeds: Sequence[int], calibration: Calibration, processes: int
) -> orders.Tried:
    return orders.pooled(orders.tried(size, seed, calibration, processes) for seed in seeds)


def _version(seeds: Sequence[int]) -> str:
    return f"{RULE_VERSION}, seeds {' '.join(map(str, seeds))}"


def _write_table(predictions: Mapping[str, Sequence[tuple[float, bool]]], version: str) -> None:
    """Learn the kinds that were tried; the others stay as they are."""
    learned = learn(predictions, version)
    table = Calibration(version, {**CALIBRATION.knots, **learned.knots})
    path = Path(str(files("analytics").joinpath(TABLE)))
    path.write_text(formatted(table), encoding="utf-8")
    print(f"wrote {path.name}")


def _ablate(size: Size, shape: str, seeds: Sequence[int], processes: int) -> None:
    """The same cities without one idea after the other."""
    for name, ablation in ABLATIONS.items():
        way = Way(ablation=name)
        measured = pool(
            m for _, m in _cities(size, [shape], seeds, way, store="memory", processes=processes)
        )
        off = measured.kinds["treatment_off"]
        months = measured.pairings * measured.enterprise_days / measured.enterprises / 30.0
        print(
            f"\n{name}: false treatment_off per pair-month {len(off.false) / months:.2f}, ", end=""
        )
        print(
            f"all kinds: recall of all planted {share(measured.everything.recall_of_all)}, ", end=""
        )
        print(f"precision {share(measured.everything.precision)}")
        for kind in ablation.kinds:
            print(kind_row(kind, measured.kinds[kind], measured.untestable[kind]), flush=True)


def _peak_mb() -> float:
    kb = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, _CHILDREN))
    return max(kb) / 1024.0


def _verdicts(
    size: str, seeds: str | None, processes: int, *, verbose: bool, calibrate: bool
) -> None:
    """Verdicts beside what is true of them."""
    if size not in orders.SIZES:
        raise typer.BadParameter(f"--size is one of {', '.join(orders.SIZES)} with --verdicts")
    chosen = _chosen(seeds, orders.seeds_of, orders.TEST_SEEDS[0])
    shape = orders.SIZES[size]
    started = time.monotonic()
    if calibrate:
        if any(seed not in orders.TUNE_SEEDS for seed in chosen):
            raise typer.BadParameter("confidence is calibrated on tuning seeds only: --seeds tune")
        _calibrate_verdicts(shape, chosen, processes)
    else:
        named = ", ".join(map(str, chosen))
        print(
            f"verdicts: {shape.enterprises} enterprises × {shape.days} days, "
            f"seeds {named} ({orders.use_of(chosen[0])})"
        )
        found = _tried(shape, chosen, CALIBRATION, processes)
        print_orders(found)
        if verbose:
            print_errors(found.whole)
    print(f"in {time.monotonic() - started:.0f} s, {_peak_mb():.0f} MB at most in one process")


def _chosen(
    seeds: str | None, named: Callable[[str], tuple[int, ...]], default: int
) -> tuple[int, ...]:
    try:
        return (default,) if seeds is None else named(seeds)
    except ValueError:
        raise typer.BadParameter("--seeds is test, tune, or numbers between commas") from None


@app.command()
def main(
    size: Annotated[str, typer.Option(help=f"{' | '.join(SIZES)}.")] = "small",
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", "--seed", help="test, tune, or numbers between commas."),
    ] = None,
    shares: Annotated[
        str, typer.Option(help="default: as rare as in a city; even: every kind often.")
    ] = "default",
    store: Annotated[str, typer.Option(help=" | ".join(STORES))] = "memory",
    processes: Annotated[int, typer.Option(min=1, help="In memory: how many at a time.")] = 1,
    *,
    verbose: Annotated[bool, typer.Option(help="List what was missed and what was false.")] = False,
    ablations: Annotated[bool, typer.Option(help="Also without one idea after another.")] = False,
    verdicts: Annotated[
        bool,
        typer.Option(help="Orders under alerts instead: sizes small, long; seeds of their own."),
    ] = False,
    calibrate: Annotated[
        bool, typer.Option(help="Learn the table of confidence anew, from tuning seeds.")
    ] = False,
) -> None:
    """Print planted, found, missed and false per kind, with intervals; several seeds are pooled."""
    if verdicts:
        _verdicts(size, seeds, processes, verbose=verbose, calibrate=calibrate)
        return
    for value, known, option in (
        (size, SIZES, "size"),
        (shares, SHAPES, "shares"),
        (store, STORES, "store"),
    ):
        if value not in known:
            raise typer.BadParameter(f"--{option} is one of {', '.join(known)}")
    chosen = _chosen(seeds, seeds_of, TEST_SEEDS[0])
    shape = SIZES[size]
    named = ", ".join(map(str, chosen))
    started = time.monotonic()
    try:
        if calibrate:
            _calibrate(shape, chosen, processes)
        elif ablations:
            _ablate(shape, shares, chosen, processes)
        else:
            print(
                f"truth benchmark: {shape.enterprises} enterprises × {shape.days} days, "
                f"seeds {named}, {shares} shares"
            )
            measured = []
            for seed, one in _cities(
                shape, [shares], chosen, Way(), store=store, processes=processes
            ):
                measured.append(one)
                print_line(seed, use_of(seed), one)
            print_report(pool(measured))
            if verbose:
                print_details(pool(measured))
    except WattWitnessError as error:
        print(f"benchmarks.truth: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"in {time.monotonic() - started:.0f} s, {_peak_mb():.0f} MB at most in one process")


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.truth")
