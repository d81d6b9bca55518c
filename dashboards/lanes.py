"""Lanes of a chart: which circuits stand under each other, and what is marked on them.

A lane is one circuit; production above, treatment below. A wash lies where an episode lies, on the
lanes of its circuits; windows (declarations, alerts) lie on all lanes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboards.doubts import overlapping
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import to_us
from wattwitness.domain.leads import Matter
from wattwitness.domain.registry import Alert, Circuit, Declaration, Enterprise, Registry, Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import State, StateSpell

LANES_AT_MOST = 12
REACH = timedelta(days=400)  # how far back a chart can be zoomed out
_ORDER = (Role.MAIN, Role.PRODUCTION, Role.COMBINED, Role.TREATMENT, Role.AUXILIARY)
_PAD_SHARE = 0.15
_PAD_LEAST = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wash:
    """Where an episode lies on a lane."""

    episode_id: str
    kind: str
    matter: str  # says in which colour it is painted
    from_: datetime
    to: datetime
    suppressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A window that concerns all lanes."""

    kind: str  # `declaration`, `filed`, `alert`
    word: tuple[str, str]  # group and code of its word
    from_: datetime
    to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One circuit, its washes, and how long it was in each state within the lead's window."""

    circuit: Circuit
    washes: tuple[Wash, ...]
    seconds: Mapping[State, float]


def lane_circuits(
    registry: Registry, enterprise_id: str, episodes: Sequence[Episode]
) -> list[Circuit]:
    """The circuits that the episodes are about, or all of the enterprise; production first."""
    named = {circuit for episode in episodes for circuit in episode.circuits}
    for episode in episodes:
        pairing = registry.pairings.get(episode.pairing_id or "")
        if pairing is not None:
            named |= {*pairing.production, *pairing.treatment}
    found = [c for c in registry.circuits_of(enterprise_id) if not named or c.circuit_id in named]
    return sorted(found, key=lambda c: (_ORDER.index(c.role), c.circuit_id))


def _matter(kind: str) -> str:
    rule = CATALOGUE.get(kind)
    if rule is None:
        return Matter.METERING.value
    return "info" if rule.informs else rule.matter.value


def washes_on(circuit_id: str, episodes: Sequence[Episode]) -> tuple[Wash, ...]:
    """The episodes that are about a circuit."""
    return tuple(
        Wash(
            episode_id=episode.episode_id,
            kind=episode.kind,
            matter=_matter(episode.kind),
            from_=episode.from_,
            to=episode.to,
            suppressed=episode.suppressed_by is not None,
        )
        for episode in episodes
        if circuit_id in episode.circuits
    )


def alerts_for(registry: Registry, enterprise: Enterprise) -> list[Alert]:
    """Alerts that name the enterprise's district (or all)."""
    found = (a for a in registry.alerts.values() if a.concerns(enterprise.district))
    return sorted(found, key=lambda a: a.response_from)


def marks(
    declarations: Sequence[Declaration],
    alerts: Sequence[Alert],
    window: tuple[datetime, datetime],
    now: datetime,
) -> list[Mark]:
    """Declarations and alerts (by level) that touch the window; an open alert reaches to now."""
    found = [
        Mark(
            kind="declaration" if d.status == "accepted" else "filed",
            word=("declared", d.reason.value),
            from_=d.from_,
            to=d.to,
        )
        for d in overlapping(declarations, *window)
        if d.status != "refused"
    ]
    for phase in (phase for alert in alerts for phase in alert.phases()):
        end = phase.to or max(now, phase.from_)
        if phase.from_ < window[1] and end > window[0]:
            word = ("alert", phase.level.value)
            found.append(Mark(kind="alert", word=word, from_=phase.from_, to=end))
    return found


def seconds_in_states(
    spells: Sequence[StateSpell], circuit_id: str, window: tuple[datetime, datetime]
) -> dict[State, float]:
    """How long [s] a circuit was in each state in the window; what no spell covers is unknown."""
    found = dict.fromkeys(State, 0.0)
    for spell in spells:
        if spell.circuit_id == circuit_id:
            start, end = max(spell.from_, window[0]), min(spell.to, window[1])
            found[spell.state] += max(0.0, (end - start).total_seconds())
    missing = (window[1] - window[0]).total_seconds() - sum(found.values())
    found[State.UNKNOWN] += max(0.0, missing)
    return found


def view_around(start: datetime, end: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The window first shown: the lead's with some air on both sides, not beyond now."""
    pad = max(_PAD_LEAST, (end - start) * _PAD_SHARE)
    return start - pad, max(min(end + pad, now), end)


def _seconds(instant: datetime) -> float:
    return to_us(instant) / 1e6


def chart_json(
    lanes: Sequence[Lane],
    found: Sequence[Mark],
    view: tuple[datetime, datetime],
    limits: tuple[datetime, datetime],
) -> dict[str, Any]:
    """What the page's script needs to draw; instants in seconds since 1970."""
    return {
        "from": _seconds(view[0]),
        "to": _seconds(view[1]),
        "limits": [_seconds(limits[0]), _seconds(limits[1])],
        "lanes": [
            {
                "circuit": lane.circuit.circuit_id,
                "role": lane.circuit.role.value,
                "washes": [
                    {
                        "id": w.episode_id,
                        "kind": w.kind,
                        "matter": w.matter,
                        "from": _seconds(w.from_),
                        "to": _seconds(w.to),
                        "suppressed": w.suppressed,
                    }
                    for w in lane.washes
                ],
            }
            for lane in lanes
        ],
        "marks": [{"kind": m.kind, "from": _seconds(m.from_), "to": _seconds(m.to)} for m in found],
    }
