"""How well verdicts hold: right where they decide, how often they do, whom they wrong.

A verdict decides if it is not `insufficient_data`. Accusing means `partial` or `violated`; a false
accusation meets somebody who complied or was exempt; a miss lets somebody who violated pass.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.evaluation.intervals import Proportion
from analytics.evaluation.reliability import expected_calibration_error, reliability
from wattwitness.domain.verdicts import VerdictCode

INNOCENT = frozenset({VerdictCode.COMPLIED, VerdictCode.EXEMPT})
ACCUSING = frozenset({VerdictCode.PARTIAL, VerdictCode.VIOLATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictOutcome:
    """One verdict, of a measure or of an enterprise, beside what is true."""

    name: str  # of whatever was judged, for the list of errors
    groups: frozenset[str]  # scenario, action, meters: what it is counted under
    true: VerdictCode
    said: VerdictCode
    confidence: float
    shown: bool = True  # the meters could show it

    @property
    def decided(self) -> bool:
        """Whether anything was said."""
        return self.said is not VerdictCode.INSUFFICIENT_DATA

    @property
    def right(self) -> bool:
        """Whether it was so."""
        return self.said is self.true

    @property
    def wronged(self) -> bool:
        """A false accusation."""
        return self.true in INNOCENT and self.said in ACCUSING

    @property
    def passed(self) -> bool:
        """A violation that was let pass."""
        return self.true is VerdictCode.VIOLATED and self.said in INNOCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictScore:
    """The figures of some verdicts together."""

    accuracy: Proportion  # of the decided
    decided: Proportion  # of those that the meters could show
    decided_of_all: Proportion
    false_accusations: Proportion  # of the innocent
    missed: Proportion  # of the violated
    ece: float | None  # of the confidence of the decided


def score_verdicts(outcomes: Sequence[VerdictOutcome]) -> VerdictScore:
    """Score some verdicts; without any, every figure is empty."""
    said = [o for o in outcomes if o.decided]
    shown = [o for o in outcomes if o.shown]
    innocent = [o for o in outcomes if o.true in INNOCENT]
    violated = [o for o in outcomes if o.true is VerdictCode.VIOLATED]
    return VerdictScore(
        accuracy=_share(o.right for o in said),
        decided=_share(o.decided for o in shown),
        decided_of_all=_share(o.decided for o in outcomes),
        false_accusations=_share(o.wronged for o in innocent),
        missed=_share(o.passed for o in violated),
        ece=expected_calibration_error(reliability(predictions(outcomes))),
    )


def predictions(outcomes: Iterable[VerdictOutcome]) -> list[tuple[float, bool]]:
    """(confidence, whether it was right) of the decided."""
    return [(o.confidence, o.right) for o in outcomes if o.decided]


def groups_of(outcomes: Iterable[VerdictOutcome]) -> list[str]:
    """Every group that occurs, by name."""
    return sorted({group for o in outcomes for group in o.groups})


def _share(flags: Iterable[bool]) -> Proportion:
    found = list(flags)
    return Proportion(sum(found), len(found))
