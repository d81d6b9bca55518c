"""How could this be wrong? What an officer should rule out before believing a lead.

Pure: everything that is known is an argument. A doubt is a code with its standing and the numbers
that prove it; the words are in the template's language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wattwitness.domain.leads import Lead
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.registry import Declaration, DeclarationStatus, Enterprise
from wattwitness.domain.testability import NOT_APPLICABLE, Testability

NOT_YET_JUDGED = "not_yet_judged"
COVERAGE_PASSES = 0.90  # effective transmission rate that passes (sourced)
LATE_SHARE = 0.05
REVERSED_SHARE = 0.02  # of the highest power: below that a negative value is metering noise


class Standing(StrEnum):
    """What a check says."""

    FINE = "fine"  # checked, and it does not explain the lead
    CAUTION = "caution"  # it might
    UNKNOWN = "unknown"  # the data cannot say


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One check with its numbers."""

    code: str
    standing: Standing
    numbers: Mapping[str, float] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)  # where the analytics wrote it, zh and en


_CHECKED_LIVE = frozenset({"declared"})  # as the registry stands now, not as it was analysed


def written_doubts(lead: Lead) -> list[Doubt]:
    """What the analytics wrote beside a lead, without what the page checks itself."""
    return [
        Doubt(
            code=doubt.get("code", "written"),
            standing=Standing(doubt.get("standing", Standing.CAUTION)),
            text=doubt,
        )
        for doubt in lead.doubts
        if doubt.get("code") not in _CHECKED_LIVE
    ]


def overlapping(
    declarations: Sequence[Declaration], start: datetime, end: datetime
) -> list[Declaration]:
    """Declarations that touch [start, end)."""
    return [d for d in declarations if d.from_ < end and d.to > start]


def doubt_declared(declarations: Sequence[Declaration]) -> Doubt:
    """Did the enterprise announce it?"""
    accepted = sum(d.status is DeclarationStatus.ACCEPTED for d in declarations)
    filed = sum(d.status is DeclarationStatus.FILED for d in declarations)
    standing = Standing.CAUTION if accepted or filed else Standing.FINE
    return Doubt(
        code="declared",
        standing=standing,
        numbers={
            "accepted": accepted,
            "filed": filed,
            "refused": len(declarations) - accepted - filed,
        },
    )


def doubt_coverage(quality: Sequence[DayQuality]) -> Doubt:
    """Is there enough data in the window?"""
    expected = sum(q.expected for q in quality)
    if not expected:
        return Doubt(code="coverage", standing=Standing.UNKNOWN)
    share = sum(min(q.valid, q.expected) for q in quality) / expected
    standing = Standing.FINE if share >= COVERAGE_PASSES else Standing.CAUTION
    return Doubt(code="coverage", standing=standing, numbers={"share": share})


def doubt_late(quality: Sequence[DayQuality]) -> Doubt:
    """How much of it came late, and could it still change?"""
    timed = [q for q in quality if q.in_time is not None]
    valid = sum(q.valid for q in timed)
    if not valid:
        return Doubt(code="late", standing=Standing.UNKNOWN)
    share = max(0, valid - sum(q.in_time or 0 for q in timed)) / valid
    standing = Standing.FINE if share <= LATE_SHARE else Standing.CAUTION
    return Doubt(code="late", standing=standing, numbers={"share": share})


def doubt_reversed(lowest_kw: float | None, highest_kw: float | None) -> Doubt:
    """Is a current transformer the wrong way round?"""
    if lowest_kw is None or highest_kw is None:
        return Doubt(code="reversed", standing=Standing.UNKNOWN)
    floor = -max(REVERSED_SHARE * max(abs(highest_kw), abs(lowest_kw)), 0.05)
    standing = Standing.CAUTION if lowest_kw < floor else Standing.FINE
    return Doubt(code="reversed", standing=standing, numbers={"lowest_kw": lowest_kw})


def doubt_reference(enterprise: Enterprise) -> Doubt:
    """Were the levels learned in a period that an officer verified?"""
    verified = enterprise.verified_from is not None and enterprise.verified_to is not None
    return Doubt(code="reference", standing=Standing.FINE if verified else Standing.CAUTION)


def doubt_testability(rows: Sequence[Testability]) -> Doubt:
    """What could not be tested here, and so was neither found nor excluded?"""
    whys = [row.why for row in rows if not row.testable and row.why != NOT_APPLICABLE]
    unbuilt = whys.count(NOT_YET_JUDGED)
    standing = Standing.UNKNOWN if whys else Standing.FINE
    numbers = {"rules": len(whys) - unbuilt, "unbuilt": unbuilt}
    return Doubt(code="testability", standing=standing, numbers=numbers)
