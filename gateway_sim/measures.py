"""Emergency plans (一厂一策): what each performance grade must do at each level.

In the spirit of the 2020 guide: A and leading voluntary, B less, C, D and ungraded most; plants of
several lines stop whole lines, plants of one lower the load; kilns are held, not stopped.
"""

from collections.abc import Sequence
from datetime import time

from wattwitness.domain.registry import AlertLevel, Enterprise, Grade, Measure, MeasureAction

STOP_GRACE_MIN = 120.0
KILN_GRACE_MIN = 480.0
_KILN_LIMITS = {AlertLevel.YELLOW: 85.0, AlertLevel.ORANGE: 70.0, AlertLevel.RED: 50.0}
_LIMITS = {
    Grade.B: {AlertLevel.ORANGE: 75.0, AlertLevel.RED: 50.0},
    Grade.B_MINUS: {AlertLevel.ORANGE: 60.0},
}


def measures_for(
    enterprise: Enterprise, lines: Sequence[str], *, kiln: bool
) -> tuple[Measure, ...]:
    """The plan of one enterprise; empty for grade A and leading."""
    grade = enterprise.grade
    if grade in {Grade.A, Grade.LEADING}:
        return ()
    if kiln:
        return tuple(
            _limit(enterprise, level, pct, KILN_GRACE_MIN) for level, pct in _KILN_LIMITS.items()
        )
    plan = [
        _limit(enterprise, level, pct, STOP_GRACE_MIN)
        for level, pct in _LIMITS.get(grade, {}).items()
    ]
    if grade is Grade.B_MINUS:
        plan += [_hours(enterprise, AlertLevel.YELLOW), _stop(enterprise, AlertLevel.RED)]
    elif grade is Grade.C:
        some = (lines[0],) if len(lines) > 1 else ("*",)
        plan += [_stop(enterprise, AlertLevel.ORANGE, some), _stop(enterprise, AlertLevel.RED)]
    elif grade in {Grade.D, Grade.NONE}:
        plan += [_stop(enterprise, level) for level in AlertLevel]
    return tuple(plan)


def _limit(enterprise: Enterprise, level: AlertLevel, pct: float, grace_min: float) -> Measure:
    return Measure(
        enterprise_id=enterprise.enterprise_id,
        level=level,
        action=MeasureAction.LIMIT,
        limit_pct=pct,
        grace_min=grace_min,
    )


def _stop(enterprise: Enterprise, level: AlertLevel, scope: tuple[str, ...] = ("*",)) -> Measure:
    return Measure(
        enterprise_id=enterprise.enterprise_id,
        level=level,
        action=MeasureAction.STOP,
        scope=scope,
        grace_min=STOP_GRACE_MIN,
    )


def _hours(enterprise: Enterprise, level: AlertLevel) -> Measure:
    return Measure(
        enterprise_id=enterprise.enterprise_id,
        level=level,
        action=MeasureAction.HOURS,
        hours=(time(8), time(18)),
        grace_min=STOP_GRACE_MIN,
    )
