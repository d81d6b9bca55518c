"""Where readings go, as a cut line: PostgreSQL today, other stores later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wattwitness.domain.ingest import IngestBatch, IngestOutcome


@dataclass(frozen=True, slots=True)
class StatusNote:
    """A gateway's word about itself, at `ts_us` of its own clock."""

    gateway_id: str
    online: bool
    ts_us: int


class Sink(Protocol):
    """Keeps readings: each (circuit, ts) once, a different later value as a revision."""

    async def write(self, batch: IngestBatch) -> IngestOutcome:
        """Keep a batch whole; returns only when it is durable. Safe to repeat.

        Raises:
            StoreUnavailableError: nothing was kept, or nobody knows; write it again later.
        """
        ...

    async def note_statuses(self, notes: Sequence[StatusNote]) -> None:
        """Keep gateways' newest words about themselves; older ones change nothing.

        Raises:
            StoreUnavailableError: try again later.
        """
        ...
