"""How good the leads are: those on top, and those that nobody should have had to follow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.evaluation.intervals import Proportion

TOP_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOutcome:
    """One lead, and whether anything that it says was so."""

    score: float
    level: str
    true: bool


def precision(leads: Sequence[LeadOutcome]) -> Proportion:
    """Leads that were right."""
    return Proportion(sum(lead.true for lead in leads), len(leads))


def top(leads: Sequence[LeadOutcome], share: float = TOP_SHARE) -> list[LeadOutcome]:
    """The best scored share of the leads, at least one."""
    ranked = sorted(leads, key=lambda lead: -lead.score)
    return ranked[: math.ceil(share * len(ranked))]
