"""The plan of an enterprise (一厂一策): its measures by level, and who changed them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wattwitness.domain.alerts import Complaint, Signature
from wattwitness.domain.registry import Measure, MeasureAction


class PlanAct(StrEnum):
    """What was done to a plan."""

    SAVED = "saved"
    REMOVED = "removed"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One entry of a plan's log; `before` and `after` are stored rows, JSON values."""

    entry_id: int
    enterprise_id: str
    act: PlanAct
    signature: Signature
    before: Mapping[str, Any] | None  # None = there was none
    after: Mapping[str, Any] | None  # None = removed


def complaint_of_measure(measure: Measure) -> Complaint | None:
    """What is wrong with a measure by itself."""
    if not measure.scope:
        return "scope", "scope names nothing - write circuit ids, a line, or *"
    if measure.action is MeasureAction.LIMIT and measure.limit_pct is None:
        return "limit_pct", "a limit needs limit_pct, the share that may still be used"
    if measure.action is MeasureAction.HOURS and measure.hours is None:
        return "hours", "hours needs the span when production is allowed, such as 22:00-06:00"
    return None


def complaint_of_scope(
    measure: Measure, circuits: Collection[str], lines: Collection[str]
) -> Complaint | None:
    """What is wrong with a measure beside the circuits (ids) and lines of its enterprise."""
    if measure.scope == ("*",) or (len(measure.scope) == 1 and measure.scope[0] in lines):
        return None
    for entry in measure.scope:
        if entry not in circuits:
            reason = f"{entry!r} is neither a circuit nor a line of {measure.enterprise_id}"
            return "scope", f"{reason} - write circuit ids, a line, or *"
    return None
