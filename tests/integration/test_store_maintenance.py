"""Maintenance: every step stands for itself and is written down; what is dropped stays findable."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import numpy as np
import pytest

from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.instants import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, to_us
from wattwitness.domain.quality import DayQuality
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store import columnstore, maintenance
from wattwitness.store.day_results import DayResults, list_quality, replace_day_results
from wattwitness.store.days import data_days
from wattwitness.store.maintenance import maintain
from wattwitness.store.maintenance_log import recent_steps
from wattwitness.store.mode import Mode
from wattwitness.store.readings import read_block, write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.retention import Retention, raw_from
from wattwitness.store.rollups import BUCKET_US, keep_rollups, load_rollups
from wattwitness.store.series import bands

NOW = datetime.now(UTC).replace(hour=13, minute=7, second=0, microsecond=0)
TODAY = NOW.replace(hour=0, minute=0)
CIRCUITS = 3


async def keys_of(db):
    registry = Registry(
        enterprises={"E1": Enterprise(enterprise_id="E1", name="x")},
        gateways={"G1": Gateway(gateway_id="G1", enterprise_id="E1")},
        circuits={
            f"C{c}": Circuit(
                circuit_id=f"C{c}", gateway_id="G1", channel=f"P{c}", role=Role.PRODUCTION
            )
            for c in range(CIRCUITS)
        },
    )
    await save_registry(db, registry)
    return sorted((await load_registry(db)).circuit_keys.values())


def days_of(keys, first, days, every_min=5):
    at = np.arange(0, days * 1440, every_min) * US_PER_MINUTE + to_us(first)
    rows = empty_readings(len(keys) * len(at))
    rows["circuit"] = np.repeat(keys, len(at))
    rows["ts"] = np.tile(at, len(keys))
    rows["p_kw"] = np.round(np.random.default_rng(2).uniform(0, 90, len(rows)), 1)
    rows["received_at"] = rows["ts"] + 2_000_000
    return rows


async def everything(db, keys):
    return await read_block(db, keys, 0, to_us(NOW) + US_PER_DAY)


async def only_full(db):
    if db.mode is not Mode.TIMESCALE_FULL:
        pytest.skip("there is no columnstore to look at in this mode")


async def test_chunks_are_converted_once_and_again_after_late_rows(any_db, monkeypatch):
    await only_full(any_db)
    keys = await keys_of(any_db)
    rows = days_of(keys, TODAY - timedelta(days=9), 10)
    late = np.arange(len(rows)) % 4 == 0
    await write_batch(any_db, IngestBatch(rows=rows[~late]))
    first = await maintain(any_db, NOW)
    assert {step.step for step in first.steps} == {"compress"}
    assert not first.failed
    assert all(step.bytes_after < step.bytes_before for step in first.steps)
    assert not (await maintain(any_db, NOW)).steps, "nothing to do"
    other = rows[~late][:50].copy()
    other["p_kw"] += 1
    outcome = await write_batch(any_db, IngestBatch(rows=np.concatenate((rows[late], other))))
    assert outcome == IngestOutcome(received=late.sum() + 50, stored=late.sum(), revisions=50)
    again = await write_batch(any_db, IngestBatch(rows=rows))
    assert again == IngestOutcome(received=len(rows), duplicates=len(rows))
    assert not (await maintain(any_db, NOW)).steps, "converted a moment ago: late rows gather first"
    monkeypatch.setattr(maintenance, "_AGAIN_AFTER", timedelta(0))
    second = await maintain(any_db, NOW)
    assert {step.step for step in second.steps} == {"recompress"}
    assert len(second.steps) == len(first.steps)
    assert not (await maintain(any_db, NOW)).steps
    back = await everything(any_db, keys)
    for name in ("circuit", "ts", "p_kw", "received_at"):
        np.testing.assert_array_equal(back[name], rows[name])
    logged = await recent_steps(any_db, 100)
    assert [s.object for s in logged[::-1] if s.step != "run"] == [
        s.object for report in (first, second) for s in report.steps
    ]


async def test_one_failure_stops_nothing_else(any_db, monkeypatch):
    await only_full(any_db)
    keys = await keys_of(any_db)
    await write_batch(any_db, IngestBatch(rows=days_of(keys, TODAY - timedelta(days=9), 6)))
    monkeypatch.setattr(maintenance, "_LOCK_TIMEOUT_MS", 200)
    async with any_db.connection() as connection:
        chunks = await columnstore_chunks(connection)
        holder = await asyncpg.connect(any_db.dsn)
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {chunks[0]} IN ACCESS SHARE MODE")
            await holder.execute(f"LOCK TABLE {chunks[0]} IN ROW EXCLUSIVE MODE")
            report = await maintain(any_db, NOW)
        await holder.close()
    assert [step.object for step in report.failed] == chunks[:1]
    assert "lock timeout" in report.failed[0].error
    assert report.compressed_chunks == len(chunks) - 1
    assert (await maintain(any_db, NOW)).compressed_chunks == 1, "taken up by the next run"


async def columnstore_chunks(connection):
    await columnstore.enable(connection, columnstore.READINGS)
    found = await columnstore.ripe_chunks(connection, columnstore.READINGS, NOW)
    return [chunk.name for chunk in found]


async def test_a_run_that_is_killed_leaves_nothing_behind(any_db, monkeypatch):
    await only_full(any_db)
    keys = await keys_of(any_db)
    rows = days_of(keys, TODAY - timedelta(days=9), 6)
    await write_batch(any_db, IngestBatch(rows=rows))
    begun = asyncio.Event()
    real = maintenance.convert

    async def slow(connection, name):
        begun.set()
        await connection.execute("SELECT pg_sleep(30)")
        await real(connection, name)

    monkeypatch.setattr(maintenance, "convert", slow)
    run = asyncio.create_task(maintain(any_db, NOW))
    await begun.wait()
    assert (await maintain(any_db, NOW)).elsewhere, "two never work at once"
    async with any_db.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'wattwitness-maintenance' AND datname = current_database()"
        )
    with pytest.raises(Exception, match="cannot be reached"):
        await run
    monkeypatch.undo()
    report = await maintain(any_db, NOW)
    assert not report.elsewhere
    assert report.compressed_chunks >= 3
    assert len(await everything(any_db, keys)) == len(rows)


async def test_old_readings_go_and_what_was_made_of_them_stays(any_db):
    keys = await keys_of(any_db)
    rows = days_of(keys, TODAY - timedelta(days=12), 12, every_min=15)
    await write_batch(any_db, IngestBatch(rows=rows))
    span = (int(rows["ts"].min()), int(rows["ts"].max()) + 1)
    before = await bands(any_db, keys, span[0], to_us(TODAY), US_PER_HOUR)
    retention = Retention(raw_days=5)
    assert not (await maintain(any_db, NOW, retention)).failed
    assert len(await everything(any_db, keys)) == len(rows), "rollups come first"
    assert await raw_from(any_db) is None
    while await keep_rollups(any_db, NOW):
        pass
    report = await maintain(any_db, NOW, retention)
    assert not report.failed
    assert {step.step for step in report.steps} >= {"drop"}
    floor = await raw_from(any_db)
    assert TODAY - timedelta(days=7) < floor <= TODAY - timedelta(days=5)
    left = await everything(any_db, keys)
    np.testing.assert_array_equal(left["ts"], rows["ts"][rows["ts"] >= to_us(floor)])
    after = await bands(any_db, keys, span[0], to_us(TODAY), US_PER_HOUR)
    for key in keys:
        np.testing.assert_array_equal(after[key].mean, before[key].mean)
    assert not (await maintain(any_db, NOW, retention)).failed


async def test_late_rows_for_dropped_days_spoil_nothing(any_db):
    """Whoever does not know yet what was dropped may still write there."""
    keys = await keys_of(any_db)
    rows = days_of(keys, TODAY - timedelta(days=12), 12, every_min=15)
    await write_batch(any_db, IngestBatch(rows=rows))
    while await keep_rollups(any_db, NOW):
        pass
    await maintain(any_db, NOW, Retention(raw_days=5))
    await write_batch(any_db, IngestBatch(rows=rows[:10]))
    while await keep_rollups(any_db, NOW):
        pass
    found = await load_rollups(
        any_db, keys[:1], int(rows["ts"][0]), int(rows["ts"][0]) + US_PER_DAY
    )
    assert len(found) == US_PER_DAY // BUCKET_US
    assert not (await maintain(any_db, NOW, Retention(raw_days=5))).failed
    floor = await raw_from(any_db)
    assert (await everything(any_db, keys))["ts"].min() == to_us(floor), "dropped again"


async def test_findings_of_dropped_days_are_not_wiped(any_db):
    keys = await keys_of(any_db)
    await write_batch(
        any_db, IngestBatch(rows=days_of(keys, TODAY - timedelta(days=12), 12, every_min=15))
    )
    days = await data_days(any_db, "E1")
    assert len(days) >= 12

    def quality(day, received):
        return DayResults(
            quality=[
                DayQuality(
                    circuit_id="C0", day=day, expected=96, received=received, valid=received,
                    in_time=received,
                )
            ]
        )  # fmt: skip

    await replace_day_results(any_db, "E1", {day: quality(day, 96) for day in days})
    while await keep_rollups(any_db, NOW):
        pass
    await maintain(any_db, NOW, Retention(raw_days=5))
    kept = await data_days(any_db, "E1")
    floor = await raw_from(any_db)
    assert kept[0] > floor.astimezone(any_db.zone).date() + timedelta(days=1)
    await replace_day_results(any_db, "E1", {day: quality(day, 1) for day in days})
    seen = {q.day: q.received for q in await list_quality(any_db, None, None, None)}
    assert seen == {day: 1 if day >= kept[0] else 96 for day in days}


async def test_rejects_and_counts_of_old_days_go(db):
    async with db.connection() as connection:
        for n, day in enumerate((date(2026, 1, 1), TODAY.date())):
            await connection.execute(
                "INSERT INTO rejects (received_at, gateway_id, code, reason, payload, digest, day)"
                " VALUES (now(), 'G1', 'no_value', '', '', $1, $2)",
                bytes([n]), day,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO gateway_days (gateway_id, day) VALUES ('G1', $1)", day
            )
    report = await maintain(db, NOW, Retention(rejects_days=30))
    assert {(s.object, s.rows_before) for s in report.steps} == {
        ("rejects", 1), ("gateway_days", 1)
    }  # fmt: skip
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT day FROM rejects") == TODAY.date()


async def test_a_wandering_clock_makes_few_pieces(any_db):
    keys = await keys_of(any_db)
    rng = np.random.default_rng(3)
    rows = empty_readings(3000)
    rows["circuit"] = rng.choice(keys, len(rows))
    rows["ts"] = rng.integers(to_us(datetime(2010, 1, 1, tzinfo=UTC)), to_us(NOW), len(rows))
    rows["p_kw"] = 1.0
    assert (await write_batch(any_db, IngestBatch(rows=rows))).stored == len(rows)
    async with any_db.connection() as connection:
        query = (
            "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'readings'"
            if any_db.mode.hypertable
            else "SELECT count(*) FROM pg_partition_tree('readings') WHERE isleaf"
        )
        assert await connection.fetchval(query) < 17 * 12 + 90
    assert len(await everything(any_db, keys)) == len(rows)
    assert not (await maintain(any_db, NOW)).failed
    assert len(await everything(any_db, keys)) == len(rows)
