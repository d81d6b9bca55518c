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
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.errors import StoreBusyError, StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.instants import US_PER_DAY, US_PER_SECOND, from_us, to_us
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings, sort_readings
from wattwitness.store.behind import Newest, written
from wattwitness.store.circuit_facts import CircuitFacts, circuit_facts
from wattwitness.store.copy_format import PG_EPOCH_US, encode
from wattwitness.store.database import Database
from wattwitness.store.epochs import keep_epochs
from wattwitness.store.forms import Steps, shorten
from wattwitness.store.gateway_days import DayCounts
from wattwitness.store.local_days import enterprise_days, group_hours
from wattwitness.store.mode import Connection
from wattwitness.store.partitions import ensure_partitions
from wattwitness.store.pieces import is_fresh, keep_pieces
from wattwitness.store.scales import STORED
from wattwitness.store.set_aside import keep_aside, take_aside
from wattwitness.store.statements import statements
from wattwitness.store.translation import refusal

_COLUMNS = (
    "circuit_key", "ts", *(STORED[m][0] for m in MEASURANDS), "form", "delay_s", "received_at",
)  # fmt: skip
_ATTEMPTS = 5
_MOST_DELAY_S = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows on their way into the table."""

    rows: Readings  # in (circuit, ts) order
    again: NDArray[np.bool_] | None  # rows with the key of the row before; None = there are none
    payload: bytes | None  # for the fast way


def prepare_rows(db: Database, rows: Readings) -> Prepared:
    """Sort and encode: all the work on rows that needs no connection."""
    rows = sort_readings(rows)
    again = _same_key_as_before(rows)
    if again.any() or db.meets_known:
        return Prepared(rows, again if again.any() else None, None)
    return Prepared(rows, None, copy_payload(rows, db.steps))


async def write_batch(
    db: Database, batch: IngestBatch, prepared: Prepared | None = None
) -> IngestOutcome:
    """Commit a batch whole; returns only when it is durable.

    Safe to repeat: what is stored already is counted as duplicate.

    Args:
        db: the database.
        batch: what to write.
        prepared: what `prepare_rows` made of its rows; None = not done yet.

    Raises:
        StoreUnavailableError: nothing of the batch was kept; try again later.
        StoreRefusesError: nothing of it was kept, and it never will be as it is.
    """
    facts = await _facts_for(db, batch.rows)
    ready = prepare_rows(db, batch.rows) if prepared is None else prepared
    for attempt in range(_ATTEMPTS):
        await ensure_partitions(db, np.unique(ready.rows["ts"] // US_PER_DAY).tolist())
        try:
            return await _try(db, batch, ready, facts)
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
    db: Database, batch: IngestBatch, ready: Prepared, facts: CircuitFacts
) -> IngestOutcome:
    detour = ready.again is not None or db.meets_known
    try:
        async with db.transaction() as connection:
            work = _Work(connection, db, batch, ready, facts)
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


async def _facts_for(db: Database, rows: Readings) -> CircuitFacts:
    if db.facts is None or not db.facts.knows(rows["circuit"]):
        db.facts = await circuit_facts(db)
    if not db.facts.knows(rows["circuit"]):
        raise ValueError("a reading's circuit is not in the registry of this database")
    return db.facts


@dataclass
class _Work:
    """One try to write a batch, inside its transaction."""

    connection: Connection
    db: Database
    batch: IngestBatch
    ready: Prepared
    facts: CircuitFacts
    _note: Callable[[], None] | None = None

    async def write(self, *, detour: bool) -> IngestOutcome:
        """Everything; the caller commits."""
        connection, batch, rows = self.connection, self.batch, self.ready.rows
        inserted, revised = rows, Counter[tuple[int, int]]()
        if len(rows) and detour:
            inserted, revised = await _detour(connection, rows, self.ready.again, self.db.steps)
        elif len(rows):
            payload = self.ready.payload or copy_payload(rows, self.db.steps)
            await copy_rows(connection, "readings", payload)
        if len(inserted):
            await self._after_rows(inserted)
        counts = DayCounts(self.db.zone)
        reasons = await keep_pieces(connection, batch, counts)
        await keep_epochs(connection, batch)
        await take_aside(connection, batch.taken_aside)
        await keep_aside(connection, batch.aside)
        if batch.from_gateways:
            counts.receive(rows, self.facts, fresh=is_fresh(batch))
            counts.store(inserted, self.facts)
            counts.revise(revised, self.facts)
            await counts.save(connection)
        stored, revisions, rejected = len(inserted), revised.total(), sum(reasons.values())
        return IngestOutcome(
            received=batch.received,
            stored=stored,
            revisions=revisions,
            duplicates=batch.received - stored - revisions - rejected,
            reasons=reasons,
        )

    def note_newest(self) -> None:
        """The batch is committed: its newest values wait to be written."""
        if self._note is not None:
            self._note()

    async def _after_rows(self, rows: Readings) -> None:
        """Newest values and touched days, by the rows that are stored now and by no others."""
        sql, db, connection = statements("readings"), self.db, self.connection
        days = enterprise_days(rows, self.facts.enterprise, db.zone)
        await connection.execute(sql["mark_data_days"], *days)
        await connection.execute(sql["mark_dirty_days"], *days)
        await connection.execute(statements("rollups")["touch"], *group_hours(rows))
        newest = Newest.of(rows)
        behind = db.behind
        if behind is None:
            await newest.write(connection)
            return
        mark = None
        if len(unmarked := behind.unmarked(newest)):
            mark = await connection.fetchval(sql["mark_behind"], behind.writer, written(unmarked))
        self._note = partial(behind.note, newest, mark, days)


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


def _same_key_as_before(rows: Readings) -> NDArray[np.bool_]:
    keys, ts = rows["circuit"], rows["ts"]
    return np.concatenate(([False], (keys[1:] == keys[:-1]) & (ts[1:] == ts[:-1])))


def copy_payload(rows: Readings, steps: Steps, *, staged: bool = False) -> bytes:
    """Rows → COPY payload; staged rows keep the instant of their receipt beside its delay."""
    form, stored = shorten(rows, steps)
    nothing = np.zeros(len(rows))
    unknown = rows["received_at"] == NEVER
    delay_s = (rows["received_at"] - rows["ts"]) // US_PER_SECOND
    odd = unknown | (np.abs(delay_s) > _MOST_DELAY_S)
    columns: list[tuple[str, str, NDArray[np.generic]]] = [
        ("circuit_key", ">i4", rows["circuit"]),
        ("ts", ">i8", rows["ts"] - PG_EPOCH_US),
        *((STORED[m][0], STORED[m][1], stored.get(m, nothing)) for m in MEASURANDS),
        ("form", ">i2", form),
        ("delay_s", ">i4", delay_s),
        ("received_at", ">i8", rows["received_at"] - PG_EPOCH_US),
    ]
    nulls = {STORED[m][0]: np.isnan(rows[m]) for m in MEASURANDS}
    nulls["delay_s"] = odd
    nulls["received_at"] = unknown if staged else unknown | ~odd
    return encode(columns, nulls)


async def copy_rows(connection: Connection, table: str, payload: bytes) -> None:
    """COPY encoded rows into a table with the columns of `readings`."""
    # As one buffer: handed over in pieces, asyncpg 0.32 waits for room on the connection without
    # any time limit, and goes on waiting when the connection has ended.
    buffer: Any = memoryview(payload)  # taken as one, though the stubs do not say so
    await connection.copy_to_table(table, source=buffer, columns=_COLUMNS, format="binary")
