"""Planted against found: a match is IoU ≥ 0.3 or an onset within 30 minutes, one to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.optimize import linear_sum_assignment

LEAST_IOU = 0.3
ONSET_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that lasted: planted or found."""

    enterprise_id: str
    kind: str
    from_: datetime
    to: datetime
    subject: str = ""  # pairing id; empty: about circuits
    circuits: frozenset[str] = frozenset()  # empty, and no subject either: matches any
    detected_at: datetime | None = None
    confidence: float | None = None  # of what was found


def iou(a: Span, b: Span) -> float:
    """Intersection over union of two spans in time."""
    common = (min(a.to, b.to) - max(a.from_, b.from_)).total_seconds()
    if common <= 0:
        return 0.0
    union = (max(a.to, b.to) - min(a.from_, b.from_)).total_seconds()
    return common / union


def same_subject(a: Span, b: Span) -> bool:
    """Whether two spans are about the same pairing, or share a circuit."""
    if a.subject and b.subject:
        return a.subject == b.subject
    if a.circuits and b.circuits:
        return bool(a.circuits & b.circuits)
    return True


def _score(planted: Span, found: Span) -> float:
    """How well two spans match; 0 = not at all."""
    if planted.enterprise_id != found.enterprise_id or planted.kind != found.kind:
        return 0.0
    if not same_subject(planted, found):
        return 0.0
    overlap = iou(planted, found)
    near = abs(planted.from_ - found.from_) <= ONSET_WITHIN
    return 1.0 + overlap if overlap >= LEAST_IOU or near else 0.0


def match(planted: Sequence[Span], found: Sequence[Span]) -> list[tuple[int, int]]:
    """The best one-to-one matching.

    Args:
        planted: what happened.
        found: what was said.

    Returns:
        Pairs (index in planted, index in found).
    """
    pairs: list[tuple[int, int]] = []
    for enterprise in sorted({p.enterprise_id for p in planted}):
        rows = [n for n, p in enumerate(planted) if p.enterprise_id == enterprise]
        columns = [n for n, f in enumerate(found) if f.enterprise_id == enterprise]
        if not columns:
            continue
        scores = np.array([[_score(planted[r], found[c]) for c in columns] for r in rows])
        picked = zip(*linear_sum_assignment(scores, maximize=True), strict=True)
        pairs += [(rows[int(a)], columns[int(b)]) for a, b in picked if scores[a, b] > 0]
    return sorted(pairs)


def overlaps(a: Span, b: Span, margin: timedelta = timedelta(0)) -> bool:
    """Whether two spans of the same enterprise share any time, or nearly (`margin`)."""
    return (
        a.enterprise_id == b.enterprise_id and a.from_ < b.to + margin and b.from_ < a.to + margin
    )
