"""Writing readings: one transaction per batch, durable when it returns, idempotent on its key.

The fast way is binary COPY straight into the table. Only a batch that meets a stored key takes the
detour through a staging table, where duplicates are left out and different values are noted as
revisions.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import asyncpg
import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.errors import StoreBusyError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.instants import US_PER_DAY, from_us
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings, sort_readings
from wattwitness.store.circuit_facts import CircuitFacts, circuit_facts
from wattwitness.store.copy_format import PG_EPOCH_US, encode
from wattwitness.store.database import Database
from wattwitness.store.epochs import keep_epochs
from wattwitness.store.gateways import count_day
from wattwitness.store.local_days import enterprise_days
from wattwitness.store.mode import Connection
from wattwitness.store.parked import keep_parked, remove_parked
from wattwitness.store.partitions import ensure_partitions
from wattwitness.store.rejects import keep_rejects
from wattwitness.store.scales import STORED, to_counts
from wattwitness.store.statements import statements
from wattwitness.store.translation import translated

_COLUMNS = ("circuit_key", "ts", *(STORED[m][0] for m in MEASURANDS), "resent", "received_at")
_ATTEMPTS = 5


async def write_batch(db: Database, batch: IngestBatch) -> IngestOutcome:
    """Commit a batch whole; returns only when it is durable.

    Safe to repeat: what is stored already is counted as duplicate.

    Raises:
        StoreUnavailableError: nothing of the batch was kept; try again later.
    """
    facts = await _facts_for(db, batch.rows)
    rows = sort_readings(batch.rows)
    for attempt in range(_ATTEMPTS):
        await ensure_partitions(db, np.unique(rows["ts"] // US_PER_DAY).tolist())
        try:
            async with translated(), db.pool.acquire() as connection, connection.transaction():
                return await _write(connection, db, batch, rows, facts)
        except StoreBusyError:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - jitter, not a secret
        except asyncpg.CheckViolationError:  # a partition was dropped behind our back
            if attempt == _ATTEMPTS - 1:
                raise
            db.known_partitions.clear()
    raise AssertionError("unreachable")


async def _facts_for(db: Database, rows: Readings) -> CircuitFacts:
    if db.facts is None or not db.facts.knows(rows["circuit"]):
        db.facts = await circuit_facts(db)
    if not db.facts.knows(rows["circuit"]):
        raise ValueError("a reading's circuit is not in the registry of this database")
    return db.facts


async def _write(
    connection: Connection,
    db: Database,
    batch: IngestBatch,
    rows: Readings,
    facts: CircuitFacts,
) -> IngestOutcome:
    inserted, revised = rows, Counter[int]()
    if len(rows):
        inserted, revised = await _store_rows(connection, rows)
    if len(inserted):
        await _after_rows(connection, db, inserted, facts)
    await remove_parked(connection, batch.taken_parked)
    rejected = await keep_rejects(connection, batch.rejects)
    parked = await keep_parked(connection, batch.parked)
    await keep_epochs(connection, batch.epochs)
    if batch.from_gateways:
        received = _received(batch, facts)
        stored = _per_gateway(_tally(inserted["circuit"]), facts)
        revisions = _per_gateway(revised, facts)
        await count_day(connection, received, stored, revisions, rejected, parked)
    fates = {
        "stored": len(inserted),
        "revisions": revised.total(),
        "rejected": rejected.total(),
        "parked": parked.total(),
    }
    n_received = len(rows) + len(batch.rejects) + sum(p.readings for p in batch.parked)
    duplicates = n_received - sum(fates.values())
    return IngestOutcome(received=n_received, duplicates=duplicates, **fates)


async def _store_rows(connection: Connection, rows: Readings) -> tuple[Readings, Counter[int]]:
    """The rows that are stored now, and the revisions per circuit key."""
    again = _same_key_as_before(rows)
    payload = _payload(rows)
    if not again.any():
        try:
            async with connection.transaction():
                await _copy(connection, "readings", payload)
        except asyncpg.UniqueViolationError:
            pass
        else:
            return rows, Counter()
    return await _detour(connection, rows, again, payload)


async def _detour(
    connection: Connection,
    rows: Readings,
    again: NDArray[np.bool_],
    payload: bytes,
) -> tuple[Readings, Counter[int]]:
    sql = statements("readings")
    await connection.execute(sql["stage"])
    first = rows if not again.any() else rows[~again]
    await _copy(connection, "staged", payload if first is rows else _payload(first))
    new = {(r["circuit_key"], r["ts_us"]) for r in await connection.fetch(sql["insert_staged"])}
    if again.any():  # the batch itself says two things about one instant: the first one counts
        await _copy(connection, "staged", _payload(rows[again]))
    noted = {r["circuit_key"]: r["n"] for r in await connection.fetch(sql["note_revisions"])}
    await connection.execute("DROP TABLE staged")
    keys = zip(first["circuit"].tolist(), first["ts"].tolist(), strict=True)
    is_new = np.fromiter((key in new for key in keys), dtype=np.bool_, count=len(first))
    return first[is_new], Counter(noted)


def _same_key_as_before(rows: Readings) -> NDArray[np.bool_]:
    keys, ts = rows["circuit"], rows["ts"]
    return np.concatenate(([False], (keys[1:] == keys[:-1]) & (ts[1:] == ts[:-1])))


def _tally(keys: NDArray[np.int32]) -> dict[int, int]:
    found, counts = np.unique(keys, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _payload(rows: Readings) -> bytes:
    counts = to_counts(rows)
    columns: list[tuple[str, str, NDArray[np.generic]]] = [
        ("circuit_key", ">i4", rows["circuit"]),
        ("ts", ">i8", rows["ts"] - PG_EPOCH_US),
        *((STORED[m][0], STORED[m][1], counts[m]) for m in MEASURANDS),
        ("resent", ">i1", rows["resent"]),
        ("received_at", ">i8", rows["received_at"] - PG_EPOCH_US),
    ]
    nulls = {STORED[m][0]: np.isnan(rows[m]) for m in MEASURANDS}
    nulls["received_at"] = rows["received_at"] == NEVER
    return encode(columns, nulls)


async def _copy(connection: Connection, table: str, payload: bytes) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield payload

    await connection.copy_to_table(table, source=source(), columns=_COLUMNS, format="binary")


async def _after_rows(
    connection: Connection, db: Database, rows: Readings, facts: CircuitFacts
) -> None:
    """Newest values and touched days, by the rows that are stored now and by no others."""
    sql = statements("readings")
    starts = np.flatnonzero(np.diff(rows["circuit"], prepend=-1))
    ends = np.concatenate((starts[1:], [len(rows)])) - 1
    counts = to_counts(rows[ends])["p_kw"]
    await connection.execute(
        sql["update_latest"],
        rows["circuit"][starts].tolist(),
        [from_us(us) for us in rows["ts"][starts]],
        [from_us(us) for us in rows["ts"][ends]],
        [None if np.isnan(p) else int(n) for p, n in zip(rows["p_kw"][ends], counts, strict=True)],
        [None if us == NEVER else from_us(us) for us in rows["received_at"][ends]],
    )
    enterprises, days = enterprise_days(rows, facts.enterprise, db.zone)
    await connection.execute(sql["mark_data_days"], enterprises, days)
    await connection.execute(sql["mark_dirty_days"], enterprises, days)


def _received(batch: IngestBatch, facts: CircuitFacts) -> Counter[str | None]:
    """Readings that came, per gateway; of a message that was refused whole, one."""
    received = _per_gateway(_tally(batch.rows["circuit"]), facts)
    received.update(reject.gateway_id for reject in batch.rejects)
    for item in batch.parked:
        received[item.gateway_id] += item.readings
    return received


def _per_gateway(counts: Mapping[int, int], facts: CircuitFacts) -> Counter[str | None]:
    found: Counter[str | None] = Counter()
    for key, n in counts.items():
        found[facts.gateway_ids[int(facts.gateway[key])]] += n
    return found
