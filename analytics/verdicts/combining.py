"""Several measures → the verdict of the enterprise."""

from collections.abc import Sequence

from wattwitness.domain.verdicts import BEFORE_JUDGING, MeasureVerdict, VerdictCode

UNKNOWN_BESIDE = 0.6  # on the confidence, where one measure of several cannot be said


def combined(measures: Sequence[MeasureVerdict]) -> tuple[VerdictCode, float, tuple[str, ...]]:
    """Word, confidence and why of all measures together.

    All alike is that, different is partial; one that cannot be said, with none that was missed, is
    not to be said. Measures in grace do not count beside judged ones, nor do exempt ones.

    Args:
        measures: of all phases that began, at least one.
    """
    judged = [m for m in measures if BEFORE_JUDGING.isdisjoint(m.why)]
    counted = [m for m in judged if m.verdict is not VerdictCode.EXEMPT]
    if not counted and len(judged) < len(measures):
        return VerdictCode.INSUFFICIENT_DATA, 0.0, ("grace",)
    if not counted:
        return VerdictCode.EXEMPT, 1.0, ("declared",)
    words = {m.verdict for m in counted}
    why = tuple(dict.fromkeys(code for m in counted for code in m.why))
    accused = [m for m in counted if m.verdict in (VerdictCode.PARTIAL, VerdictCode.VIOLATED)]
    if len(words) == 1:
        word = counted[0].verdict
        return word, min(m.confidence for m in counted), why
    if VerdictCode.INSUFFICIENT_DATA in words and not accused:
        return VerdictCode.INSUFFICIENT_DATA, 0.0, why
    # that words differ is as sure as the least sure of them; one that is not known may be alike
    sure = min(m.confidence for m in counted if m.verdict is not VerdictCode.INSUFFICIENT_DATA)
    unknown = VerdictCode.INSUFFICIENT_DATA in words
    return VerdictCode.PARTIAL, UNKNOWN_BESIDE * sure if unknown else sure, why
