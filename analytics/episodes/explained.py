"""Findings that are only the echo of another one, and units that share one.

A clock that is set, values that stood still and a day that was repeated all leave a step in the
register behind, and hours in which it disagrees with the power; balances with the main meter and
starts against other circuits are wrong meanwhile. Values that stood still or were repeated say
nothing about what ran. Treatment that works only while somebody may look stops "early" every
evening. Told once is enough: as what it is. And units of one pairing that are throttled together
are one matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from wattwitness.domain.episodes import Episode
from wattwitness.domain.registry import Pairing

_FALSE_VALUES = ("frozen_reading", "replayed_data")
_METER = ("clock_skew", *_FALSE_VALUES)
_EDGES = ("treatment_inspection_only", *_METER)
ECHOES: Mapping[str, tuple[str, ...]] = {
    "counter_anomaly": _METER,
    "unmetered_production": _METER,
    "treatment_off": _FALSE_VALUES,
    "shared_treatment_short": _FALSE_VALUES,
    "treatment_underload": _FALSE_VALUES,
    "treatment_dummy_load": _FALSE_VALUES,
    "treatment_late_start": _EDGES,
    "treatment_early_stop": _EDGES,
}
"""Kind → kinds that explain it where they lie around it and concern its circuits."""
MARGIN = timedelta(hours=1)
PER_UNIT = ("treatment_underload", "treatment_gradual_underrun", "treatment_dummy_load")


def _concerns(cause: Episode, echo: Episode, pairings: Mapping[str, Pairing]) -> bool:
    """Whether the cause is about what the echo rests on.

    About a pairing that is one whole side of it: a single frozen meter of many must not hide what
    the others show.
    """
    pairing = pairings.get(echo.pairing_id or "")
    told = set(cause.circuits)
    if pairing is None or cause.pairing_id is not None or echo.kind in PER_UNIT:
        return bool(told & set(echo.circuits))
    return told >= set(pairing.production) or told >= set(pairing.treatment)


def _explains(cause: Episode, echo: Episode) -> bool:
    return echo.from_ >= cause.from_ - MARGIN and echo.to <= cause.to + MARGIN


def without_echoes(episodes: Sequence[Episode], pairings: Sequence[Pairing] = ()) -> list[Episode]:
    """The episodes, in their order, without those that another one explains.

    Args:
        episodes: of one enterprise.
        pairings: of the enterprise.
    """
    named = {pairing.pairing_id: pairing for pairing in pairings}
    by_kind: dict[str, list[Episode]] = {}
    for episode in episodes:
        by_kind.setdefault(episode.kind, []).append(episode)
    return [
        e
        for e in episodes
        if not any(
            _explains(cause, e) and _concerns(cause, e, named)
            for kind in ECHOES.get(e.kind, ())
            for cause in by_kind.get(kind, ())
        )
    ]


def _merged(group: Sequence[Episode]) -> Episode:
    strongest = max(group, key=lambda e: (e.confidence, e.circuits))
    return replace(
        strongest,
        from_=min(e.from_ for e in group),
        to=max(e.to for e in group),
        detected_at=min(e.detected_at for e in group),
        circuits=tuple(sorted({c for e in group for c in e.circuits})),
    )


def _matter(episode: Episode) -> tuple[str, str, str]:
    """Only episodes that share this are one; what is declared stays apart."""
    return episode.kind, episode.pairing_id or "", episode.suppressed_by or ""


def units_together(episodes: Sequence[Episode]) -> list[Episode]:
    """Episodes of units of one pairing that overlap in time become one, of the strongest's kind."""
    found = [e for e in episodes if e.kind not in PER_UNIT]
    per_unit = sorted(
        (e for e in episodes if e.kind in PER_UNIT),
        key=lambda e: (*_matter(e), e.from_, e.to, e.circuits),
    )
    group: list[Episode] = []
    for episode in per_unit:
        last = group[-1] if group else None
        same = last is not None and _matter(last) == _matter(episode)
        if same and episode.from_ < max(e.to for e in group):
            group.append(episode)
            continue
        if group:
            found.append(_merged(group))
        group = [episode]
    if group:
        found.append(_merged(group))
    return found
