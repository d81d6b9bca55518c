"""`python -m benchmarks.fuzz`: everything a gateway can send, and what becomes of it.

Generated payloads go the real way in. The generator knows what has to become of each reading, so a
crash, a reading that is not accounted for, a wrong value or a wrong count is a mismatch, and the
exit code is 1.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated

import typer

from benchmarks.fuzz.chapters import Result, in_database, in_memory
from benchmarks.fuzz.report import print_report
from benchmarks.fuzz.wrong import Wrong

app = typer.Typer(add_completion=False)
CHAPTER = 20_000


@app.command()
def main(
    payloads: Annotated[int, typer.Option(min=1, help="How many in all.")] = 1_000_000,
    postgres: Annotated[
        int, typer.Option(min=0, help="How many of them into a real PostgreSQL.")
    ] = 100_000,
    seed: Annotated[int, typer.Option(help="Another seed, other payloads.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="At once.")] = os.cpu_count() or 1,
    wrong: Annotated[
        Wrong | None, typer.Option(help="Put a mistake into the collector: it must be reported.")
    ] = None,
) -> None:
    """Print what became of them; 1 when anything does not agree."""
    into_database = min(postgres, payloads)
    left = payloads - into_database
    print(f"fuzz: {payloads} payloads, seed {seed}, {into_database} of them into PostgreSQL")
    memory, database = Result(), Result()
    with ProcessPoolExecutor(processes) as pool:
        slow = []
        if into_database:
            slow.append(pool.submit(in_database, f"{seed}/database", into_database, wrong))
        sizes = [CHAPTER] * (left // CHAPTER) + ([left % CHAPTER] if left % CHAPTER else [])
        seeds = [f"{seed}/{n}" for n in range(len(sizes))]
        for result in pool.map(in_memory, seeds, sizes, [wrong] * len(sizes)):
            memory.add(result)
        for future in slow:
            database.add(future.result())
    sys.exit(0 if print_report(memory, database) else 1)


if __name__ == "__main__":
    app(prog_name="python -m benchmarks.fuzz")
