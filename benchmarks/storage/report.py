"""The figures as a table, one column for each kind of database."""

from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.storage.measure import Figures
from wattwitness.store.mode import Mode


def print_report(found: Sequence[Figures]) -> None:
    """Print everything that was measured."""

    def line(name: str, show: Callable[[Figures], str]) -> None:
        print(f"{name:<44}" + "".join(f"{show(figures):>14}" for figures in found))

    line("", lambda f: f.mode.value)
    line("readings", lambda f: f"{f.readings:,}")
    print("\nbytes a reading, as it is written")
    for name, key in (("table", "heap"), ("key", "key"), ("in all", "total")):
        line(f"  {name}", partial(_written, key))
    print("\nbytes a reading, per column (compressed, where there is a columnstore)")
    for column in found[0].columns:
        line(f"  {column}", partial(_column, column))
    line("  the columns together", lambda f: f"{sum(f.columns.values()):.2f}")
    line("  headers, pages, index", lambda f: f"{_total(f) - sum(f.columns.values()):.2f}")
    line("  in all", lambda f: f"{_total(f):.2f}")
    line("  readings in a batch", lambda f: f"{f.readings / f.batches:.0f}" if f.batches else "-")
    print("\nrates")
    line("  COPY with its encoding, readings/s", lambda f: f"{f.copy_per_s:,.0f}")
    for state in ("as written", "compressed"):
        line(f"  read, {state}, readings/s", partial(_rate, state))
    line("  compression, readings/s", lambda f: _per_second(f.readings, f.compress_s))
    print("\nrollups")
    line("  readings rolled up/s", lambda f: _per_second(f.readings, f.rollup_s))
    line("  bytes a row", lambda f: f"{f.rollup_bytes:.1f}")
    line("  bytes a reading", lambda f: f"{f.rollup_bytes * f.rollup_rows / f.readings:.2f}")
    for name in ("readings alone", "rollups"):
        line(f"  hours of 20 circuits, {name}, ms", partial(_bands, name))


def _total(figures: Figures) -> float:
    sizes = figures.compressed if figures.mode is Mode.TIMESCALE_FULL else figures.written
    return sizes["total"]


def _written(key: str, figures: Figures) -> str:
    return f"{figures.written[key]:.1f}"


def _column(name: str, figures: Figures) -> str:
    return f"{figures.columns[name]:.3f}"


def _bands(name: str, figures: Figures) -> str:
    return f"{figures.bands_ms[name]:.1f}"


def _rate(state: str, figures: Figures) -> str:
    return f"{figures.read_per_s[state]:,.0f}" if state in figures.read_per_s else "-"


def _per_second(readings: int, seconds: float) -> str:
    return f"{readings / seconds:,.0f}" if seconds else "-"
