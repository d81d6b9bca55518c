"""The figures as one table, with the targets beside them."""

from dataclasses import dataclass
from statistics import median

from benchmarks.analytics.clock import Cost
from benchmarks.analytics.memory import Steps
from benchmarks.analytics.minute import Minute
from benchmarks.analytics.stored import Stored


@dataclass(frozen=True, slots=True)
class City:
    """What the figures stand for."""

    enterprises: int
    circuits: int  # of each
    history_days: int
    pinned: bool  # to one core


def _line(name: str, *cells: str) -> None:
    print(f"{name:<46}" + "".join(f"{cell:>16}" for cell in cells))


def print_report(city: City, steps: Steps, stored: Stored | None, minute: Minute) -> None:
    """Print everything that was measured."""
    n = city.enterprises
    print(
        f"a city-day of {n} enterprises × {city.circuits} circuits × 1,440 min, "
        f"{city.history_days} days of history, {'' if city.pinned else 'not pinned to '}one core; "
        f"processor time, best runs\n"
    )
    _print_steps(steps, n)
    print()
    _line("a minute's readings, live", "ms", "", "", "target")
    _line("  taken in, states", f"{1000 * minute.advance_s:.1f}")
    _line("  a glance at all pairings", f"{1000 * minute.glance_s:.1f}")
    _line(f"  warnings of {minute.looks} plants at most", f"{1000 * minute.looks_s:.1f}")
    total_s = minute.advance_s + minute.glance_s + minute.looks_s
    _line(f"  all, {minute.circuits:,} circuits", f"{1000 * total_s:.1f}", "", "", "≤ 100")
    if stored is not None:
        _print_stored(stored, n)


def _print_steps(steps: Steps, n: int) -> None:
    _line("in memory", "ms/enterprise", "s/city-day", "× np.sum", "target")
    for name, seconds, target in (
        ("np.sum over the power (float32)", steps.sum_s / n, "1"),
        ("np.sum over all that is read (float64)", steps.sum_all_s, ""),
        ("states + pairing", steps.states_s, "≤ 60"),
        ("  readings → columns, marks, facts", steps.columns_s, ""),
        ("  histograms of 28 days → thresholds", steps.learn_s, ""),
        ("  columns → states, conditions, facts", steps.judge_s, ""),
        ("  history → episodes, leads", steps.conclude_s, ""),
        ("everything, readings → episodes", steps.everything_s, "≤ 100"),
    ):
        _line(
            name,
            f"{1000 * seconds:.3f}",
            f"{n * seconds:.2f}",
            f"{n * seconds / steps.sum_s:.0f}",
            target,
        )
    _line("  ÷ np.sum over all that is read", "", "", f"{steps.everything_s / steps.sum_all_s:.0f}")


def _cpu_s(cost: Cost) -> float:
    return cost.cpu_s


def _print_stored(stored: Stored, n: int) -> None:
    print(
        f"\n{stored.enterprises} enterprises through PostgreSQL ({stored.readings:,} readings, "
        f"{stored.fetched:,} fetched; {stored.episodes} episodes in all), the city-day "
        f"extrapolated from them"
    )
    _line("", "own ms/ent.", "server ms/ent.", "wall ms/ent.", "city-day wall s")
    bare, read, again = (min(costs, key=_cpu_s) for costs in zip(*stored.turns, strict=True))
    for name, cost in (
        ("bare COPY of the rows into numpy", bare),
        ("the same rows as the analysis reads them", read),
        ("the store to episodes, first time", stored.first),
        ("the store to episodes, again", again),
    ):
        per = 1000.0 / stored.enterprises
        _line(
            name,
            f"{per * cost.own_s:.1f}",
            f"{per * cost.server_s:.1f}",
            f"{per * cost.wall_s:.1f}",
            f"{n * cost.wall_s / stored.enterprises:.1f}",
        )
    ratios = sorted(again.cpu_s / bare.cpu_s for bare, _, again in stored.turns)
    wall = sorted(again.wall_s / bare.wall_s for bare, _, again in stored.turns)
    _line(
        f"again ÷ bare COPY, {len(ratios)} turns: median",
        f"{median(ratios):.2f}",
        f"[{ratios[0]:.2f}-{ratios[-1]:.2f}]",
        f"{median(wall):.2f}",
        "≤ 1.5",
    )
    _line("most memory of this process", f"{stored.peak_mb:.0f} MB", "", "", "≤ 1,000 MB")
    _line("  of it the benchmark's own readings", f"{stored.models_mb:.0f} MB")
