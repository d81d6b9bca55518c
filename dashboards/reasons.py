"""Numbers for why this is a lead: per kind, over the episodes that no declaration suppresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dashboards.words import WORDS
from wattwitness.domain.episodes import Episode

_SUMMED = frozenset({"known_minutes", "missing_minutes", "production_energy", "energy_in_gap"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One evidence over several episodes: their sum, or from the lowest to the highest."""

    name: str
    low: float
    high: float
    unit: str
    summed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KindReasons:
    """What the episodes of one kind show together."""

    kind: str
    episodes: int
    length: timedelta
    amounts: tuple[Amount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Over the episodes of a lead."""

    episodes: int
    suppressed: int
    kinds: tuple[KindReasons, ...]  # the longest together first


def _amounts(episodes: Sequence[Episode]) -> tuple[Amount, ...]:
    named: dict[str, list[tuple[float, str]]] = {}
    for episode in episodes:
        for name, item in episode.evidence.items():
            value = item.get("value")
            if isinstance(value, int | float):
                named.setdefault(name, []).append((float(value), str(item.get("unit", ""))))
    known = list(WORDS["evidence"])
    order = sorted(named, key=lambda n: known.index(n) if n in known else len(known))
    found = []
    for name in order:
        values = [value for value, _ in named[name]]
        summed = name in _SUMMED
        low, high = (sum(values), sum(values)) if summed else (min(values), max(values))
        found.append(Amount(name=name, low=low, high=high, unit=named[name][0][1], summed=summed))
    return tuple(found)


def reasons(episodes: Sequence[Episode]) -> Reasons:
    """Evidence of all episodes, kind by kind."""
    standing = [e for e in episodes if e.suppressed_by is None]
    by_kind: dict[str, list[Episode]] = {}
    for episode in standing:
        by_kind.setdefault(episode.kind, []).append(episode)
    kinds = [
        KindReasons(
            kind=kind,
            episodes=len(own),
            length=sum((e.to - e.from_ for e in own), timedelta()),
            amounts=_amounts(own),
        )
        for kind, own in by_kind.items()
    ]
    kinds.sort(key=lambda item: (-item.length, item.kind))
    return Reasons(
        episodes=len(standing), suppressed=len(episodes) - len(standing), kinds=tuple(kinds)
    )
