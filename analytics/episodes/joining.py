"""Join the condition spells of one subject into stretches.

Two spells belong together if nothing between them speaks against it (treatment never worked) and
the open time between is short. Only minutes in which the condition is known to hold are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_MINUTE
from wattwitness.domain.spells import ConditionSpell, SpellTable

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Stretch:
    """Spells that belong together, oldest first, disjoint."""

    spells: tuple[ConditionSpell, ...]
    _totals: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def from_(self) -> datetime:
        """When the condition began."""
        return self.spells[0].from_

    @property
    def to(self) -> datetime:
        """When it was last known to hold."""
        return self.spells[-1].to

    @cached_property
    def known_min(self) -> float:
        """Minutes in which the condition is known to hold."""
        return sum(((s.to - s.from_) / _MINUTE for s in self.spells), 0.0)

    @cached_property
    def unknown_min(self) -> float:
        """Minutes in between about which nothing is known."""
        inner = zip(self.spells, self.spells[1:], strict=False)
        return sum((unknown_between(a, b) for a, b in inner), 0.0)

    def total(self, name: str) -> float:
        """Sum of one additive evidence over the spells; 0 where it was not recorded."""
        found = self._totals.get(name)
        if found is None:
            found = sum((s.sums.get(name, 0.0) for s in self.spells), 0.0)
            self._totals[name] = found
        return found

    def minutes_known_at(self, minutes: float) -> datetime:
        """The instant at which this many known minutes were full.

        Raises:
            ValueError: the stretch has fewer.
        """
        left = minutes
        for spell in self.spells:
            length = (spell.to - spell.from_) / _MINUTE
            if length >= left:
                return spell.from_ + left * _MINUTE
            left -= length
        raise ValueError(f"only {self.known_min} known minutes, not {minutes}")


def unknown_between(a: ConditionSpell, b: ConditionSpell) -> float:
    """Unknown minutes between two neighbouring spells."""
    known_from_a = a.sums.get("unknown_after_min", 0.0)
    whole = a.sums.get("open_after_min", 0.0) * _MINUTE >= b.from_ - a.to
    return known_from_a if whole else known_from_a + b.sums.get("unknown_before_min", 0.0)


class Stretches(Sequence[Stretch]):
    """Stretches of one subject, oldest first; single ones are made when they are asked for.

    Two spells belong together if the time between is short and open from end to end.

    Args:
        table: spells of one enterprise, kind and subject.
        bridge_min: longest open time inside a stretch [min].
    """

    def __init__(self, table: SpellTable, bridge_min: float) -> None:
        self._table = table
        gap_us = table.from_us[1:] - table.to_us[:-1]
        open_min = table.sum("open_after_min")[:-1] + table.sum("open_before_min")[1:]
        joined = (gap_us <= bridge_min * US_PER_MINUTE) & (
            np.rint(open_min * US_PER_MINUTE) >= gap_us
        )
        self._starts = np.flatnonzero(np.concatenate(([True], ~joined)))
        self._ends = np.append(self._starts[1:], len(table))

    def __len__(self) -> int:
        """How many."""
        return len(self._starts)

    @overload
    def __getitem__(self, n: int) -> Stretch: ...

    @overload
    def __getitem__(self, n: slice) -> Sequence[Stretch]: ...

    def __getitem__(self, n: int | slice) -> Stretch | Sequence[Stretch]:
        """One of them, or some."""
        if isinstance(n, slice):
            return [self[k] for k in range(*n.indices(len(self)))]
        first, end = int(self._starts[n]), int(self._ends[n])
        return Stretch(tuple(self._table.spell(k) for k in range(first, end)))

    @cached_property
    def known_min(self) -> NDArray[np.float64]:
        """Minutes in which the condition is known to hold [stretches]."""
        minutes = (self._table.to_us - self._table.from_us) / US_PER_MINUTE
        return np.asarray(np.add.reduceat(minutes, self._starts))

    def first(self, name: str, missing: float) -> NDArray[np.float64]:
        """One evidence of the spell with which each begins [stretches]."""
        return self._table.sum(name, missing, self._starts)

    def last(self, name: str, missing: float) -> NDArray[np.float64]:
        """One evidence of the spell with which each ends [stretches]."""
        return self._table.sum(name, missing, self._ends - 1)

    @property
    def to_us(self) -> int:
        """When the last one ended."""
        return int(self._table.to_us[-1])


def join(spells: Sequence[ConditionSpell], bridge_min: float) -> list[Stretch]:
    """Stretches of one subject.

    Args:
        spells: of one enterprise, kind and subject, any order.
        bridge_min: longest open time inside a stretch [min].
    """
    ordered = sorted(spells, key=lambda s: s.from_)
    return list(Stretches(SpellTable.of(ordered), bridge_min)) if ordered else []


def cut(spell: ConditionSpell, from_: datetime, to: datetime) -> ConditionSpell | None:
    """The part of a spell inside [from_, to), its evidence in proportion; None = nothing."""
    start, end = max(spell.from_, from_), min(spell.to, to)
    if start >= end:
        return None
    share = (end - start) / (spell.to - spell.from_)
    sums: Mapping[str, float] = {
        name: value * share if name.endswith(("_kwh", "_min")) else value
        for name, value in spell.sums.items()
    }
    edges = {
        "open_before_min": 0.0 if start > spell.from_ else spell.sums["open_before_min"],
        "open_after_min": 0.0 if end < spell.to else spell.sums["open_after_min"],
        "unknown_before_min": 0.0 if start > spell.from_ else spell.sums["unknown_before_min"],
        "unknown_after_min": 0.0 if end < spell.to else spell.sums["unknown_after_min"],
    }
    return ConditionSpell(
        enterprise_id=spell.enterprise_id,
        kind=spell.kind,
        subject=spell.subject,
        from_=start,
        to=end,
        sums={**sums, **edges},
    )
