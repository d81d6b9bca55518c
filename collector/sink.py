"""Where readings go, as a cut line: PostgreSQL today, other stores later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wattwitness.domain.ingest import AtWork, IngestBatch, IngestOutcome


@dataclass(frozen=True, slots=True)
class StatusNote:
    """A gateway's word about itself, at `ts_us` of its own clock, heard at `received_us`."""

    gateway_id: str
    online: bool
    ts_us: int
    received_us: int


class Sink(Protocol):
    """Keeps readings: each (circuit, ts) once, a different later value as a revision.

    What was refused or has to wait is kept once as well, however often it is delivered.
    """

    def prepare(self, batch: IngestBatch) -> None:
        """Begin beforehand what can be done of `write`; that may come later, or never."""
        ...

    @property
    def is_preparing(self) -> bool:
        """Whether what `prepare` began is not done yet."""
        ...

    @property
    def is_behind(self) -> bool:
        """Whether there is something to catch up with."""
        ...

    async def catch_up(self) -> None:
        """Do what `write` puts off: newest values, which are not the readings themselves.

        Raises:
            StoreUnavailableError: try again later.
        """
        ...

    async def write(self, batch: IngestBatch, at_work: AtWork | None = None) -> IngestOutcome:
        """Keep a batch whole; returns only when it is durable. Safe to repeat.

        Args:
            batch: what to keep.
            at_work: told when the store is at work by itself (True), so that we have time for
                other things, and when it waits for our next word again (False).

        Raises:
            StoreUnavailableError: nothing was kept, or nobody knows; write it again later.
            StoreRefusesError: nothing was kept, because of something in the batch.
        """
        ...

    async def note_statuses(self, notes: Sequence[StatusNote]) -> None:
        """Keep gateways' words about themselves; of each, the one that came last counts.

        Not the one with the latest date: a last will is dated when its connection began.

        Raises:
            StoreUnavailableError: try again later.
        """
        ...
