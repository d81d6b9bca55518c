"""Records of the API: the shapes of the export contract, for OpenAPI and for programs."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from wattwitness.domain.episodes import Episode
from wattwitness.domain.instants import format_instant
from wattwitness.domain.leads import Lead
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.registry import Alert, Circuit, Enterprise
from wattwitness.domain.states import StateSpell
from wattwitness.domain.testability import Testability
from wattwitness.files.records import (
    episode_record,
    lead_record,
    quality_record,
    state_record,
    testability_record,
)

Instant = Annotated[datetime, PlainSerializer(format_instant, return_type=str)]


class Record(BaseModel):
    """Keys as in the contract, `from` included."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)


class LeadRecord(Record):
    """A lead (线索)."""

    lead_id: str
    enterprise_id: str
    rank: int
    score: float
    confidence: float
    level: str
    kinds: list[str]
    from_: Instant = Field(alias="from")
    to: Instant
    episodes: list[str]
    reason: dict[str, str]
    status: str
    testable: bool
    registration_check: list[str]

    @classmethod
    def of(cls, lead: Lead) -> Self:
        """The record of a lead."""
        return cls.model_validate(lead_record(lead))


class EpisodeRecord(Record):
    """An episode (异常时段)."""

    episode_id: str
    enterprise_id: str
    kind: str
    from_: Instant = Field(alias="from")
    to: Instant
    detected_at: Instant
    circuits: list[str]
    pairing_id: str | None
    confidence: float
    evidence: Mapping[str, Mapping[str, Any]]
    rule_version: str
    suppressed_by: str | None

    @classmethod
    def of(cls, episode: Episode) -> Self:
        """The record of an episode."""
        return cls.model_validate(episode_record(episode))


class StateRecord(Record):
    """A circuit was in one state."""

    circuit_id: str
    from_: Instant = Field(alias="from")
    to: Instant
    state: str

    @classmethod
    def of(cls, spell: StateSpell) -> Self:
        """The record of a spell."""
        return cls.model_validate(state_record(spell))


class QualityRecord(Record):
    """Data quality of a circuit on a local day."""

    circuit_id: str
    day: date
    expected: int
    received: int
    valid: int
    transmission_rate: float | None
    validity_rate: float | None
    effective_rate: float | None
    effective_rate_in_time: float | None

    @classmethod
    def of(cls, quality: DayQuality) -> Self:
        """The record of a day."""
        return cls.model_validate(quality_record(quality))


class TestabilityRecord(Record):
    """Whether a rule can be judged for an enterprise or pairing."""

    __test__ = False  # not a pytest class, whatever its name

    enterprise_id: str
    kind: str
    pairing_id: str | None
    testable: bool
    why: str

    @classmethod
    def of(cls, row: Testability) -> Self:
        """The record of one answer."""
        return cls.model_validate(testability_record(row))


class EnterpriseRecord(Record):
    """A plant (企业)."""

    enterprise_id: str
    name: str
    district: str | None
    industry: str | None
    grade: str
    circuits: int

    @classmethod
    def of(cls, enterprise: Enterprise, circuits: int) -> Self:
        """The record of a plant with that many circuits."""
        return cls(
            enterprise_id=enterprise.enterprise_id,
            name=enterprise.name,
            district=enterprise.district,
            industry=enterprise.industry,
            grade=enterprise.grade.value,
            circuits=circuits,
        )


class CircuitRecord(Record):
    """A circuit (回路) with its newest reading."""

    circuit_id: str
    gateway_id: str
    role: str
    name: str | None
    line: str | None
    last_at: Instant | None
    p_kw: float | None
    state: str

    @classmethod
    def of(cls, circuit: Circuit, last_at: datetime | None, p_kw: float | None, state: str) -> Self:
        """The record of a circuit; nothing known = null and `unknown`."""
        return cls(
            circuit_id=circuit.circuit_id,
            gateway_id=circuit.gateway_id,
            role=circuit.role.value,
            name=circuit.name,
            line=circuit.line,
            last_at=last_at,
            p_kw=p_kw,
            state=state,
        )


class AlertChangeRecord(Record):
    """A change of an alert's level in course."""

    level: str
    issued_at: Instant
    response_from: Instant


class AlertRecord(Record):
    """A heavy-pollution alert."""

    alert_id: str
    level: str
    issued_at: Instant
    response_from: Instant
    lifted_at: Instant | None
    districts: list[str]
    changes: list[AlertChangeRecord]

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """The record of an alert."""
        return cls(
            alert_id=alert.alert_id,
            level=alert.level.value,
            issued_at=alert.issued_at,
            response_from=alert.response_from,
            lifted_at=alert.lifted_at,
            districts=list(alert.districts),
            changes=[
                AlertChangeRecord(
                    level=c.level.value, issued_at=c.issued_at, response_from=c.response_from
                )
                for c in alert.changes
            ],
        )
