"""The PostgreSQL sink: thin, because the store does the work."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from collector.sink import StatusNote
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import AtWork, IngestBatch, IngestOutcome
from wattwitness.store.behind import write_behind
from wattwitness.store.database import Database, limited
from wattwitness.store.gateways import set_status
from wattwitness.store.ingest import known_facts, write_batch
from wattwitness.store.preparing import Prepared, prepare_rows

FIRST_PATIENCE_S: Final = 20.0  # with a write; doubled each time that it was not enough
MOST_PATIENCE_S: Final = 240.0


class PostgresSink:
    """Writes through `wattwitness.store`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._patience_s = FIRST_PATIENCE_S
        self._prepared: tuple[IngestBatch, asyncio.Future[Prepared]] | None = None

    def prepare(self, batch: IngestBatch) -> None:
        """Sort and encode, in another thread; see `Sink.prepare`."""
        facts = known_facts(self._db, batch.rows)
        if facts is not None:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(None, prepare_rows, self._db, batch.rows, facts)
            self._prepared = batch, work

    @property
    def is_preparing(self) -> bool:
        """Whether the thread is at work; see `Sink.is_preparing`."""
        return self._prepared is not None and not self._prepared[1].done()

    @property
    def is_behind(self) -> bool:
        """Whether newest values wait; see `Sink.is_behind`."""
        return self._db.behind is not None and self._db.behind.is_behind

    async def catch_up(self) -> None:
        """Write the newest values; see `Sink.catch_up`."""
        if self._db.behind is not None:
            with self._patience():
                await write_behind(self._db, self._db.behind)

    async def write(self, batch: IngestBatch, at_work: AtWork | None = None) -> IngestOutcome:
        """Commit a batch; see `Sink.write`."""
        prepared = None
        if self._prepared is not None and self._prepared[0] is batch:
            prepared = await self._prepared[1]
        with self._patience():
            outcome = await write_batch(self._db, batch, prepared, at_work)
        self._patience_s = FIRST_PATIENCE_S
        return outcome

    async def note_statuses(self, notes: Sequence[StatusNote]) -> None:
        """Keep statuses; see `Sink.note_statuses`."""
        with self._patience():
            for note in notes:
                await set_status(
                    self._db,
                    note.gateway_id,
                    online=note.online,
                    ts_us=note.ts_us,
                    received_us=note.received_us,
                )

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Give up a database that does not answer; one that is only slow gets more time next."""
        began_s = time.monotonic()
        try:
            with limited(self._patience_s):
                yield
        except StoreUnavailableError:
            if time.monotonic() - began_s >= self._patience_s:
                self._patience_s = min(MOST_PATIENCE_S, 2 * self._patience_s)
            raise
