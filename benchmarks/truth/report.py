"""The figures, with their intervals, as text."""

from collections.abc import Mapping

from analytics.evaluation.episodes import EpisodeScore
from analytics.evaluation.states import StateScore
from benchmarks.truth.measured import Measured
from wattwitness.domain.states import State


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


def _print_leads(measured: Measured) -> None:
    print("leads")
    print(f"  about an enterprise with anything planted {measured.leads}")
    print(f"  of these, high                            {measured.high_leads}")
    false = measured.leads.trials - measured.leads.successes
    print(f"  false leads per enterprise-month {false / measured.enterprise_months:.3f}")


def print_line(seed: int, use: str, measured: Measured) -> None:
    """One city of several, in one line."""
    score = measured.episodes
    print(f"seed {seed} ({use}): recall {score.recall}, precision {score.precision}")


def print_report(measured: Measured, *, verbose: bool) -> None:
    """Print everything that was measured; proportions with 95 % Wilson intervals."""
    print(f"{measured.readings:,} readings analysed in {measured.seconds:.1f} s on one core\n")
    _print_episodes(measured.episodes, measured.unknowable)
    _print_states(measured.states)
    _print_leads(measured)
    if verbose:
        score = measured.episodes
        for word, spans in (("missed", score.missed), ("false", score.false)):
            for s in spans:
                print(f"  {word}: {s.enterprise_id} {s.subject} {s.from_} … {s.to}")
