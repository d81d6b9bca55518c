"""What one ingest transaction takes in, and what became of it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.rejects import WAITING, Parked, Reject, RejectCode

AtWork = Callable[[bool], None]
"""Told whether a store is at work by itself, or waits for our next word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochMark:
    """What is committed of an epoch of which something is missing."""

    confirmed: int | None  # None = nothing, it began in the middle and no base is known
    highest: int  # the highest number that is committed
    first_missing: int | None = None  # the first missing run, both ends included
    last_missing: int | None = None
    missing: int = 0  # numbers, in all runs
    given_up: int = 0  # numbers that the gateway gave up with this batch
    began_middle: bool = False


@dataclass(frozen=True, slots=True)
class Aside:
    """Messages of a gateway that are kept as they came, to be taken in later."""

    gateway_id: str
    messages: Sequence[tuple[int, bytes]]  # receipt [µs], payload

    @property
    def size(self) -> int:
        """Bytes of payload."""
        return sum(len(payload) for _, payload in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestBatch:
    """Everything that is committed together."""

    rows: Readings = field(default_factory=empty_readings)
    rejects: Sequence[Reject] = ()
    parked: Sequence[Parked] = ()
    # numbers of kept items whose readings are in this batch: they leave with its transaction, and
    # their day's counts move with them
    taken_parked: Sequence[int] = ()
    taken_rejects: Sequence[int] = ()
    # (gateway_id, epoch) → newest sequence number without a hole before it
    epochs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    # the same for epochs in which numbers are missing, or were until this batch
    gaps: Mapping[tuple[str, str], EpochMark] = field(default_factory=dict)
    # epochs that are seen for the first time: their gateways' earlier ones have ended
    begun: Sequence[tuple[str, str]] = ()
    # what a flooding gateway has to wait with; none of its readings count as received yet
    aside: Sequence[Aside] = ()
    taken_aside: Sequence[int] = ()  # numbers of rows of it whose readings are in this batch
    # readings from a file are not counted as a gateway's traffic
    from_gateways: bool = True

    @property
    def received(self) -> int:
        """Readings in it; what was refused whole counts for as many as it says."""
        refused = sum(reject.readings for reject in self.rejects)
        return len(self.rows) + refused + sum(item.readings for item in self.parked)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOutcome:
    """Each reading ended in exactly one of: stored, duplicates, revisions, rejected.

    A refused or waiting piece that is kept already counts among the duplicates.
    """

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    revisions: int = 0
    reasons: Mapping[RejectCode, int] = field(default_factory=dict)  # rejected ones by code

    @property
    def rejected(self) -> int:
        """Refused for good, or waiting for the registry."""
        return sum(self.reasons.values())

    @property
    def waiting(self) -> int:
        """Of the rejected ones, those that are taken in once the registry knows them."""
        return sum(n for code, n in self.reasons.items() if code in WAITING)

    def __add__(self, other: "IngestOutcome") -> "IngestOutcome":
        return IngestOutcome(
            received=self.received + other.received,
            stored=self.stored + other.stored,
            duplicates=self.duplicates + other.duplicates,
            revisions=self.revisions + other.revisions,
            reasons=Counter(self.reasons) + Counter(other.reasons),
        )
