"""The figures, with their intervals, as text."""

from collections.abc import Mapping, Sequence

from analytics.evaluation.episodes import EpisodeScore
from analytics.evaluation.intervals import Proportion
from analytics.evaluation.leads import LeadOutcome, precision, top
from analytics.evaluation.matching import Span
from analytics.evaluation.reliability import expected_calibration_error, reliability
from analytics.evaluation.states import StateScore, pooled_states
from benchmarks.truth.measured import Measured
from wattwitness.domain.rules import CATALOGUE
from wattwitness.domain.states import State


def share(proportion: Proportion) -> str:
    """A share with its interval, short."""
    if proportion.value is None:
        return "–".center(20)
    low, high = proportion.interval
    return f"{proportion.value:.3f} [{low:.3f},{high:.3f}]"


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


_COLUMNS = (
    f"{'kind':28}{'planted':>8}{'slight':>7}{'untest.':>8}{'knowable':>9}"
    f"{'found':>7}{'matched':>8}{'missed':>7}{'false':>6}{'expl.':>6}"
    f"  {'recall':21}{'precision':21}{'F1':>6}{'delay':>7}  recall of all planted"
)


def kind_row(name: str, s: EpisodeScore, untestable: int) -> str:
    """One kind, one line.

    Args:
        name: of the line.
        s: the counts.
        untestable: planted where the software said that it cannot test it.
    """
    return (
        f"{name:28}{s.planted + s.unknowable:8}{s.unknowable - untestable:7}{untestable:8}"
        f"{s.planted:9}{s.found:7}{s.matched:8}{len(s.missed):7}{len(s.false):6}{s.explained:6}"
        f"  {share(s.recall):21}{share(s.precision):21}{number(s.f1):>6}"
        f"{number(s.median_delay_min, 0):>7}  {share(s.recall_of_all)}"
    )


def _print_kinds(measured: Measured) -> None:
    print(_COLUMNS)
    for kind, score in measured.kinds.items():
        print(kind_row(kind, score, measured.untestable[kind]))
    own = {k: n for k, n in measured.untestable.items() if not CATALOGUE[k].informs}
    print(kind_row("all but information", measured.suspicions, sum(own.values())))
    print(kind_row("all", measured.everything, sum(measured.untestable.values())))
    worst = [
        (s.recall.value, kind) for kind, s in measured.kinds.items() if s.recall.value is not None
    ]
    if worst:
        value, kind = min(worst)
        print(f"worst recall: {kind} {value:.3f}")
    print(
        "delay: median minutes from the planted beginning to the first instant it could be said\n"
    )


def _print_confusers(confusers: Mapping[str, Proportion]) -> None:
    print("lawful situations touched by a false episode of any kind")
    for name, wrong in confusers.items():
        print(f"  {name:24}{wrong.successes:5} of {wrong.trials:<5}{share(wrong)}")
    print()


def _print_states(states: Mapping[str, StateScore]) -> None:
    print("states, minute by minute (minutes in which the meter lies are left out)")
    for role, score in {**states, "both": pooled_states(states.values())}.items():
        f1 = {s.word: number(score.f1(s), 4) for s in (State.OFF, State.STANDBY, State.RUNNING)}
        f1["three classes"] = number(score.macro_f1, 4)
        of = number(score.said_share)
        told = ", ".join(f"{name} {value}" for name, value in f1.items())
        print(f"  {role:12} F1: {told}; of {of} of the minutes")
    print()


def _print_leads(measured: Measured) -> None:
    leads = measured.leads
    high = [lead for lead in leads if lead.level == "high"]

    def false(some: Sequence[LeadOutcome]) -> int:
        return sum(not lead.true for lead in some)

    print("leads")
    print(f"  right, of all          {share(precision(leads))} ({len(leads)})")
    print(f"  right, of the high     {share(precision(high))} ({len(high)})")
    best = top(leads)
    print(f"  right, of the top 5 %  {share(precision(best))} ({len(best)})")
    months = measured.enterprise_months
    print(f"  false per enterprise-month  {false(leads) / months:.4f}", end="")
    print(f" (and of information only {false(measured.info_leads) / months:.4f})\n")


def _print_reliability(measured: Measured) -> None:
    bins = reliability(measured.everything.predictions)
    print(f"confidence: ECE {number(expected_calibration_error(bins), 4)}")
    print("  said            mean    right")
    for b in bins:
        print(f"  {b.low:.2f} … {b.high:.2f}  {b.said:6.3f}    {b.right}")
    print()


def _print_spans(word: str, spans: Sequence[Span]) -> None:
    for s in spans:
        about = s.subject or ",".join(sorted(s.circuits)[:3])
        sure = "" if s.confidence is None else f" at {s.confidence}"
        print(f"  {word}: {s.kind} {s.enterprise_id} {about} {s.from_} … {s.to}{sure}")


def print_line(seed: int, use: str, measured: Measured) -> None:
    """One city of several, in one line."""
    score = measured.suspicions
    print(f"seed {seed} ({use}): recall {score.recall}, precision {score.precision}", flush=True)


def print_details(measured: Measured) -> None:
    """What was missed and what was false."""
    for score in measured.kinds.values():
        _print_spans("missed", score.missed)
        _print_spans("false", score.false)


def print_report(measured: Measured) -> None:
    """Print everything that was measured; proportions with 95 % Wilson intervals."""
    days = measured.enterprise_days
    print(
        f"\n{measured.readings:,} readings of {measured.enterprises} enterprises, {days:,.0f} "
        f"enterprise-days, analysed in {measured.seconds:.0f} s of one core"
    )
    print(
        f"unlawful on {measured.unlawful_days / days:.1%} of the enterprise-days; lawful confusers "
        f"at {measured.confused / measured.enterprises:.0%} of the enterprises\n"
    )
    _print_kinds(measured)
    _print_confusers(measured.confusers)
    _print_states(measured.states)
    _print_leads(measured)
    _print_reliability(measured)
