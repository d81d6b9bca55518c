"""Rows on their way into the table: sorted, encoded, and what they leave in other tables."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wattwitness.domain.instants import US_PER_SECOND
from wattwitness.domain.readings import MEASURANDS, NEVER, Readings
from wattwitness.store.circuit_facts import CircuitFacts
from wattwitness.store.copy_format import PG_EPOCH_US, SIGNATURE, TRAILER, encode_rows
from wattwitness.store.database import Database
from wattwitness.store.forms import Steps, shorten
from wattwitness.store.mode import Connection
from wattwitness.store.scales import STORED
from wattwitness.store.traces import Traces

_COLUMNS = (
    "circuit_key", "ts", *(STORED[m][0] for m in MEASURANDS), "form", "delay_s", "received_at",
)  # fmt: skip
_MOST_DELAY_S = np.iinfo(np.int32).max - 2  # two are used in reading (`sent_rows`)
_MOST_MIXED = 2**62
_ENCODED_AT_ONCE = 6000  # rows: with all that is made of them, they fit into a core's own cache


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows on their way into the table."""

    rows: Readings  # in (circuit, ts) order
    again: NDArray[np.bool_] | None  # rows with the key of the row before; None = there are none
    payload: bytes | None  # for the fast way
    traces: Traces  # of all the rows


def prepare_rows(db: Database, rows: Readings, facts: CircuitFacts) -> Prepared:
    """All the work on rows that needs no connection; may be done in another thread."""
    rows, again = _sorted(rows)
    payload = None if again is not None or db.meets_known else copy_payload(rows, db.steps)
    return Prepared(rows, again, payload, Traces.of(rows, facts, db.zone))


def _sorted(rows: Readings) -> tuple[Readings, NDArray[np.bool_] | None]:
    """In (circuit, ts) order, equal keys in their order of arrival; and which have a key again."""
    ts, circuit = rows["ts"], rows["circuit"].astype(np.int64)
    if not len(rows):
        return rows, None
    first, span = int(ts.min()), int(ts.max()) - int(ts.min()) + 1
    if int(circuit.max() + 1) * span < _MOST_MIXED:  # one number sorts four times as fast as two
        order = np.argsort(circuit * span + (ts - first), kind="stable")
    else:
        order = np.lexsort((ts, circuit))
    rows = rows.take(order)
    again = _same_key_as_before(rows)
    return rows, again if again.any() else None


def _same_key_as_before(rows: Readings) -> NDArray[np.bool_]:
    keys, ts = rows["circuit"], rows["ts"]
    return np.concatenate(([False], (keys[1:] == keys[:-1]) & (ts[1:] == ts[:-1])))


def copy_payload(rows: Readings, steps: Steps, *, staged: bool = False) -> bytes:
    """Rows → COPY payload; staged rows keep the instant of their receipt beside its delay."""
    parts = (
        _encoded(rows[start : start + _ENCODED_AT_ONCE], steps, staged=staged)
        for start in range(0, len(rows), _ENCODED_AT_ONCE)
    )
    return b"".join((SIGNATURE, *parts, TRAILER))


def _encoded(rows: Readings, steps: Steps, *, staged: bool) -> bytes:
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
    return encode_rows(columns, nulls)


async def copy_rows(connection: Connection, table: str, payload: bytes) -> None:
    """COPY encoded rows into a table with the columns of `readings`."""
    # As one buffer: handed over in pieces, asyncpg 0.32 waits for room on the connection without
    # any time limit, and goes on waiting when the connection has ended.
    buffer: Any = memoryview(payload)  # taken as one, though the stubs do not say so
    await connection.copy_to_table(table, source=buffer, columns=_COLUMNS, format="binary")
