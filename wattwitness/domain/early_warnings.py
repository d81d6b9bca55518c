"""Warnings: a rule has begun to hold, and is not an episode yet."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyWarning:
    """Treatment is off or short while production runs, not yet for as long as an episode takes."""

    enterprise_id: str
    kind: str  # a code of the rule catalogue
    pairing_id: str
    from_: datetime
    to: datetime  # up to where it is known to hold
    known_minutes: float
    required_minutes: float  # from here on it is an episode
