"""The PostgreSQL sink: thin, because the store does the work."""

from collections.abc import Sequence

from collector.sink import StatusNote
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.store.database import Database
from wattwitness.store.gateways import set_status
from wattwitness.store.readings import write_batch


class PostgresSink:
    """Writes through `wattwitness.store`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def write(self, batch: IngestBatch) -> IngestOutcome:
        """Commit a batch; see `Sink.write`."""
        return await write_batch(self._db, batch)

    async def note_statuses(self, notes: Sequence[StatusNote]) -> None:
        """Keep statuses; see `Sink.note_statuses`."""
        for note in notes:
            await set_status(
                self._db,
                note.gateway_id,
                online=note.online,
                ts_us=note.ts_us,
                received_us=note.received_us,
            )
