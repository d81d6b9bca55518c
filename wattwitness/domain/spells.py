"""Condition spells: what one local day contributes to the episodes.

The day kernel finds, per rule and subject, the maximal intervals in which the rule's condition
held; episodes are these spells joined across days. A spell never crosses the end of its local day,
so days can be analysed in any order, alone, or again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSpell:
    """A condition held from `from_` to `to` [minutes are UTC minutes]."""

    enterprise_id: str
    kind: str
    subject: str  # a pairing id, or circuit ids joined by `;`
    from_: datetime
    to: datetime
    sums: Mapping[str, float]  # additive evidence: minutes, kWh, … named with units
