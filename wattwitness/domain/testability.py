"""Honest limits: what the meters of an enterprise can show, and what they cannot."""

from dataclasses import dataclass

NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Testability:
    """Whether one rule can be judged for one enterprise (or one of its pairings)."""

    __test__ = False  # not a pytest class, whatever its name

    enterprise_id: str
    kind: str
    pairing_id: str | None
    testable: bool
    why: str  # a dotted code such as `no_treatment_meter`; empty when testable
