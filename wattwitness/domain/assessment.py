"""What an alert came to: energy avoided, who made the cut, what the data cannot carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wattwitness.domain.assessed_energy import Saved
from wattwitness.domain.registry import Alert, AlertPhase, Enterprise
from wattwitness.domain.verdicts import Verdict, VerdictChange, VerdictCode

DECIDED: Final = (VerdictCode.COMPLIED, VerdictCode.PARTIAL, VerdictCode.VIOLATED)
MISSED: Final = (VerdictCode.PARTIAL, VerdictCode.VIOLATED)
TOP: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebound:
    """Production energy of the 24 h after the lift, beside the same hours of like days."""

    kwh: float
    usual_kwh: float  # median of the like days
    most_kwh: float  # of any of them
    like_days: int

    @property
    def is_high(self) -> bool:
        """Whether it was more than on any of its like days."""
        return self.kwh > self.most_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantLine:
    """One enterprise under the alert; None = not measured."""

    enterprise: Enterprise
    verdict: Verdict | None  # None = not judged
    saved: Saved | None
    required_cut: float | None  # share of the baseline that had to go
    avoidable_kwh: float  # used although it was to be cut
    only_main_meter: bool
    missed_before: tuple[str, ...]  # earlier alerts whose cut it missed as well
    late_turn: VerdictChange | None  # the newest turn that late data caused
    rebound: Rebound | None

    @property
    def code(self) -> VerdictCode:
        """What is said of it."""
        return VerdictCode.INSUFFICIENT_DATA if self.verdict is None else self.verdict.verdict

    @property
    def why(self) -> tuple[str, ...]:
        """Codes: why exempt, why not decided."""
        return ("not_judged",) if self.verdict is None else self.verdict.why

    @property
    def notes(self) -> tuple[str, ...]:
        """Codes told with the verdict."""
        return () if self.verdict is None else self.verdict.notes

    @property
    def is_repeated(self) -> bool:
        """Missed the cut now, and under an earlier alert."""
        return self.code in MISSED and bool(self.missed_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """Enterprises of a district, of an industry, or all: how many say what."""

    name: str  # empty = none is registered
    counts: Mapping[VerdictCode, int]  # every code present

    @property
    def ordered(self) -> int:
        """Those that had to cut."""
        return sum(self.counts.values()) - self.counts[VerdictCode.EXEMPT]

    @property
    def decided(self) -> int:
        """Those of which something can be said."""
        return sum(self.counts[code] for code in DECIDED)

    @property
    def decided_share(self) -> float | None:
        """Of those that had to cut; None = nobody had to."""
        return self.decided / self.ordered if self.ordered else None

    @property
    def complied_share(self) -> float | None:
        """Cut made, of what is decided; None = nothing is."""
        return self.counts[VerdictCode.COMPLIED] / self.decided if self.decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveats:
    """What the figures do not carry; numbers of enterprises."""

    undecided: Mapping[str, int]  # by why, the most frequent first; one may count under several
    unmeasured: int  # had to cut, and their energy or baseline is not known
    silent_meters: int  # meters fell silent with the alert
    only_main_meter: int
    turned_late: int  # verdicts that late data turned


@dataclass(frozen=True, slots=True, kw_only=True)
class ReboundTotal:
    """The 24 h after the lift, of all enterprises in which they are measured."""

    enterprises: int
    kwh: float
    usual_kwh: float
    high: int  # enterprises that used more than on any of their like days


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """All of it."""

    alert: Alert
    as_of: datetime | None  # data time of the newest verdict; None = nothing is judged
    lines: tuple[PlantLine, ...]  # by enterprise id
    saved: Saved
    all: Compliance
    districts: tuple[Compliance, ...]
    industries: tuple[Compliance, ...]
    caveats: Caveats
    rebound: ReboundTotal | None
    rebound_why: str  # code: why there is none; empty = there is one

    @property
    def phases(self) -> tuple[AlertPhase, ...]:
        """Its levels in course."""
        return self.alert.phases()

    @property
    def repeated(self) -> list[PlantLine]:
        """Who missed a cut before as well, the most often first."""
        found = [line for line in self.lines if line.is_repeated]
        return sorted(found, key=lambda x: (-len(x.missed_before), x.enterprise.enterprise_id))

    @property
    def top(self) -> list[PlantLine]:
        """The ten that used most of what was to be cut."""
        found = [line for line in self.lines if line.avoidable_kwh > 0]
        found.sort(key=lambda x: (-x.avoidable_kwh, x.enterprise.enterprise_id))
        return found[:TOP]
