"""Writing readings: one transaction per batch, durable when it returns, idempotent on its key.

The fast way is binary COPY straight into the table. Only a batch that meets a stored key takes the
detour through a staging table, where duplicates are left out and different values are noted as
revisions. After such a batch the next one takes it at once: replays come in long rows.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import asyncpg
import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.errors import StoreBusyError, StoreUnavailableError
from wattwitness.domain.ingest import AtWork, IngestBatch, IngestOutcome
from wattwitness.domain.instants import US_PER_DAY, from_us, to_us
from wattwitness.domain.readings import NEVER, Readings
from wattwitness.store.behind import written
from wattwitness.store.circuit_facts import CircuitFacts, circuit_facts
from wattwitness.store.database import Database
from wattwitness.store.epochs import epoch_columns, keep_odd_epochs
from wattwitness.store.forms import Steps
from wattwitness.store.gateway_days import DayCounts
from wattwitness.store.local_days import distinct
from wattwitness.store.mode import Connection
from wattwitness.store.partitions import ensure_partitions
from wattwitness.store.pieces import is_fresh, keep_pieces
from wattwitness.store.preparing import Prepared, copy_payload, copy_rows, prepare_rows
from wattwitness.store.set_aside import keep_aside, take_aside
from wattwitness.store.statements import statements
from wattwitness.store.traces import Traces
from wattwitness.store.translation import refusal

_NO_COUNTS: tuple[list[str], ...] = ([],) * 9
_ATTEMPTS = 5


async def write_batch(
    db: Database,
    batch: IngestBatch,
    prepared: Prepared | None = None,
    at_work: AtWork | None = None,
) -> IngestOutcome:
    """Commit a batch whole; returns only when it is durable.

    Safe to repeat: what is stored already is counted as duplicate.

    Args:
        db: the database.
        batch: what to write.
        prepared: what `prepare_rows` made of its rows; None = not done yet.
        at_work: told when the database is at work on the rows (True), and when it waits for our
            next word again (False).

    Raises:
        StoreUnavailableError: nothing of the batch was kept; try again later.
        StoreRefusesError: nothing of it was kept, and it never will be as it is.
    """
    facts = await _facts_for(db, batch.rows)
    ready = prepare_rows(db, batch.rows, facts) if prepared is None else prepared
    days = distinct(ready.rows["ts"] // US_PER_DAY).tolist()
    for attempt in range(_ATTEMPTS):
        await ensure_partitions(db, days)
        try:
            return await _try(db, batch, ready, facts, at_work)
        except StoreBusyError:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - jitter, not a secret
        except _KeysKnownError:
            db.meets_known = True
        except asyncpg.CheckViolationError as error:  # a partition was dropped behind our back
            if attempt == _ATTEMPTS - 1:
                raise refusal(error) from error
            db.known_partitions.clear()
        except asyncpg.IntegrityConstraintViolationError as error:
            raise refusal(error) from error
    raise AssertionError("unreachable")


class _KeysKnownError(Exception):
    """The fast way met stored keys."""


async def _try(
    db: Database,
    batch: IngestBatch,
    ready: Prepared,
    facts: CircuitFacts,
    at_work: AtWork | None,
) -> IngestOutcome:
    detour = ready.again is not None or db.meets_known
    try:
        async with db.transaction() as connection:
            work = _Work(connection, db, batch, ready, facts, at_work)
            outcome = await work.write(detour=detour)
    except StoreUnavailableError:
        if db.behind is not None:
            db.behind.in_doubt = True
        raise
    except asyncpg.UniqueViolationError as error:
        if detour:
            raise
        raise _KeysKnownError from error
    work.note_newest()
    if detour and ready.again is None:
        db.meets_known = outcome.duplicates + outcome.revisions > 0
    return outcome


def known_facts(db: Database, rows: Readings) -> CircuitFacts | None:
    """What is known of the rows' circuits; None = one of them is new."""
    return db.facts if db.facts is not None and db.facts.knows(rows["circuit"]) else None


async def _facts_for(db: Database, rows: Readings) -> CircuitFacts:
    if known_facts(db, rows) is None:
        db.facts = await circuit_facts(db)
    if (facts := known_facts(db, rows)) is None:
        raise ValueError("a reading's circuit is not in the registry of this database")
    return facts


@dataclass
class _Work:
    """One try to write a batch, inside its transaction."""

    connection: Connection
    db: Database
    batch: IngestBatch
    ready: Prepared
    facts: CircuitFacts
    at_work: AtWork | None
    _note: Callable[[], None] | None = None

    async def write(self, *, detour: bool) -> IngestOutcome:
        """Everything; the caller commits."""
        connection, batch, rows = self.connection, self.batch, self.ready.rows
        inserted, revised = rows, Counter[tuple[int, int]]()
        self._tell(at_work=True)
        if len(rows) and detour:
            inserted, revised = await _detour(connection, rows, self.ready.again, self.db.steps)
        elif len(rows):
            payload = self.ready.payload or copy_payload(rows, self.db.steps)
            await copy_rows(connection, "readings", payload)
        self._tell(at_work=False)
        traces = self.ready.traces
        if inserted is not rows:
            traces = Traces.of(inserted, self.facts, self.db.zone)
        if len(inserted):
            await self._mark_behind(traces)
        counts = DayCounts(self.db.zone)
        reasons = await keep_pieces(connection, batch, counts)
        await keep_odd_epochs(connection, batch)
        await take_aside(connection, batch.taken_aside)
        await keep_aside(connection, batch.aside)
        if batch.from_gateways:
            counts.receive(self.ready.traces.traffic, fresh=is_fresh(batch))
            counts.store(traces.traffic)
            counts.revise(revised, self.facts)
            await counts.save_reasons(connection)
        await connection.execute(
            statements("readings")["leave_marks"],
            *traces.days,
            *traces.hours,
            *(counts.columns if batch.from_gateways else _NO_COUNTS),
            *epoch_columns(batch),
        )
        stored, revisions, rejected = len(inserted), revised.total(), sum(reasons.values())
        return IngestOutcome(
            received=batch.received,
            stored=stored,
            revisions=revisions,
            duplicates=batch.received - stored - revisions - rejected,
            reasons=reasons,
        )

    def _tell(self, *, at_work: bool) -> None:
        if self.at_work is not None:
            self.at_work(at_work)

    def note_newest(self) -> None:
        """The batch is committed: its newest values wait to be written."""
        if self._note is not None:
            self._note()

    async def _mark_behind(self, traces: Traces) -> None:
        """Newest values, by the rows that are stored now and by no others."""
        behind, connection = self.db.behind, self.connection
        if behind is None:
            await traces.newest.write(connection)
            return
        mark = None
        if len(unmarked := behind.unmarked(traces.newest)):
            mark = await connection.fetchval(
                statements("readings")["mark_behind"], behind.writer, written(unmarked)
            )
        self._note = partial(behind.note, traces.newest, mark, traces.days)


async def _detour(
    connection: Connection,
    rows: Readings,
    again: NDArray[np.bool_] | None,
    steps: Steps,
) -> tuple[Readings, Counter[tuple[int, int]]]:
    """The rows that are stored now, and the revisions per circuit key and receipt [µs]."""
    sql = statements("readings")
    await connection.execute(sql["stage"])
    first = rows if again is None else rows[~again]
    await copy_rows(connection, "staged", copy_payload(first, steps, staged=True))
    (found,) = await connection.fetch(sql["insert_staged"])
    new = set(zip(found["keys"] or (), found["instants_us"] or (), strict=True))
    if again is not None:  # the batch itself says two things about one instant: the first counts
        await copy_rows(connection, "staged", copy_payload(rows[again], steps, staged=True))
    span = from_us(rows["ts"].min()), from_us(rows["ts"].max())
    noted = {
        (r["circuit_key"], NEVER if r["received_at"] is None else to_us(r["received_at"])): r["n"]
        for r in await connection.fetch(sql["note_revisions"], *span)
    }
    await connection.execute(sql["unstage"])
    keys = zip(first["circuit"].tolist(), first["ts"].tolist(), strict=True)
    is_new = np.fromiter((key in new for key in keys), dtype=np.bool_, count=len(first))
    return first[is_new], Counter(noted)
