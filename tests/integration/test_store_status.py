"""`wattwitness db status`, for people and as JSON, on every kind of database."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np

from wattwitness.commands.db_status import described, recorded
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_MINUTE, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store.database import Database
from wattwitness.store.maintenance import maintain
from wattwitness.store.mode import Mode
from wattwitness.store.overview import database_status
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.retention import Retention
from wattwitness.store.storage_status import storage_status

NOW = datetime.now(UTC)


async def fill(db, days=12):
    registry = Registry(
        enterprises={"E1": Enterprise(enterprise_id="E1", name="x")},
        gateways={"G1": Gateway(gateway_id="G1", enterprise_id="E1")},
        circuits={"C1": Circuit(circuit_id="C1", gateway_id="G1", channel="P", role=Role.MAIN)},
    )
    await save_registry(db, registry)
    (key,) = (await load_registry(db)).circuit_keys.values()
    rows = empty_readings(days * 1440)
    rows["circuit"], rows["p_kw"] = key, 1.5
    rows["ts"] = to_us(NOW - timedelta(days=days)) + np.arange(len(rows)) * US_PER_MINUTE
    await write_batch(db, IngestBatch(rows=rows))


async def look(db, raw_days=0, now=NOW):
    retention = Retention(raw_days=raw_days)
    return await database_status(db), await storage_status(db, retention, now)


async def test_before_and_after_maintenance(any_db):
    await fill(any_db)
    status, storage = await look(any_db)
    assert storage.last_run is None
    assert "maintenance has never run" in storage.overdue[0]
    assert storage.dirty_hours + storage.touched_batches > 0
    await maintain(any_db, NOW)
    status, storage = await look(any_db)
    assert storage.overdue == []
    assert storage.last_run.error is None
    assert status.bytes > storage.readings_bytes > 0
    lines = "\n".join(described(status, storage))
    for words in ("mode", "PostgreSQL", "migrations      up to date", "readings", "rollups",
                  "oldest", "newest", "dirty hours", "kept for ever", "last run"):  # fmt: skip
        assert words in lines, words
    written = json.loads(json.dumps(recorded(status, storage)))
    assert written["mode"] == any_db.mode.value
    assert written["overdue"] == []
    if any_db.mode is Mode.TIMESCALE_FULL:
        assert storage.compression.compressed > 2
        assert 0 < storage.compression.bytes_per_reading < 300
        assert written["compression"]["ratio"] > 0
        assert "became" in lines
        assert "compress _timescaledb_internal" in lines
        assert written["last_steps"][0]["step"] == "compress"


async def test_what_is_overdue_is_told(any_db):
    await fill(any_db)
    await maintain(any_db, NOW)
    _, storage = await look(any_db, 3, NOW + timedelta(days=30))
    told = " | ".join(storage.overdue)
    assert "maintenance last ran" in told
    assert "past keeping" in told
    if any_db.mode is Mode.TIMESCALE_FULL:
        assert "chunks of readings wait to be compressed" in told
    else:
        assert "no partition for tomorrow" in told


async def test_before_the_first_upgrade(database_url):
    async with await Database.open(database_url) as db:
        status = await database_status(db)
        lines = list(described(status, None))
        assert any("pending: wattwitness db upgrade" in line for line in lines)
        assert recorded(status, None)["pending_migrations"] == status.pending_migrations
