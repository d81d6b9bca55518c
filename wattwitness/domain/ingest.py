"""What one ingest transaction takes in, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.rejects import Parked, Reject


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBatch:
    """Everything that is committed together."""

    rows: Readings = field(default_factory=empty_readings)
    rejects: Sequence[Reject] = ()
    parked: Sequence[Parked] = ()
    # numbers of parked items whose readings are in this batch: they leave the parking with it
    taken_parked: Sequence[int] = ()
    # (gateway_id, epoch) → newest sequence number without a hole before it
    epochs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    # readings from a file are not counted as a gateway's traffic
    from_gateways: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOutcome:
    """Each reading ended in exactly one of the counts after `received`.

    A refused or parked piece that is kept already counts among the duplicates.
    """

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    revisions: int = 0
    rejected: int = 0
    parked: int = 0

    def __add__(self, other: "IngestOutcome") -> "IngestOutcome":
        return IngestOutcome(
            received=self.received + other.received,
            stored=self.stored + other.stored,
            duplicates=self.duplicates + other.duplicates,
            revisions=self.revisions + other.revisions,
            rejected=self.rejected + other.rejected,
            parked=self.parked + other.parked,
        )
