"""What a rule says of one measure, before it is dressed as a `MeasureVerdict`."""

from dataclasses import dataclass

from wattwitness.domain.verdicts import VerdictCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Word, how sure, why, and the numbers it rests on; None = does not apply or is not known."""

    code: VerdictCode
    confidence: float  # as the method sees it, before calibration
    why: tuple[str, ...] = ()
    coverage: float = 0.0
    running_minutes: float | None = None
    allowed_minutes: float | None = None
    usual_minutes: float | None = None
    running_share: float | None = None
    energy_kwh: float | None = None
    baseline_kwh: float | None = None
    interval_kwh: tuple[float, float] | None = None
    missed_share: float | None = None
    circuits_ran: int | None = None
    circuits_usual: int | None = None
    like_days: int = 0
