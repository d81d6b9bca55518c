"""The figures of the placebo, as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.evaluation.intervals import Proportion
from benchmarks.placebo.hindsight import Deed
from benchmarks.truth.report import share
from wattwitness.domain.verdicts import VerdictCode

_CODES = (
    VerdictCode.COMPLIED,
    VerdictCode.PARTIAL,
    VerdictCode.VIOLATED,
    VerdictCode.INSUFFICIENT_DATA,
)
GOAL = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One invented order: what really happened, and what was said."""

    order: str
    days: int
    deed: Deed
    verdict: VerdictCode
    name: str = ""


def _proportion(some: Sequence[Said], code: VerdictCode) -> Proportion:
    return Proportion(sum(s.verdict is code for s in some), len(some))


def _row(name: str, some: Sequence[Said]) -> str:
    shares = "".join(f"{share(_proportion(some, code)):22}" for code in _CODES)
    decided = Proportion(
        sum(s.verdict is not VerdictCode.INSUFFICIENT_DATA for s in some), len(some)
    )
    return f"  {name:26}{len(some):6}  {shares}{share(decided)}"


def false_complied(some: Sequence[Said]) -> Proportion:
    """`complied` where the plant was not as low as ordered."""
    cut_nothing = [s for s in some if s.deed in {Deed.NOT_CUT, Deed.BETWEEN}]
    return _proportion(cut_nothing, VerdictCode.COMPLIED)


def print_placebo(said: Sequence[Said]) -> None:
    """Shares with 95 % Wilson intervals; neighbouring alerts overlap, so they are optimistic."""
    head = "".join(f"{code.value:22}" for code in _CODES)
    for order in dict.fromkeys(s.order for s in said):
        own = [s for s in said if s.order == order]
        print(f"\n{order}\n  {'':26}{'alerts':>6}  {head}decided")
        for deed in Deed:
            part = [s for s in own if s.deed is deed]
            if part:
                print(_row(deed.value, part))
        print(_row("all", own))
        for days in sorted({s.days for s in own}):
            print(_row(f"all, {days} d", [s for s in own if s.days == days]))
        print(f"  complied although not as low as ordered: {share(false_complied(own))}")
    accused = [s for s in said if s.deed is Deed.LOW]
    wrong = sum(s.verdict in {VerdictCode.PARTIAL, VerdictCode.VIOLATED} for s in accused)
    print(
        f"\nall orders: partial or violated although as low as ordered: "
        f"{share(Proportion(wrong, len(accused)))}"
    )
    print(
        f"all orders: complied although not as low as ordered: {share(false_complied(said))}"
        f" (goal ≤ {GOAL})"
    )


def print_followed(had: Sequence[Said]) -> None:
    """What would have been said had every order been followed."""
    print("\nhad every order been followed")
    print(f"  {'':26}{'alerts':>6}  {''.join(f'{code.value:22}' for code in _CODES)}decided")
    for order in dict.fromkeys(s.order for s in had):
        print(_row(order, [s for s in had if s.order == order]))
