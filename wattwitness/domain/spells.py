"""Condition spells: what one local day contributes to the episodes.

The day kernel finds, per rule and subject, the maximal intervals in which the rule's condition
held; episodes are these spells joined across days. A spell never crosses the end of its local day,
so days can be analysed in any order, alone, or again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import from_us, to_us


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSpell:
    """A condition held from `from_` to `to` [minutes are UTC minutes]."""

    enterprise_id: str
    kind: str
    subject: str  # a pairing id, or circuit ids joined by `;`
    from_: datetime
    to: datetime
    sums: Mapping[str, float]  # additive evidence: minutes, kWh, … named with units


EVERY: Final = slice(None)


@dataclass(frozen=True, eq=False)
class SpellTable:
    """Spells of one kind and subject as columns, oldest first; single ones when asked for."""

    enterprise_id: str
    kind: str
    subject: str
    from_us: NDArray[np.int64]  # [n]
    to_us: NDArray[np.int64]  # [n]
    names: Sequence[str]  # of the sums
    sums: NDArray[np.float64]  # NaN = the spell does not have it [n, names]
    _made: dict[int, ConditionSpell] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """How many spells."""
        return len(self.from_us)

    def sum(
        self, name: str, missing: float = 0.0, rows: NDArray[np.intp] | slice = EVERY
    ) -> NDArray[np.float64]:
        """One evidence of every spell, or of some [n].

        Args:
            name: of the evidence.
            missing: of spells that do not have it.
            rows: of which spells.
        """
        if name not in self.names:
            return np.full(len(self.from_us[rows]), missing)
        own = self.sums[rows, self.names.index(name)].copy()
        unknown = np.isnan(own)
        if unknown.any():
            own[unknown] = missing
        return own

    def spell(self, n: int) -> ConditionSpell:
        """One of them; the same object whenever it is asked for."""
        found = self._made.get(n)
        if found is None:
            pairs = zip(self.names, self.sums[n].tolist(), strict=True)
            found = self._made[n] = ConditionSpell(
                enterprise_id=self.enterprise_id,
                kind=self.kind,
                subject=self.subject,
                from_=from_us(int(self.from_us[n])),
                to=from_us(int(self.to_us[n])),
                sums={name: value for name, value in pairs if value == value},  # noqa: PLR0124 - NaN
            )
        return found

    @cached_property
    def spells(self) -> Sequence[ConditionSpell]:
        """All of them."""
        return [self.spell(n) for n in range(len(self))]

    @classmethod
    def of(cls, spells: Sequence[ConditionSpell]) -> "SpellTable":
        """From single spells of one kind and subject, at least one, oldest first."""
        names = sorted({name for spell in spells for name in spell.sums})
        nothing = float("nan")
        first = spells[0]
        return cls(
            first.enterprise_id,
            first.kind,
            first.subject,
            np.array([to_us(s.from_) for s in spells], dtype=np.int64),
            np.array([to_us(s.to) for s in spells], dtype=np.int64),
            names,
            np.array(
                [[s.sums.get(name, nothing) for name in names] for s in spells], dtype=np.float64
            ),
            dict(enumerate(spells)),
        )


class SpellBook:
    """All condition spells of one enterprise, by kind and subject.

    Args:
        tables: (kind, subject) → its spells.
    """

    def __init__(self, tables: Mapping[tuple[str, str], SpellTable]) -> None:
        self.tables = tables

    @classmethod
    def of(cls, spells: Iterable[ConditionSpell]) -> "SpellBook":
        """From single spells, in any order."""
        found: dict[tuple[str, str], list[ConditionSpell]] = {}
        for spell in sorted(spells, key=lambda s: s.from_):
            found.setdefault((spell.kind, spell.subject), []).append(spell)
        return cls({key: SpellTable.of(own) for key, own in found.items()})

    def __len__(self) -> int:
        """How many spells in all."""
        return sum(map(len, self.tables.values()))

    def __iter__(self) -> Iterator[ConditionSpell]:
        """Every spell, by kind, subject and time."""
        for key in sorted(self.tables):
            yield from self.tables[key].spells
