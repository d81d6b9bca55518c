"""What officers decided about a lead, and what follows for it.

Nothing is ever deleted: whoever was wrong decides again, and the later decision holds. A decision
is about the episodes that were there; what begins afterwards opens the lead again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wattwitness.domain.leads import LeadStatus


class Outcome(StrEnum):
    """What an officer found."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    NOT_YET = "not_yet"  # to be decided still; takes an earlier decision back


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision, with what the lead said when it was taken."""

    decision_id: int
    lead_id: str
    enterprise_id: str
    outcome: Outcome
    reason: str
    actor: str
    at: datetime  # wall clock
    score: float
    confidence: float  # as it was shown
    raw_confidence: float  # as the analytics gave it
    episodes: tuple[str, ...]
    lead_to: datetime  # data time up to which the lead reached


def status_after(decision: Decision | None, newest_from: datetime | None) -> LeadStatus:
    """Where a lead stands.

    Args:
        decision: the last one about it.
        newest_from: when its newest episode began, in data time.
    """
    if decision is None or decision.outcome is Outcome.NOT_YET:
        return LeadStatus.OPEN
    if newest_from is not None and newest_from >= decision.lead_to:
        return LeadStatus.REOPENED
    return LeadStatus(decision.outcome.value)


def last_of(decisions: Sequence[Decision]) -> dict[str, Decision]:
    """Lead id → its last decision."""
    return {d.lead_id: d for d in sorted(decisions, key=lambda d: d.decision_id)}


def labelled(decisions: Sequence[Decision]) -> list[tuple[float, bool]]:
    """(raw confidence, confirmed) of everything that officers found out, each once.

    Of several decisions about the same state of a lead the last one counts; one that was taken
    back counts no more. A lead that was opened again and decided again counts twice.
    """
    last: dict[tuple[str, datetime], Decision] = {}
    for decision in sorted(decisions, key=lambda d: d.decision_id):
        last[decision.lead_id, decision.lead_to] = decision
    return [
        (d.raw_confidence, d.outcome is Outcome.CONFIRMED)
        for _, d in sorted(last.items())
        if d.outcome is not Outcome.NOT_YET
    ]
