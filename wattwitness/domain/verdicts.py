"""A verdict (核查结论): whether an ordered cut happened, per alert and enterprise, and how sure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from wattwitness.domain.registry import AlertLevel, MeasureAction


class VerdictCode(StrEnum):
    """What can be said about a measure, and about an enterprise under an alert."""

    COMPLIED = "complied"
    PARTIAL = "partial"
    VIOLATED = "violated"
    INSUFFICIENT_DATA = "insufficient_data"
    EXEMPT = "exempt"


BEFORE_JUDGING: Final = frozenset({"grace", "not_begun"})
"""Codes of `why`: nothing is said yet, because its time has not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureVerdict:
    """One measure of the plan, judged over the time in which it was in force.

    Numbers are None where they do not apply, or nothing is known.
    """

    action: MeasureAction
    scope: tuple[str, ...]  # as the plan words it
    level: AlertLevel
    circuits: tuple[str, ...]  # named by the scope, judged here
    verdict: VerdictCode
    confidence: float
    from_: datetime  # response + grace: judged from here
    to: datetime  # lift, change of level, or the newest data
    running_minutes: float | None  # of the worst circuit, outside what is allowed
    allowed_minutes: float | None
    usual_minutes: float | None  # of that circuit, in the same time of like days
    energy_kwh: float | None
    baseline_kwh: float | None  # median of like days
    interval_kwh: tuple[float, float] | None  # of the baseline, from the plant's own placebo days
    missed_share: float | None  # of the cut: 0 = all of it was made, 1 = none
    coverage: float  # share of the minutes that are known
    why: tuple[str, ...] = ()  # codes: what limits or explains the verdict
    running_share: float | None = None  # running ÷ usual minutes, of all named circuits together
    circuits_ran: int | None = None  # of a limit: that ran at least half of their usual minutes
    circuits_usual: int | None = None  # that usually run in that time
    like_days: int = 0  # that the usual rests on
    # the local days themselves, of the day on which the judging begins; for the band of a chart
    compared_days: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One enterprise under one alert."""

    alert_id: str
    enterprise_id: str
    level: AlertLevel  # in force at `as_of`
    verdict: VerdictCode
    confidence: float
    as_of: datetime  # data time up to which was judged
    measures: tuple[MeasureVerdict, ...] = ()
    now_kw: float | None = None  # production, mean of the newest 15 minutes that are known
    baseline_kw: float | None = None  # the same clock time of like days
    required_kw: float | None = None  # what the measures leave of the baseline now
    grace_until: datetime | None = None  # the last grace that still runs at `as_of`
    why: tuple[str, ...] = ()  # codes: why exempt, why not decided
    notes: tuple[str, ...] = ()  # codes told with the verdict: shifted production, silent meters, …
    rule_version: str = ""
    basis: str = ""  # digest of plan, alert and declarations it was judged under

    @property
    def avoidable_kw(self) -> float:
        """What a call could still save: power above what is allowed now, weighed by confidence."""
        if self.verdict in {VerdictCode.COMPLIED, VerdictCode.EXEMPT} or self.now_kw is None:
            return 0.0
        return max(0.0, self.now_kw - (self.required_kw or 0.0)) * self.confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictChange:
    """A verdict turned: what was said before, what is said now, and why it was looked at again."""

    alert_id: str
    enterprise_id: str
    changed_at: datetime  # wall clock
    as_of: datetime  # data time of the new verdict
    cause: str  # `time` (new data), `late_data`, `registry` (plans, alerts, declarations, rules)
    before: VerdictCode | None
    after: VerdictCode  # as `before`: it went back
    confidence: float
    since: datetime | None = None  # wall clock of the first turn, where several are told as one
    turns: int = 1  # that are told as one: a word that goes back and forth
