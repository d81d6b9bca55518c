"""The tables that are printed."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from benchmarks.ingest.cell import Steady
from benchmarks.ingest.drain import Drained
from benchmarks.ingest.stage import Cost


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median, and in brackets the lowest and the highest."""
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{median(values):,.{digits}f} [{min(values):,.{digits}f}-{max(values):,.{digits}f}]"


def show_header(repeats: int) -> None:
    """Above the rows."""
    print(
        f"\nMedian [lowest-highest] of {repeats} repeats; CPU time in µs per reading, of the "
        "collector per message as well;\n`cores` is what the three took of the machine, all the "
        "time.\n"
    )
    print(
        f"{'':24}{'readings/s':>30}{'messages/s':>12}{'share of limit':>20}"
        f"{'PostgreSQL':>12}{'collector':>11}{'broker':>8}{'cores':>7}{'/message':>10}"
    )


def show_limit(rates: Sequence[float], cpu_us: Sequence[float]) -> None:
    """PostgreSQL alone."""
    cores = median([rate * cpu / 1e6 for rate, cpu in zip(rates, cpu_us, strict=True)])
    print(
        f"{'PostgreSQL alone':24}{spread(rates):>30}{'':>12}{'1':>20}{median(cpu_us):>12.2f}"
        f"{'':19}{cores:>7.2f}"
    )


def show_drains(name: str, drains: Sequence[Drained], limits: Sequence[float]) -> None:
    """One kind of load, drained."""
    shares = [d.readings_per_s / limit for d, limit in zip(drains, limits, strict=True)]
    rows, messages = drains[0].load.rows, drains[0].load.messages
    cost = [median([getattr(d.cost, part) for d in drains]) for part in Cost.__match_args__]
    collector, postgres, broker = (seconds / rows * 1e6 for seconds in cost)
    cores = median([d.cost.total / d.took_s for d in drains])
    print(
        f"{name:24}{spread([d.readings_per_s for d in drains]):>30}"
        f"{median([d.messages_per_s for d in drains]):>12,.0f}{spread(shares, 2):>20}"
        f"{postgres:>12.2f}{collector:>11.2f}{broker:>8.2f}{cores:>7.2f}"
        f"{collector * rows / messages:>10.1f}",
        flush=True,
    )


def show_backlog(drained: Drained, stored: int) -> None:
    """A large backlog."""
    memory = drained.memory_mb or [0.0]
    print(
        f"\nbacklog of {drained.load.rows:,} readings in {drained.load.messages:,} messages "
        f"(broker {drained.broker_mb:,.0f} MB)\n"
        f"  drained in {drained.took_s:.1f} s = {drained.readings_per_s:,.0f} readings/s, "
        f"lost {drained.load.rows - stored:,}\n"
        f"  collector memory: at most {max(memory):.0f} MB, median {median(memory):.0f} MB, "
        f"at the end {memory[-1]:.0f} MB"
    )


def show_steady(found: Steady, stored: int) -> None:
    """A steady rate."""
    memory = np.array(found.memory_mb or [0.0])
    quarter = max(1, len(memory) // 4)
    lost = found.load.rows - stored
    cost = found.cost
    print(
        f"\n{found.load.rows / found.took_s:,.0f} readings/s in {found.load.messages:,} messages "
        f"of {found.load.city.gateways:,} gateways, {found.took_s:.0f} s\n"
        f"  publish to proof of delivery: p50 {found.percentile_s(50):.3f} s, "
        f"p99 {found.percentile_s(99):.3f} s, max {max(found.latency_s):.3f} s\n"
        f"  lost {max(0, lost):,}, too many {max(0, -lost):,}\n"
        f"  collector memory: first quarter {memory[:quarter].mean():.0f} MB, "
        f"last quarter {memory[-quarter:].mean():.0f} MB, at most {memory.max():.0f} MB\n"
        f"  share of a core: collector {cost.collector / found.took_s:.0%}, "
        f"PostgreSQL {cost.postgres / found.took_s:.0%}, broker {cost.broker / found.took_s:.0%}"
    )
