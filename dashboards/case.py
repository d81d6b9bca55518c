"""A case: everything that the evidence page of one lead stands on, read in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dashboards.charts import bucket_s
from dashboards.desk import Desk
from dashboards.doubts import (
    NOT_YET_JUDGED,
    Doubt,
    Standing,
    doubt_coverage,
    doubt_declared,
    doubt_late,
    doubt_reference,
    doubt_reversed,
    doubt_testability,
    overlapping,
    written_doubts,
)
from dashboards.inbox import Wish, find_leads
from dashboards.lanes import (
    LANES_AT_MOST,
    REACH,
    Lane,
    Mark,
    alerts_for,
    lane_circuits,
    marks,
    seconds_in_states,
    view_around,
    washes_on,
)
from dashboards.strip import DAYS, StripDay, strip
from wattwitness.domain.decisions import Decision
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import US_PER_DAY, US_PER_SECOND, from_us, local_day, to_us
from wattwitness.domain.leads import Lead, Matter
from wattwitness.domain.registry import Circuit, Declaration, Enterprise, Registry, Role
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.testability import NOT_APPLICABLE, Testability
from wattwitness.store.day_results import list_quality, list_states
from wattwitness.store.decisions import list_decisions
from wattwitness.store.findings import list_episodes, list_testability
from wattwitness.store.series import bands

_Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the page shows, before it has words."""

    lead: Lead
    enterprise: Enterprise
    lanes: list[Lane]
    more_circuits: int
    marks: list[Mark]  # that touch the window
    all_marks: list[Mark]  # for whoever zooms out
    window: _Window
    doubts: list[Doubt]
    episodes: list[Episode]
    declarations: dict[str, Declaration]
    blind: list[Testability]
    strip: list[StripDay]
    decisions: list[Decision]  # the newest first
    previous_id: str | None
    next_id: str | None


def belongs(episode: Episode, lead: Lead) -> bool:
    """Whether an episode is the lead's, or was suppressed from it by a declaration."""
    if episode.episode_id in lead.episodes:
        return True
    rule = CATALOGUE.get(episode.kind)
    return episode.suppressed_by is not None and rule is not None and rule.matter == lead.matter


def _window(lead: Lead, episodes: Sequence[Episode], now: datetime) -> _Window:
    start = min([lead.from_, *(e.from_ for e in episodes if e.suppressed_by is None)])
    end = max([lead.to, *(e.to for e in episodes if e.suppressed_by is None)])
    return view_around(start, end, now)


async def _extremes(
    desk: Desk, registry: Registry, circuits: Sequence[Circuit], window: _Window
) -> tuple[float | None, float | None]:
    """Lowest and highest power [kW] of these circuits in the window."""
    if not circuits:
        return None, None
    start_us, end_us = to_us(window[0]), to_us(window[1])
    interval_s = max(registry.interval_s(c.circuit_id) for c in circuits)
    width_us = bucket_s(end_us - start_us, 100, interval_s) * US_PER_SECOND
    keys = [registry.circuit_keys[c.circuit_id] for c in circuits]
    low, high = start_us // width_us * width_us, -(-end_us // width_us) * width_us
    found = await bands(desk.db, keys, low, high, width_us)
    lows = np.concatenate([band.low for band in found.values()])
    highs = np.concatenate([band.high for band in found.values()])
    if np.isnan(lows).all():
        return None, None
    return float(np.nanmin(lows)), float(np.nanmax(highs))


async def _doubts(
    desk: Desk,
    case_of: tuple[Lead, Enterprise],
    circuits: Sequence[Circuit],
    window: _Window,
    testability: Sequence[Testability],
) -> list[Doubt]:
    lead, enterprise = case_of
    registry = await desk.registry()
    ids = [c.circuit_id for c in circuits]
    first, last = (local_day(instant, desk.zone) for instant in window)
    quality = await list_quality(desk.db, ids, first, last)
    declared = overlapping(registry.declarations_of(enterprise.enterprise_id), *window)
    written = written_doubts(lead)
    told = lead.matter is not Matter.TREATMENT or any(d.code == "reference" for d in written)
    return [
        *(d for d in written if d.standing is not Standing.UNKNOWN),
        doubt_declared(declared),
        doubt_coverage(quality),
        doubt_late(quality),
        doubt_reversed(*await _extremes(desk, registry, circuits, window)),
        *([] if told else [doubt_reference(enterprise)]),
        doubt_testability(testability),
        *(d for d in written if d.standing is Standing.UNKNOWN),
    ]


async def _strip(desk: Desk, lead: Lead, circuits: Sequence[Circuit]) -> list[StripDay]:
    production = [c.circuit_id for c in circuits if c.role is Role.PRODUCTION]
    treatment = [c.circuit_id for c in circuits if c.role is Role.TREATMENT]
    if lead.matter is not Matter.TREATMENT or not production or not treatment:
        return []
    last = local_day(lead.to, desk.zone)
    end_us = to_us(lead.to) + US_PER_DAY
    spells = await list_states(
        desk.db, [*production, *treatment], end_us - (DAYS + 2) * US_PER_DAY, end_us
    )
    return strip(spells, production, treatment, last, from_us(desk.now_us()), desk.zone)


async def _lanes(
    desk: Desk, circuits: Sequence[Circuit], episodes: Sequence[Episode], window: _Window
) -> list[Lane]:
    ids = [c.circuit_id for c in circuits]
    spells = await list_states(desk.db, ids, to_us(window[0]), to_us(window[1]))
    return [
        Lane(
            circuit=circuit,
            washes=washes_on(circuit.circuit_id, episodes),
            seconds=seconds_in_states(spells, circuit.circuit_id, window),
        )
        for circuit in circuits
    ]


async def read_case(desk: Desk, lead_id: str) -> Case | None:
    """Everything about one lead; None when there is no such lead."""
    registry, now = await desk.registry(), from_us(desk.now_us())
    order = await find_leads(desk, Wish())
    place = next((i for i, item in enumerate(order) if item.lead_id == lead_id), None)
    if place is None:
        return None
    lead = order[place]
    enterprise = registry.enterprises[lead.enterprise_id]
    found = await list_episodes(desk.db, enterprise_ids=[lead.enterprise_id])
    episodes = sorted((e for e in found if belongs(e, lead)), key=lambda e: e.from_, reverse=True)
    window = _window(lead, episodes, now)
    circuits = lane_circuits(registry, lead.enterprise_id, episodes)
    shown = circuits[:LANES_AT_MOST]
    declarations = registry.declarations_of(lead.enterprise_id)
    alerts = alerts_for(registry, enterprise)
    testability = await list_testability(desk.db, enterprise_ids=[lead.enterprise_id])
    return Case(
        lead=lead,
        enterprise=enterprise,
        lanes=await _lanes(desk, shown, episodes, window),
        more_circuits=len(circuits) - len(shown),
        marks=marks(declarations, alerts, window, now),
        all_marks=marks(declarations, alerts, (now - REACH, now), now),
        window=window,
        doubts=await _doubts(desk, (lead, enterprise), circuits, window, testability),
        episodes=episodes,
        declarations={d.declaration_id: d for d in declarations},
        blind=[
            t
            for t in testability
            if not t.testable and t.why not in {NOT_APPLICABLE, NOT_YET_JUDGED}
        ],
        strip=await _strip(desk, lead, circuits),
        decisions=list(reversed(await list_decisions(desk.db, lead_id))),
        previous_id=order[place - 1].lead_id if place else None,
        next_id=order[place + 1].lead_id if place + 1 < len(order) else None,
    )
