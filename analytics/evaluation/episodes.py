"""Precision, recall and F1 of episodes of one kind, and what each lawful confuser provoked."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from analytics.evaluation.intervals import Proportion, pooled
from analytics.evaluation.matching import Span, match, overlaps


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeScore:
    """How one kind was found."""

    kind: str
    planted: int
    found: int
    matched: int
    # found, not planted as this kind, but inside another unlawful incident that implies it
    explained: int
    missed: Sequence[Span] = ()
    false: Sequence[Span] = ()
    delays_min: Sequence[float] = ()  # from the planted beginning to `detected_at`
    confusers: Mapping[str, Proportion] = field(default_factory=dict)  # kind → wrongly flagged

    @property
    def recall(self) -> Proportion:
        """Planted episodes that were found."""
        return Proportion(self.matched, self.planted)

    @property
    def precision(self) -> Proportion:
        """Found episodes that were planted; the explained ones count neither way."""
        return Proportion(self.matched, self.found - self.explained)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two; None without either."""
        recall, precision = self.recall.value, self.precision.value
        if recall is None or precision is None or recall + precision == 0:
            return None
        return 2 * recall * precision / (recall + precision)

    @property
    def median_delay_min(self) -> float | None:
        """From the planted beginning to the data time at which it could be said [min]."""
        return statistics.median(self.delays_min) if self.delays_min else None


def score_episodes(
    kind: str,
    planted: Sequence[Span],
    found: Sequence[Span],
    implying: Sequence[Span] = (),
    lawful: Sequence[Span] = (),
) -> EpisodeScore:
    """Score one kind.

    Args:
        kind: code of the catalogue.
        planted: knowable episodes of that kind.
        found: unsuppressed episodes of that kind.
        implying: other unlawful incidents in which the condition of this kind holds as well.
        lawful: lawful incidents (`kind` = the confuser's name).
    """
    pairs = match(planted, found)
    matched_planted, matched_found = {p for p, _ in pairs}, {f for _, f in pairs}
    rest = [f for n, f in enumerate(found) if n not in matched_found]
    false = [f for f in rest if not any(overlaps(f, s) for s in (*implying, *planted))]
    delays = [
        (at - planted[p].from_).total_seconds() / 60.0
        for p, f in pairs
        if (at := found[f].detected_at) is not None
    ]
    trials = Counter(s.kind for s in lawful)
    wrong = Counter(s.kind for s in lawful if any(overlaps(s, f) for f in false))
    return EpisodeScore(
        kind=kind,
        planted=len(planted),
        found=len(found),
        matched=len(pairs),
        explained=len(rest) - len(false),
        missed=[p for n, p in enumerate(planted) if n not in matched_planted],
        false=false,
        delays_min=delays,
        confusers={name: Proportion(wrong[name], trials[name]) for name in sorted(trials)},
    )


def pooled_episodes(scores: Sequence[EpisodeScore]) -> EpisodeScore:
    """Counts of several scores of one kind together, as of one larger trial; at least one."""
    confusers = sorted({name for score in scores for name in score.confusers})
    return EpisodeScore(
        kind=scores[0].kind,
        planted=sum(s.planted for s in scores),
        found=sum(s.found for s in scores),
        matched=sum(s.matched for s in scores),
        explained=sum(s.explained for s in scores),
        missed=[span for s in scores for span in s.missed],
        false=[span for s in scores for span in s.false],
        delays_min=[delay for s in scores for delay in s.delays_min],
        confusers={
            name: pooled(s.confusers[name] for s in scores if name in s.confusers)
            for name in confusers
        },
    )
