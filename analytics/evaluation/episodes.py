"""Precision, recall and F1 of episodes of one kind, and what each lawful confuser provoked."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from analytics.evaluation.consequences import CONSEQUENCES
from analytics.evaluation.intervals import Proportion, pooled
from analytics.evaluation.matching import Span, match, overlaps

NEAR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeScore:
    """How one kind was found."""

    kind: str
    planted: int  # and knowable
    found: int
    matched: int
    # found, not planted as this kind, but a consequence of something unlawful that was planted, or
    # part of a planted one that is matched otherwise or not knowable
    explained: int
    unknowable: int = 0  # planted, but not testable there, or too slight to be this kind
    unknowable_matched: int = 0
    missed: Sequence[Span] = ()
    false: Sequence[Span] = ()
    delays_min: Sequence[float] = ()  # from the planted beginning to `detected_at`
    confusers: Mapping[str, Proportion] = field(default_factory=dict)  # kind → wrongly flagged
    # (confidence, whether it was right) of what was found; the explained ones count neither way
    predictions: Sequence[tuple[float, bool]] = ()

    @property
    def recall(self) -> Proportion:
        """Planted, knowable episodes that were found."""
        return Proportion(self.matched, self.planted)

    @property
    def recall_of_all(self) -> Proportion:
        """Likewise of everything planted, knowable or not: "not testable" does not help here."""
        return Proportion(self.matched + self.unknowable_matched, self.planted + self.unknowable)

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


def _explained(found: Span, own: Sequence[Span], others: Sequence[Span]) -> bool:
    if any(overlaps(found, s) for s in own):
        return True
    return any(
        found.kind in CONSEQUENCES.get(s.kind, ()) and overlaps(found, s, NEAR) for s in others
    )


def score_episodes(
    kind: str,
    planted: Sequence[Span],
    found: Sequence[Span],
    implying: Sequence[Span] = (),
    lawful: Sequence[Span] = (),
    unknowable: Sequence[Span] = (),
) -> EpisodeScore:
    """Score one kind.

    Args:
        kind: code of the catalogue.
        planted: knowable episodes of that kind.
        found: unsuppressed episodes of that kind.
        implying: unlawful incidents of other kinds.
        lawful: lawful incidents (`kind` = the confuser's name).
        unknowable: planted episodes of that kind that nobody could find.
    """
    every = [*planted, *unknowable]
    pairs = match(every, found)
    matched_found = {f for _, f in pairs}
    known = [(p, f) for p, f in pairs if p < len(planted)]
    rest = [f for n, f in enumerate(found) if n not in matched_found]
    false = [f for f in rest if not _explained(f, every, implying)]
    delays = [
        (at - planted[p].from_).total_seconds() / 60.0
        for p, f in known
        if (at := found[f].detected_at) is not None
    ]
    trials = Counter(s.kind for s in lawful)
    wrong = Counter(s.kind for s in lawful if any(overlaps(s, f) for f in false))
    right = [found[f] for _, f in known]
    said = [(f.confidence, True) for f in right] + [(f.confidence, False) for f in false]
    return EpisodeScore(
        kind=kind,
        planted=len(planted),
        found=len(found),
        matched=len(known),
        explained=len(rest) - len(false) + len(pairs) - len(known),
        unknowable=len(unknowable),
        unknowable_matched=len(pairs) - len(known),
        missed=[p for n, p in enumerate(planted) if n not in {p for p, _ in known}],
        false=false,
        delays_min=delays,
        confusers={name: Proportion(wrong[name], trials[name]) for name in sorted(trials)},
        predictions=[(c, ok) for c, ok in said if c is not None],
    )


def pooled_episodes(scores: Sequence[EpisodeScore]) -> EpisodeScore:
    """Counts of several scores together, as of one larger trial; at least one."""
    confusers = sorted({name for score in scores for name in score.confusers})
    kinds = {s.kind for s in scores}
    return EpisodeScore(
        kind=scores[0].kind if len(kinds) == 1 else "all",
        planted=sum(s.planted for s in scores),
        found=sum(s.found for s in scores),
        matched=sum(s.matched for s in scores),
        explained=sum(s.explained for s in scores),
        unknowable=sum(s.unknowable for s in scores),
        unknowable_matched=sum(s.unknowable_matched for s in scores),
        missed=[span for s in scores for span in s.missed],
        false=[span for s in scores for span in s.false],
        delays_min=[delay for s in scores for delay in s.delays_min],
        confusers={
            name: pooled(s.confusers[name] for s in scores if name in s.confusers)
            for name in confusers
        },
        predictions=[said for s in scores for said in s.predictions],
    )
