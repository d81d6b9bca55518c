"""The figures, with their intervals, as text."""

from collections.abc import Mapping, Sequence

from analytics.evaluation.episodes import EpisodeScore, score_episodes
from analytics.evaluation.intervals import Proportion
from analytics.evaluation.matching import Span
from analytics.evaluation.states import StateScore
from benchmarks.truth.answers import KIND, Planted
from gateway_sim.city import City
from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import US_PER_DAY
from wattwitness.domain.leads import Lead, LeadLevel
from wattwitness.domain.states import State


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


def _print_episodes(score: EpisodeScore, unknowable: int) -> None:
    f1 = "–" if score.f1 is None else f"{score.f1:.3f}"
    delay = "–" if score.median_delay_min is None else f"{score.median_delay_min:.0f} min"
    print(f"{score.kind}")
    print(f"  planted {score.planted} (and {unknowable} not knowable), found {score.found}, ")
    print(f"  matched {score.matched}, missed {len(score.missed)}, false {len(score.false)}, ")
    print(f"  explained by another planted kind {score.explained}")
    print(f"  recall    {score.recall}")
    print(f"  precision {score.precision}")
    print(f"  F1        {f1}")
    print(f"  median delay from beginning to detection {delay}")
    print("lawful confusers wrongly flagged")
    for name, share in score.confusers.items():
        print(f"  {name:24} {share}")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _print_states(states: Mapping[str, StateScore]) -> None:
    print("states, minute by minute")
    for role, score in states.items():
        parts = [f"F1 {s.word} {_figure(score.f1(s))}" for s in State if s is not State.UNKNOWN]
        print(f"  {role:12} {', '.join(parts)}, macro {_figure(score.macro_f1)}, ", end="")
        print(f"said about {100 * (score.said_share or 0):.1f} % of minutes")


def _print_leads(city: City, planted: Planted, leads: Sequence[Lead]) -> None:
    guilty = {s.enterprise_id for s in (*planted.episodes, *planted.unknowable, *planted.implying)}
    months = len(city.plants) * (city.end_us - city.start_us) / US_PER_DAY / 30.0
    print("leads")
    print(f"  about an enterprise with anything planted {_share(leads, guilty)}")
    high = [lead for lead in leads if lead.level is LeadLevel.HIGH]
    print(f"  of these, high                            {_share(high, guilty)}")
    false = sum(lead.enterprise_id not in guilty for lead in leads)
    print(f"  false leads per enterprise-month {false / months:.3f}")


def _share(leads: Sequence[Lead], guilty: set[str]) -> Proportion:
    return Proportion(sum(lead.enterprise_id in guilty for lead in leads), len(leads))


def print_report(
    city: City,
    planted: Planted,
    episodes: Sequence[Episode],
    leads: Sequence[Lead],
    states: Mapping[str, StateScore],
    *,
    verbose: bool,
) -> None:
    """Print everything that was measured; proportions with 95 % Wilson intervals."""
    score = score_episodes(
        KIND, planted.episodes, _found(episodes), planted.implying, planted.lawful
    )
    _print_episodes(score, len(planted.unknowable))
    _print_states(states)
    _print_leads(city, planted, leads)
    if verbose:
        for word, spans in (("missed", score.missed), ("false", score.false)):
            for s in spans:
                print(f"  {word}: {s.enterprise_id} {s.subject} {s.from_} … {s.to}")
