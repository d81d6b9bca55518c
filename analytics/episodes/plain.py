"""Spells that need no pairing → episodes: joined across midnights and short holes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.detectors.stages import History
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import from_us
from wattwitness.domain.rules import RULE_VERSION
from wattwitness.domain.spells import ConditionSpell

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Joined:
    """Spells of one kind and subject that belong together, oldest first."""

    spells: tuple[ConditionSpell, ...]

    @property
    def from_(self) -> datetime:
        """When it began."""
        return self.spells[0].from_

    @property
    def to(self) -> datetime:
        """When it was last seen."""
        return max(spell.to for spell in self.spells)

    @property
    def minutes(self) -> float:
        """From beginning to end [min]."""
        return (self.to - self.from_) / _MINUTE

    def has(self, name: str) -> bool:
        """Whether this evidence was recorded at all."""
        return any(name in spell.sums for spell in self.spells)

    def total(self, name: str) -> float:
        """Sum of one additive evidence."""
        return sum((spell.sums.get(name, 0.0) for spell in self.spells), 0.0)

    def most(self, name: str) -> float:
        """Largest value of one evidence; 0 where it was not recorded."""
        return max((spell.sums[name] for spell in self.spells if name in spell.sums), default=0.0)


def join_plain(spells: Sequence[ConditionSpell], bridge_min: float) -> list[Joined]:
    """Spells of one kind and subject whose holes are no longer than `bridge_min` [min]."""
    groups: list[list[ConditionSpell]] = []
    end: datetime | None = None
    for spell in sorted(spells, key=lambda s: (s.from_, s.to)):
        if end is not None and spell.from_ - end <= bridge_min * _MINUTE:
            groups[-1].append(spell)
            end = max(end, spell.to)
        else:
            groups.append([spell])
            end = spell.to
    return [Joined(tuple(group)) for group in groups]


def evidence_of(
    numbers: Mapping[str, tuple[float | str, str]],
) -> dict[str, dict[str, float | str]]:
    """Named (value, unit) pairs as an episode keeps them."""
    return {
        name: {"value": round(value, 3) if isinstance(value, float) else value, "unit": unit}
        for name, (value, unit) in numbers.items()
    }


def plain_episode(
    history: History,
    kind: str,
    joined: Joined,
    circuits: tuple[str, ...],
    detected_after_min: float,
    numbers: Mapping[str, tuple[float | str, str]],
    confidence: float,
) -> Episode:
    """An episode about circuits rather than a pairing.

    Args:
        history: of the enterprise.
        kind: code of the rule catalogue.
        joined: its spells.
        circuits: what it is about.
        detected_after_min: how long it had to last before it could be told [min].
        numbers: name → (value, unit).
        confidence: 0 … 1.
    """
    first = joined.from_ + detected_after_min * _MINUTE
    seen = from_us(history.watermark_us)
    return Episode(
        enterprise_id=history.plant.enterprise_id,
        kind=kind,
        from_=joined.from_,
        to=joined.to,
        detected_at=max(joined.from_, min(first, seen, joined.to)),
        circuits=circuits,
        pairing_id=None,
        confidence=round(confidence, 3),
        evidence=evidence_of(numbers),
        rule_version=RULE_VERSION,
    )
