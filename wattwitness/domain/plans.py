"""The plan of an enterprise (一厂一策): what may not stand in it."""

from collections.abc import Collection

from wattwitness.domain.alerts import Complaint
from wattwitness.domain.registry import Measure, MeasureAction


def complaint_of_measure(measure: Measure) -> Complaint | None:
    """What is wrong with a measure by itself."""
    if not measure.scope:
        return "scope", "scope names nothing - write circuit ids, a line, or *"
    if measure.action is MeasureAction.LIMIT and measure.limit_pct is None:
        return "limit_pct", "a limit needs limit_pct, the share that may still be used"
    if measure.action is MeasureAction.HOURS and measure.hours is None:
        return "hours", "hours needs the span when production is allowed, such as 22:00-06:00"
    return None


def unknown_part(measure: Measure, circuits: Collection[str], lines: Collection[str]) -> str | None:
    """A part of the scope that is neither a circuit (id) nor the line of its enterprise."""
    if measure.scope == ("*",) or (len(measure.scope) == 1 and measure.scope[0] in lines):
        return None
    return next((entry for entry in measure.scope if entry not in circuits), None)
