"""From when a measure is judged: after its grace, which a change of level does not give anew."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from wattwitness.domain.registry import Alert, AlertPhase, Measure, MeasureAction
from wattwitness.domain.rules import CATALOGUE

_DAY_MIN: Final = 1440


@dataclass(frozen=True, slots=True)
class Due:
    """One measure during one phase of an alert."""

    measure: Measure
    phase: AlertPhase
    circuits: frozenset[str]
    from_: datetime  # judged from here


def grace_of(measure: Measure) -> timedelta:
    """The grace of a measure; the rule's own where the plan tells none."""
    told = measure.grace_min
    default = CATALOGUE["curtailment_violation"].parameters["grace_min"]
    return timedelta(minutes=default if told is None else told)


def dues(
    alert: Alert, measures: Sequence[Measure], named: Callable[[Measure], Collection[str]]
) -> list[Due]:
    """What an alert orders, phase by phase.

    Only what is new or tighter under a level gets its grace. What was ordered under the level
    before as well, at least as strictly, is due when that was due.

    Args:
        alert: with its changes of level.
        measures: of one plan, any level.
        named: circuit ids that a measure is judged by.
    """
    found: list[Due] = []
    before: list[Due] = []
    for phase in alert.phases():
        own = [m for m in measures if m.level is phase.level]
        before = [_due(phase, m, frozenset(named(m)), before) for m in own]
        found += before
    return found


def _due(
    phase: AlertPhase, measure: Measure, circuits: frozenset[str], before: Sequence[Due]
) -> Due:
    from_ = phase.from_ + grace_of(measure)
    known = [d for d in before if _as_strict(d, measure, circuits)]
    each = [[d.from_ for d in known if circuit in d.circuits] for circuit in circuits]
    if each and all(each):
        from_ = min(from_, max(min(own) for own in each))
    return Due(measure, phase, circuits, max(from_, phase.from_))


def _as_strict(before: Due, measure: Measure, circuits: frozenset[str]) -> bool:
    """Whether who does what was ordered before does what is ordered now, on shared circuits."""
    was = before.measure
    if was.action is MeasureAction.STOP:
        return True
    if was.action is not measure.action:
        return False
    if was.hours is not None and measure.hours is not None:
        return _within(was.hours, measure.hours)
    # a limit is on the energy of all its circuits together
    share, left = was.limit_pct, measure.limit_pct
    return circuits == before.circuits and share is not None and left is not None and share <= left


def _within(inner: tuple[time, time], outer: tuple[time, time]) -> bool:
    """Whether allowed hours lie within others, on the clock."""

    def minutes(begin: time, end: time) -> int:
        between = 60 * (end.hour - begin.hour) + end.minute - begin.minute
        return between % _DAY_MIN

    late = minutes(outer[0], inner[0])
    return late + (minutes(*inner) or _DAY_MIN) <= (minutes(*outer) or _DAY_MIN)
