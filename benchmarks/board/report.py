"""The table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.board.boards import Seen
from benchmarks.board.live import Committed
from benchmarks.board.measured import Shown
from benchmarks.board.rejudge import Rejudged


@dataclass
class Figures:
    """What a run was like."""

    enterprises: int
    boards: int
    minutes: int
    loaded_s: float
    took_s: float = 0.0
    costs: dict[str, tuple[float, float]] = field(default_factory=dict)  # CPU s, memory MB
    watched: list[str] = field(default_factory=list)
    rejudge: Rejudged | None = None


def show(figures: Figures, found: Shown, committed: Committed, seen: Sequence[Seen]) -> None:
    """Print it."""
    minutes = figures.took_s / 60.0
    rate = committed.readings / figures.took_s
    print(
        f"\n{figures.enterprises} enterprises, {committed.readings:,} readings in "
        f"{figures.took_s:.0f} s ({rate:.0f}/s), {figures.boards} boards; "
        f"loaded in {figures.loaded_s:.0f} s"
    )
    print(f"commit of a batch: {1e3 * float(np.median(committed.write_s)):.0f} ms median, "
          f"writing at most {committed.late_s:.1f} s behind its plan")  # fmt: skip
    print("\n| figure | measured | goal |\n|---|---|---|")
    delay = " / ".join(f"{found.percentile_s(p):.2f}" for p in (50, 90, 99, 100))
    print(
        f"| commit to the row on an open board, p50 / p90 / p99 / most [s] | {delay} | p99 <= 2 |"
    )
    if figures.rejudge is not None:
        print(f"| re-verdict of the city, CPU [s] | {figures.rejudge.all_s:.2f} "
              f"({figures.rejudge.verdicts} verdicts) | <= 1 |")  # fmt: skip
        print(f"| a minute of the city, CPU [ms] | {1e3 * figures.rejudge.minute_s:.0f} | <= 100 |")
    for name, (cpu_s, memory_mb) in figures.costs.items():
        memory = f", {memory_mb:.0f} MB" if memory_mb else ""
        print(f"| {name}: CPU seconds a minute | {cpu_s / minutes:.1f}{memory} | |")
    sent = sum(board.received_bytes for board in seen) / len(seen) / minutes
    print(f"| to each board [kB a minute] | {sent / 1e3:.0f} | |")
    cut = sum(max(0, board.streams - 1) for board in seen)
    print(f"| streams that were cut | {cut} | 0 |")
    for line in figures.watched[-1:]:
        told = json.loads(line)
        print(f"watcher, last minute: {told}")
