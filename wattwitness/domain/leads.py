"""A lead (线索): the merged, ranked, explained episodes of one enterprise and matter."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LeadLevel(StrEnum):
    """How urgently an officer should look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Matter(StrEnum):
    """What a lead is about; an enterprise has at most one lead per matter."""

    TREATMENT = "treatment"
    METERING = "metering"
    CURTAILMENT = "curtailment"
    CAPACITY = "capacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What an officer reviews. `rank` is given when leads are listed together, 1 = first."""

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
    # how this could be wrong: [{"zh": …, "en": …}, …]
    doubts: tuple[Mapping[str, str], ...] = ()
    testable: bool = True
    status: str = "open"
    rank: int = 0

    @property
    def lead_id(self) -> str:
        """Stable for an enterprise and matter, so that a recurrence re-opens, not repeats."""
        key = f"{self.enterprise_id}|{self.matter.value}"
        return "L-" + hashlib.sha256(key.encode()).hexdigest()[:12]
