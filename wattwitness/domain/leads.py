"""A lead (线索): the merged, ranked, explained episodes of one enterprise and matter."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

HIGH_SCORE, HIGH_CONFIDENCE = 0.55, 0.8
MEDIUM_SCORE = 0.25


class LeadLevel(StrEnum):
    """How urgently an officer should look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class LeadStatus(StrEnum):
    """Where a lead stands; what nobody decided is open."""

    OPEN = "open"
    REOPENED = "reopened"  # decided, and it happened again
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look."""
        return self in {LeadStatus.OPEN, LeadStatus.REOPENED}


class Matter(StrEnum):
    """What a lead is about; an enterprise has at most one lead per matter."""

    TREATMENT = "treatment"
    METERING = "metering"
    CURTAILMENT = "curtailment"
    CAPACITY = "capacity"


def level_of(score: float, confidence: float) -> LeadLevel:
    """The level of a lead that is more than information."""
    if score >= HIGH_SCORE and confidence >= HIGH_CONFIDENCE:
        return LeadLevel.HIGH
    return LeadLevel.MEDIUM if score >= MEDIUM_SCORE else LeadLevel.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class ChronicPair:
    """A pairing whose treatment misses from the first days on: registered wrongly, or chronic.

    Both look alike, so its registration is to be checked. The lead stays what it is.
    """

    pairing_id: str
    off_share: float  # of the running minutes of all days, 0 … 1
    early_share: float  # likewise, of the first days with production
    running_minutes: float  # production ran and treatment was known
    days: int  # with production


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What an officer reviews.

    The analytics give everything but what depends on other leads and on decisions: `rank`,
    `status`, `confidence_before` and, once there are enough decisions, `score`, `confidence` and
    `level` are settled when leads are listed together.
    """

    enterprise_id: str
    matter: Matter
    score: float
    confidence: float
    level: LeadLevel
    kinds: tuple[str, ...]
    from_: datetime
    to: datetime
    episodes: tuple[str, ...]
    reason: Mapping[str, str]  # {"zh": …, "en": …}
    # how this could be wrong: [{"code": …, "standing": …, "zh": …, "en": …}, …]
    doubts: tuple[Mapping[str, str], ...] = ()
    newest_from: datetime | None = None  # when its newest episode began
    registration_check: tuple[ChronicPair, ...] = ()
    testable: bool = True
    status: str = LeadStatus.OPEN.value
    rank: int = 0  # 1 = first; 0 = not listed yet
    confidence_before: float | None = None  # what the analytics gave, where decisions changed it

    @property
    def lead_id(self) -> str:
        """Stable for an enterprise and matter, so that a recurrence re-opens, not repeats."""
        return lead_id_of(self.enterprise_id, self.matter)

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look."""
        return LeadStatus(self.status).is_open


def lead_id_of(enterprise_id: str, matter: Matter) -> str:
    """The id of the one lead of an enterprise and matter."""
    return "L-" + hashlib.sha256(f"{enterprise_id}|{matter.value}".encode()).hexdigest()[:12]
