"""Calls to enterprises under an alert: what was promised, and whether it is time to call again.

Nothing is deleted: whoever calls again adds a note, and the newest holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from wattwitness.domain.verdicts import Verdict, VerdictCode

REST_MIN: Final = 60
"""How long a call without a promised time rests [min]."""
RUNS_ABOVE: Final = 0.1
"""Power above what is allowed that counts as running still, as a share of the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNote:
    """What somebody heard on the telephone."""

    note_id: int
    alert_id: str
    enterprise_id: str
    at: datetime  # wall clock
    actor: str
    text: str
    promised_at: datetime | None = None  # "will stop by"


class CallStanding(StrEnum):
    """Where the calls to an enterprise stand."""

    NONE = "none"  # nobody called
    CALLED = "called"  # the call rests, or what was promised was done
    DUE_AGAIN = "due_again"  # the promise has passed, and the plant still runs


@dataclass(frozen=True, slots=True, kw_only=True)
class CallState:
    """Standing of the calls, with the note that it comes from."""

    standing: CallStanding
    note: CallNote | None = None
    rests_until: datetime | None = None


def still_runs(verdict: Verdict | None) -> bool:
    """Whether a plant still uses more than its measures leave.

    By its power now; where that is not known, by the verdict. A plant that ran too long and has
    stopped keeps its verdict, and needs no further call.
    """
    if verdict is None or verdict.verdict in {VerdictCode.COMPLIED, VerdictCode.EXEMPT}:
        return False
    if verdict.now_kw is None:
        return verdict.verdict is not VerdictCode.INSUFFICIENT_DATA
    slack_kw = RUNS_ABOVE * (verdict.baseline_kw or 0.0)
    return verdict.now_kw > (verdict.required_kw or 0.0) + slack_kw


def call_state(notes: Sequence[CallNote], verdict: Verdict | None, now: datetime) -> CallState:
    """Where the calls to one enterprise stand.

    Args:
        notes: of one alert and enterprise, in any order; the newest holds.
        verdict: as it is now; None = there is none yet.
        now: wall clock.
    """
    if not notes:
        return CallState(standing=CallStanding.NONE)
    last = max(notes, key=lambda note: (note.at, note.note_id))
    until = last.promised_at or last.at + timedelta(minutes=REST_MIN)
    due = now >= until and still_runs(verdict)
    standing = CallStanding.DUE_AGAIN if due else CallStanding.CALLED
    return CallState(standing=standing, note=last, rests_until=until)
