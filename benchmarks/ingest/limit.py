"""The limit: PostgreSQL alone takes the same rows, in as large batches, by binary COPY."""

import json
import time

import numpy as np

from benchmarks.ingest.load import Load
from benchmarks.ingest.stage import Stage
from wattwitness.domain.instants import US_PER_DAY
from wattwitness.domain.readings import Readings, empty_readings, sort_readings
from wattwitness.store.database import Database
from wattwitness.store.partitions import ensure_partitions
from wattwitness.store.preparing import copy_payload, copy_rows


def rows_of(load: Load, keys: dict[str, int]) -> Readings:
    """The readings of all messages, as the collector would store them [rows]."""
    rows = empty_readings(load.rows)
    at = 0
    for k in range(load.messages):
        gateway = load.city.gateway(k % load.city.gateways)
        message = json.loads(load.payload(k))
        for r in message["readings"]:
            row = rows[at]
            row["circuit"] = keys[f"{gateway}-C{int(r['ch'][1:])}"]
            row["ts"] = r["ts"] * 1000
            row["received_at"] = message["sent"] * 1000
            row["p_kw"], row["e_kwh"], row["q_kvar"] = r["p"], r["e"], r["q"]
            row["u_a"], row["u_b"], row["u_c"] = r["u"]
            row["i_a"], row["i_b"], row["i_c"] = r["i"]
            row["pf"] = r["pf"]
            at += 1
    return rows


async def copy_alone(stage: Stage, load: Load, batch: int) -> tuple[float, float]:
    """Seconds of wall time and of PostgreSQL's CPU; encoding is done before the clock starts."""
    async with await Database.open(stage.dsn, application="ingest-limit") as db:
        async with db.connection() as connection:
            found = await connection.fetch("SELECT circuit_id, circuit_key FROM circuits")
        rows = rows_of(load, {row["circuit_id"]: row["circuit_key"] for row in found})
        await ensure_partitions(db, np.unique(rows["ts"] // US_PER_DAY).tolist())
        parts = [sort_readings(rows[at : at + batch]) for at in range(0, len(rows), batch)]
        payloads = [copy_payload(part, db.steps) for part in parts]
        before, start_s = stage.cost(), time.perf_counter()
        for payload in payloads:
            async with db.transaction() as connection:
                await copy_rows(connection, "readings", payload)
        took_s = time.perf_counter() - start_s
        return took_s, (stage.cost() - before).postgres
