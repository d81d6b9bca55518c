"""An episode (异常时段): one finding of one kind over one interval, with its evidence."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Evidence = Mapping[str, Mapping[str, float | str]]
"""Named numbers with units: {"treatment_power": {"value": 0.2, "unit": "kW"}, …}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What the analytics found; immutable, identified by what it is about and when it began."""

    enterprise_id: str
    kind: str  # a code of the rule catalogue
    from_: datetime
    to: datetime
    detected_at: datetime  # data time at which the rule could first say so
    circuits: tuple[str, ...]
    pairing_id: str | None
    confidence: float
    evidence: Evidence
    rule_version: str
    suppressed_by: str | None = None

    @property
    def episode_id(self) -> str:
        """Stable across re-analysis: enterprise, kind, subject and start."""
        subject = self.pairing_id or ";".join(self.circuits)
        key = f"{self.enterprise_id}|{self.kind}|{subject}|{self.from_.isoformat()}"
        return "E-" + hashlib.sha256(key.encode()).hexdigest()[:16]
