"""The figures of verdicts, beside their targets, as text."""

from collections.abc import Sequence

from analytics.evaluation.intervals import Proportion
from analytics.evaluation.reliability import reliability
from analytics.evaluation.verdicts import (
    VerdictOutcome,
    VerdictScore,
    groups_of,
    predictions,
    score_verdicts,
)
from benchmarks.truth.orders import Tried
from benchmarks.truth.report import number, share
from wattwitness.domain.verdicts import VerdictCode

_HEAD = (
    f"{'':34}{'cases':>6}  {'right, of the decided':23}{'decided, of the shown':23}"
    f"{'falsely accused':23}{'missed':23}{'ECE':>6}"
)
_CODES = tuple(code.value for code in VerdictCode)


def _row(name: str, cases: int, score: VerdictScore) -> str:
    figures = (score.accuracy, score.decided, score.false_accusations, score.missed)
    told = "".join(f"{share(figure):23}" for figure in figures)
    return f"{name:34}{cases:6}  {told}{number(score.ece):>6}"


def _print_groups(outcomes: Sequence[VerdictOutcome], first: str | None = None) -> None:
    names = [g for g in groups_of(outcomes) if g != first]
    for name in ([first] if first else []) + names:
        own = [o for o in outcomes if name in o.groups]
        print(_row(name, len(own), score_verdicts(own)))


def _print_confusion(outcomes: Sequence[VerdictOutcome]) -> None:
    print("\ntrue \\ said         " + "".join(f"{code:>19}" for code in _CODES))
    for true in VerdictCode:
        own = [o for o in outcomes if o.true is true]
        if own:
            counts = (sum(o.said is said for o in own) for said in VerdictCode)
            print(f"{true.value:20}" + "".join(f"{count:19}" for count in counts))


def _print_notes(notes: Sequence[tuple[str, bool, bool]]) -> None:
    print(f"\n{'told beside the verdict':34}{'where due':28}elsewhere")
    for name in dict.fromkeys(note for note, _, _ in notes):
        told = {
            due: [said for note, called, said in notes if note == name and called is due]
            for due in (True, False)
        }
        shares = (share(Proportion(sum(flags), len(flags))) for flags in told.values())
        print(f"{name:34}" + "".join(f"{text:28}" for text in shares))


def print_orders(found: Tried) -> None:
    """Print all figures; proportions with 95 % Wilson intervals."""
    whole = found.whole
    print("\nenterprises under alerts, by what they did")
    print(_HEAD)
    print(f"{'target':34}{'':6}  {'≥ 0.97':23}{'≥ 0.85':23}{'≤ 0.01':23}{'≤ 0.03':23}{'≤ 0.03':>6}")
    _print_groups(whole, "all")
    of_all = score_verdicts(whole).decided_of_all
    print(f"decided, of all, what no meter could show included: {share(of_all)}")
    _print_confusion(whole)
    print("\nmeasures (decided stops: target ≥ 0.97)")
    print(_HEAD)
    _print_groups(found.measures)
    _print_notes(found.notes)
    print("\nconfidence of the decided\n  said            mean    right")
    for b in reliability(predictions(whole)):
        print(f"  {b.low:.2f} … {b.high:.2f}  {b.said:6.3f}    {b.right}")
    print()


def print_errors(outcomes: Sequence[VerdictOutcome]) -> None:
    """Every verdict that was decided and wrong, and what was left undecided though shown."""
    for o in outcomes:
        if o.decided and not o.right:
            print(f"  wrong: {o.name}: said {o.said} at {o.confidence:.2f}, true {o.true}")
    for o in outcomes:
        if not o.decided and o.shown:
            print(f"  undecided: {o.name}: true {o.true}")
