"""What one city, or several together, say about the software."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.evaluation.episodes import EpisodeScore, pooled_episodes, score_episodes
from analytics.evaluation.intervals import Proportion, pooled
from analytics.evaluation.matching import Span
from analytics.evaluation.states import StateScore, pooled_states
from benchmarks.truth.answers import KIND, Planted
from gateway_sim.city import City
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import US_PER_DAY
from wattwitness.domain.leads import Lead, LeadLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The counts behind the figures."""

    readings: int
    seconds: float  # of the analysis
    unknowable: int  # planted, but nothing that the meters could show
    episodes: EpisodeScore
    states: Mapping[str, StateScore]  # by role
    leads: Proportion  # about an enterprise with anything planted
    high_leads: Proportion
    enterprise_months: float


def _found(episodes: Sequence[Episode]) -> list[Span]:
    return [
        Span(
            enterprise_id=e.enterprise_id,
            kind=e.kind,
            from_=e.from_,
            to=e.to,
            subject=e.pairing_id or "",
            detected_at=e.detected_at,
        )
        for e in episodes
        if e.kind == KIND and e.suppressed_by is None
    ]


def _share(leads: Sequence[Lead], guilty: set[str]) -> Proportion:
    return Proportion(sum(lead.enterprise_id in guilty for lead in leads), len(leads))


def measure(
    city: City,
    planted: Planted,
    episodes: Sequence[Episode],
    leads: Sequence[Lead],
    states: Mapping[str, StateScore],
    *,
    readings: int,
    seconds: float,
) -> Measured:
    """Score what was said about one city."""
    guilty = {s.enterprise_id for s in (*planted.episodes, *planted.unknowable, *planted.implying)}
    return Measured(
        readings=readings,
        seconds=seconds,
        unknowable=len(planted.unknowable),
        episodes=score_episodes(
            KIND, planted.episodes, _found(episodes), planted.implying, planted.lawful
        ),
        states=states,
        leads=_share(leads, guilty),
        high_leads=_share([lead for lead in leads if lead.level is LeadLevel.HIGH], guilty),
        enterprise_months=len(city.plants) * (city.end_us - city.start_us) / US_PER_DAY / 30.0,
    )


def pool(cities: Sequence[Measured]) -> Measured:
    """Several cities as one larger trial: counts are added, never figures averaged."""
    return Measured(
        readings=sum(m.readings for m in cities),
        seconds=sum(m.seconds for m in cities),
        unknowable=sum(m.unknowable for m in cities),
        episodes=pooled_episodes([m.episodes for m in cities]),
        states={role: pooled_states(m.states[role] for m in cities) for role in cities[0].states},
        leads=pooled(m.leads for m in cities),
        high_leads=pooled(m.high_leads for m in cities),
        enterprise_months=sum(m.enterprise_months for m in cities),
    )
