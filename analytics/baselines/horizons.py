"""A window over one or several days: what is usual in it, and how wrong that is on past days.

The usual is the median of the ten newest like days (the best of the demand-response baselines on
public data, -3 % against +22 % of the high-5-of-10). The same rule is tried on every past day over
the same clock window and as many days ("placebo"): its ratios of actual to usual are the
uncertainty of the baseline, the plant's own, without a model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from analytics.baselines.frozen import Accumulated, Floats, FrozenBaseline
from wattwitness.domain.facts import BLOCK_MIN

MOST_LIKE_DAYS = 10
LEAST_PRIOR = 5  # like days before a past day; with fewer, those after it help
LIKE_ENOUGH = 0.3  # of what is usual in the window: a past window with less is no likeness of it
NEGLIGIBLE = 0.25  # of a window: so much of it need not have like days
MOST_ASKED = 24  # answers that are kept, of a view: a city has thousands of views
Rows = NDArray[np.intp]
Key = TypeVar("Key")
Kept = TypeVar("Kept")


class Amounts(Protocol):
    """Accumulated over the blocks of the day, of the days and rows of a view."""

    def at(self, block: int) -> NDArray[np.floating]:
        """What had come together when a block began, 0-96 [days, rows]."""


@dataclass(frozen=True, eq=False, slots=True)
class Chosen:
    """Some days and circuits of a baseline; nothing is copied."""

    of: Accumulated
    days: Rows  # of the baseline
    rows: Rows  # of the plant

    def at(self, block: int) -> NDArray[np.float32]:
        """What had come together when a block began, 0-96 [days, rows]."""
        found: NDArray[np.float32] = self.of.at(block)[self.days[:, np.newaxis], self.rows]
        return found


@dataclass(frozen=True, slots=True)
class DayPart:
    """A part of one local day."""

    ordinal: int
    from_min: float  # minutes of the day
    to_min: float
    rows: tuple[int, ...]  # circuits that count in it; places in the view's rows


@dataclass(frozen=True, eq=False)
class View:
    """Candidate days of some circuits, all of them known, with who is like whom."""

    ordinals: NDArray[np.int64]  # [days]
    running_min: Chosen
    energy_kwh: Chosen
    like: NDArray[np.intp]  # like days of each day, newest first; -1 = no more [days, 10]
    newest: dict[int, NDArray[np.intp]]  # kind of day → its newest like days
    newest_days: dict[int, tuple[date, ...]]  # the same as dates, oldest first
    # what was asked before: most parts of a window are days that are over
    asked: dict[tuple[object, ...], "PartUsual"] = field(default_factory=dict, repr=False)
    rows_asked: dict[tuple[object, ...], Floats] = field(default_factory=dict, repr=False)


def _like_days(kind: NDArray[np.int64]) -> NDArray[np.intp]:
    """Days that each past day is tried against [days, 10]."""
    found = np.full((len(kind), MOST_LIKE_DAYS), -1, dtype=np.intp)
    for day in range(len(kind)):
        own = np.flatnonzero(kind == kind[day])
        before = own[own < day][::-1][:MOST_LIKE_DAYS]
        if len(before) < LEAST_PRIOR:
            others = own[own != day]
            before = others[np.argsort(np.abs(others - day), kind="stable")][:MOST_LIKE_DAYS]
        found[day, : len(before)] = before
    return found


def view_of(baseline: FrozenBaseline, rows: Sequence[int], *, energy: bool) -> View:
    """The candidate days on which all of these circuits are known.

    Args:
        baseline: of the alert.
        rows: of the plant.
        energy: whether it is their energy that has to be known, or whether they ran.
    """
    key = (tuple(rows), energy)
    kept = baseline.views.get(key)
    if isinstance(kept, View):
        return kept
    known = baseline.energy_known if energy else baseline.runs_known
    own = list(rows)
    use = np.flatnonzero(known[:, own].all(axis=1))
    ordinals = baseline.ordinals[use]
    kind = np.array([baseline.kind(int(n)) for n in ordinals], dtype=np.int64)
    newest = {
        int(k): np.flatnonzero(kind == k)[::-1][:MOST_LIKE_DAYS].astype(np.intp)
        for k in np.unique(kind)
    }
    found = View(
        ordinals=ordinals,
        running_min=Chosen(baseline.running_min, use, np.array(own, dtype=np.intp)),
        energy_kwh=Chosen(baseline.energy_kwh, use, np.array(own, dtype=np.intp)),
        like=_like_days(kind),
        newest=newest,
        newest_days={
            k: tuple(date.fromordinal(int(ordinals[n])) for n in sorted(places))
            for k, places in newest.items()
        },
    )
    baseline.views[key] = found
    return found


def compared_days(
    baseline: FrozenBaseline, rows: Sequence[int], day: date, *, energy: bool
) -> tuple[date, ...]:
    """The like days that a local day is compared with, oldest first.

    Args:
        baseline: of the alert.
        rows: of the plant.
        day: judged.
        energy: whether their energy is compared, or how long they ran.
    """
    view = view_of(baseline, rows, energy=energy)
    return view.newest_days.get(baseline.kind(day.toordinal()), ())


def between(amounts: Amounts, from_min: float, to_min: float) -> Floats:
    """What lies in a part of the day, per day and row [days, rows]."""

    def at(minute: float) -> Floats:
        block, rest = divmod(minute, BLOCK_MIN)
        low: Floats = amounts.at(int(block)).astype(np.float64)
        if rest == 0:
            return low
        return low + (rest / BLOCK_MIN) * (amounts.at(int(block) + 1) - low)

    return at(to_min) - at(from_min)


def middle(values: Floats, used: NDArray[np.bool_]) -> Floats:
    """Median of the used values of each row [n, k] → [n]; NaN where none is used."""
    count = used.sum(axis=1)
    ordered = np.sort(np.where(used, values, np.inf), axis=1)
    row = np.arange(len(values))
    low = ordered[row, np.maximum(0, (count - 1) // 2)]
    high = ordered[row, np.minimum(values.shape[1] - 1, count // 2)]
    return np.where(count > 0, 0.5 * (low + high), np.nan)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in a window."""

    amount: float  # NaN = no like day
    like_days: int  # fewest, of the days that matter
    ratios: Floats  # actual ÷ usual on past days, as many days at a time, oldest first [n]
    starts: NDArray[np.intp]  # the first past day of each ratio [n]


NOTHING = Usual(float("nan"), 0, np.empty(0), np.empty(0, dtype=np.intp))


@dataclass(frozen=True, slots=True)
class PartUsual:
    """What is usual in a part of a day, and on every candidate day in that part."""

    usual: float
    like_days: int
    actual: Floats  # [days]
    expected: Floats  # by the like days of each [days]


def _median(values: Floats) -> Floats:
    """Along the first axis, which is not empty."""
    ordered = np.sort(values, axis=0)
    n = len(values)
    return np.asarray(0.5 * (ordered[(n - 1) // 2] + ordered[n // 2]))


def _part_usual(kind: int, view: View, amounts: Amounts, part: DayPart) -> PartUsual:
    each = between(amounts, part.from_min, part.to_min)[:, list(part.rows)].sum(axis=1)
    newest = view.newest.get(kind)
    expected = middle(each[view.like], view.like >= 0)
    if newest is None:
        return PartUsual(0.0, 0, each, expected)
    return PartUsual(float(_median(each[newest])), len(newest), each, expected)


def _remembered(kept: dict[Key, Kept], key: Key, make: Callable[[], Kept]) -> Kept:
    """An answer, made if it is not kept; the one that was not asked for longest is let go."""
    found = kept.pop(key, None)
    if found is None:
        found = make()
        if len(kept) >= MOST_ASKED:
            del kept[next(iter(kept))]
    kept[key] = found
    return found


def part_usual(baseline: FrozenBaseline, view: View, amounts: Amounts, part: DayPart) -> PartUsual:
    """What is usual in one part of a day; asked again of the view's own amounts, it is at hand."""
    kind = baseline.kind(part.ordinal)
    own = amounts is view.energy_kwh or amounts is view.running_min
    if not own:
        return _part_usual(kind, view, amounts, part)
    key = (amounts is view.energy_kwh, kind, part.from_min, part.to_min, part.rows)
    return _remembered(view.asked, key, lambda: _part_usual(kind, view, amounts, part))


def usual_in(
    baseline: FrozenBaseline, view: View, amounts: Amounts, parts: Sequence[DayPart]
) -> Usual:
    """The usual amount of a window, summed over circuits, with its placebo ratios.

    Args:
        baseline: of the alert.
        view: of the circuits.
        amounts: accumulated over the day, of the view [days, rows, 97].
        parts: of the window, in time.
    """
    if len(view.ordinals) == 0 or not parts:
        return NOTHING
    found = [part_usual(baseline, view, amounts, part) for part in parts]
    usual = [one.usual for one in found]
    total = sum(usual)
    fewest = _fewest(usual, [one.like_days for one in found])
    return Usual(total, fewest, *_ratios(parts, found, total))


def _fewest(usual: Sequence[float], counts: Sequence[int]) -> int:
    """Like days of the worst founded part of a window; little of it may be worse founded."""
    left = NEGLIGIBLE * sum(usual)
    for count, amount in sorted(zip(counts, usual, strict=True)):
        left -= amount
        if left < 0:
            return count
    return min(counts)


def usual_rows(
    baseline: FrozenBaseline, view: View, amounts: Chosen, parts: Sequence[DayPart]
) -> Floats:
    """The usual amount of a window, circuit by circuit [rows]."""
    total = np.zeros(len(amounts.rows))
    for part in parts if len(view.ordinals) else ():
        total[list(part.rows)] += _rows_usual(baseline.kind(part.ordinal), view, amounts, part)
    return total


def _rows_usual(kind: int, view: View, amounts: Chosen, part: DayPart) -> Floats:
    """The usual amount of a part of a day, circuit by circuit [rows of the part]."""

    def made() -> Floats:
        newest, rows = view.newest.get(kind), list(part.rows)
        if newest is None:
            return np.zeros(len(rows))
        return _median(between(amounts, part.from_min, part.to_min)[newest][:, rows])

    key = (amounts is view.energy_kwh, kind, part.from_min, part.to_min, part.rows)
    return _remembered(view.rows_asked, key, made)


def _ratios(
    parts: Sequence[DayPart], found: Sequence[PartUsual], total: float
) -> tuple[Floats, NDArray[np.intp]]:
    """Actual ÷ usual over as many neighbouring past days as the window has; and where each began.

    Past windows in which much less is usual than in this one say nothing about it.
    """
    offsets = [part.ordinal - parts[0].ordinal for part in parts]
    count = max(0, len(found[0].actual) - offsets[-1])
    took, should = np.zeros(count), np.zeros(count)
    for offset, one in zip(offsets, found, strict=True):
        took += one.actual[offset : offset + count]
        should += one.expected[offset : offset + count]
    use = np.flatnonzero((should > LIKE_ENOUGH * total) & (should > 0))  # NaN is neither
    return np.asarray(took[use] / should[use]), use
