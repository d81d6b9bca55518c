from analytics.evaluation.verdicts import (
    VerdictOutcome,
    groups_of,
    predictions,
    score_verdicts,
)
from wattwitness.domain.verdicts import VerdictCode as Code


def outcome(true: Code, said: Code, confidence: float = 1.0, *, shown: bool = True):
    return VerdictOutcome(
        name="x",
        groups=frozenset({"all", true.value}),
        true=true,
        said=said,
        confidence=confidence,
        shown=shown,
    )


def test_each_figure_has_its_own_trials() -> None:
    score = score_verdicts(
        [
            outcome(Code.COMPLIED, Code.COMPLIED),
            outcome(Code.COMPLIED, Code.PARTIAL),  # a false accusation
            outcome(Code.EXEMPT, Code.EXEMPT),
            outcome(Code.COMPLIED, Code.INSUFFICIENT_DATA),
            outcome(Code.VIOLATED, Code.COMPLIED),  # let pass
            outcome(Code.VIOLATED, Code.PARTIAL),  # wrong, but neither of both
            outcome(Code.PARTIAL, Code.VIOLATED),  # likewise
        ]
    )
    assert (score.accuracy.successes, score.accuracy.trials) == (2, 6)
    assert (score.false_accusations.successes, score.false_accusations.trials) == (1, 4)
    assert (score.missed.successes, score.missed.trials) == (1, 2)
    assert (score.decided.successes, score.decided.trials) == (6, 7)


def test_what_no_meter_could_show_need_not_be_decided_but_must_not_be_wrong() -> None:
    score = score_verdicts(
        [
            outcome(Code.VIOLATED, Code.INSUFFICIENT_DATA, shown=False),
            outcome(Code.VIOLATED, Code.COMPLIED, shown=False),
            outcome(Code.COMPLIED, Code.COMPLIED),
        ]
    )
    assert (score.decided.successes, score.decided.trials) == (1, 1)
    assert (score.decided_of_all.successes, score.decided_of_all.trials) == (2, 3)
    assert (score.accuracy.successes, score.accuracy.trials) == (1, 2)
    assert score.missed.successes == 1


def test_confidence_counts_where_something_was_decided() -> None:
    said = [
        outcome(Code.COMPLIED, Code.COMPLIED, 0.9),
        outcome(Code.VIOLATED, Code.COMPLIED, 0.9),
        outcome(Code.VIOLATED, Code.INSUFFICIENT_DATA, 0.9),
    ]
    assert predictions(said) == [(0.9, True), (0.9, False)]
    ece = score_verdicts(said).ece
    assert ece is not None
    assert round(ece, 6) == 0.4


def test_nothing_to_score_gives_no_figures() -> None:
    score = score_verdicts([])
    assert score.accuracy.value is None
    assert score.ece is None
    assert groups_of([outcome(Code.PARTIAL, Code.PARTIAL)]) == ["all", "partial"]
