"""Writing readings: one transaction per batch, durable when it returns, idempotent on its key.

The fast way is binary COPY straight into the table. Only a batch that meets a stored key takes the
detour through a staging table, where duplicates are left out and different values are noted as
revisions.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg
import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.errors import StoreBusyError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.instants import US_PER_DAY, from_us
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings, sort_readings
from wattwitness.store.copy_format import PG_EPOCH_US, encode
from wattwitness.store.database import Database, translated
from wattwitness.store.local_days import enterprise_days
from wattwitness.store.mode import Connection
from wattwitness.store.partitions import ensure_partitions
from wattwitness.store.quanta import STORED, CircuitFacts, circuit_facts, to_counts
from wattwitness.store.statements import statements

_COLUMNS = ("circuit_key", "ts", *(STORED[m][0] for m in MEASURANDS), "resent", "received_at")
_ATTEMPTS = 5
_Counts = Mapping[int, int]  # circuit key → how many


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
    stored: _Counts = {}
    revised: _Counts = {}
    if len(rows):
        stored, revised = await _store_rows(connection, rows, facts)
        await _after_rows(connection, db, rows, facts, stored)
    await _keep_the_rest(connection, batch)
    if batch.from_gateways:
        await _count(connection, batch, facts, stored, revised)
    n_stored, n_revised = sum(stored.values()), sum(revised.values())
    n_parked = sum(p.readings for p in batch.parked)
    return IngestOutcome(
        received=len(rows) + len(batch.rejects) + n_parked,
        stored=n_stored,
        duplicates=len(rows) - n_stored - n_revised,
        revisions=n_revised,
        rejected=len(batch.rejects),
        parked=n_parked,
    )


async def _store_rows(
    connection: Connection, rows: Readings, facts: CircuitFacts
) -> tuple[_Counts, _Counts]:
    keys, ts = rows["circuit"], rows["ts"]
    unique = not bool(((keys[1:] == keys[:-1]) & (ts[1:] == ts[:-1])).any())
    payload = _payload(rows, facts)
    if unique:
        try:
            async with connection.transaction():
                await _copy(connection, "readings", payload)
        except asyncpg.UniqueViolationError:
            pass
        else:
            return _tally(keys), {}
    return await _detour(connection, rows, facts, payload)


async def _detour(
    connection: Connection, rows: Readings, facts: CircuitFacts, payload: bytes
) -> tuple[_Counts, _Counts]:
    sql = statements("readings")
    await connection.execute(sql["stage"])
    keys, ts = rows["circuit"], rows["ts"]
    again = np.concatenate(([False], (keys[1:] == keys[:-1]) & (ts[1:] == ts[:-1])))
    first_payload = payload if not again.any() else _payload(rows[~again], facts)
    await _copy(connection, "staged", first_payload)
    stored = {r["circuit_key"]: r["n"] for r in await connection.fetch(sql["insert_staged"])}
    if again.any():  # the batch itself says two things about one instant: the first one counts
        await _copy(connection, "staged", _payload(rows[again], facts))
    revised = {r["circuit_key"]: r["n"] for r in await connection.fetch(sql["note_revisions"])}
    await connection.execute("DROP TABLE staged")
    return stored, revised


def _tally(keys: NDArray[np.int32]) -> _Counts:
    found, counts = np.unique(keys, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _payload(rows: Readings, facts: CircuitFacts) -> bytes:
    counts = to_counts(rows, facts)
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
    connection: Connection,
    db: Database,
    rows: Readings,
    facts: CircuitFacts,
    stored: _Counts,
) -> None:
    if not stored:
        return
    sql = statements("readings")
    starts = np.flatnonzero(np.diff(rows["circuit"], prepend=-1))
    ends = np.concatenate((starts[1:], [len(rows)])) - 1
    counts = to_counts(rows[ends], facts)["p_kw"]
    await connection.execute(
        sql["update_latest"],
        rows["circuit"][starts].tolist(),
        [from_us(us) for us in rows["ts"][starts]],
        [from_us(us) for us in rows["ts"][ends]],
        [None if np.isnan(p) else int(n) for p, n in zip(rows["p_kw"][ends], counts, strict=True)],
        [None if us == NEVER else from_us(us) for us in rows["received_at"][ends]],
    )
    changed = rows[np.isin(rows["circuit"], np.fromiter(stored, dtype=np.int32))]
    enterprises, days = enterprise_days(changed, facts.enterprise, db.zone)
    await connection.execute(sql["mark_data_days"], enterprises, days)
    await connection.execute(sql["mark_dirty_days"], enterprises, days)


async def _keep_the_rest(connection: Connection, batch: IngestBatch) -> None:
    sql = statements("readings")
    if batch.rejects:
        rejects = batch.rejects
        await connection.execute(
            sql["keep_rejects"],
            [from_us(r.received_us) for r in rejects],
            [r.gateway_id for r in rejects],
            [r.code.value for r in rejects],
            [r.text for r in rejects],
            [r.index for r in rejects],
            [r.payload for r in rejects],
        )
    if batch.parked:
        parked = batch.parked
        await connection.execute(
            sql["keep_parked"],
            [from_us(p.received_us) for p in parked],
            [p.gateway_id for p in parked],
            [p.channel for p in parked],
            [p.readings for p in parked],
            [p.payload for p in parked],
        )
    if batch.epochs:
        marks = sorted(batch.epochs.items())
        await connection.execute(
            sql["keep_epochs"],
            [gateway for (gateway, _), _ in marks],
            [epoch for (_, epoch), _ in marks],
            [seq for _, seq in marks],
        )


async def _count(
    connection: Connection,
    batch: IngestBatch,
    facts: CircuitFacts,
    stored: _Counts,
    revised: _Counts,
) -> None:
    """Add to the gateways' day counts; duplicates are what is left of the received rows."""
    received: Counter[str] = Counter()
    columns: dict[str, Counter[str]] = {
        name: Counter() for name in ("stored", "revision", "rejected", "parked")
    }

    def gateway(key: int) -> str:
        return facts.gateway_ids[int(facts.gateway[key])]

    outcomes = (
        (_tally(batch.rows["circuit"]), received),
        (stored, columns["stored"]),
        (revised, columns["revision"]),
    )
    for counts, column in outcomes:
        for key, n in counts.items():
            column[gateway(key)] += n
    rows = Counter(received)
    for reject in batch.rejects:
        if reject.gateway_id:
            received[reject.gateway_id] += 1
            columns["rejected"][reject.gateway_id] += 1
    for item in batch.parked:
        received[item.gateway_id] += item.readings
        columns["parked"][item.gateway_id] += item.readings
    names: Sequence[str] = sorted(received)
    duplicate = [rows[g] - columns["stored"][g] - columns["revision"][g] for g in names]
    await connection.execute(
        statements("readings")["count_gateway_day"],
        names,
        [received[g] for g in names],
        [columns["stored"][g] for g in names],
        duplicate,
        [columns["revision"][g] for g in names],
        [columns["rejected"][g] for g in names],
        [columns["parked"][g] for g in names],
    )
