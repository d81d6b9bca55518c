"""Rollups: the same answers as the readings alone, whatever comes late, in every mode."""

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.instants import US_PER_HOUR, US_PER_MINUTE, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store import rollups
from wattwitness.store.maintenance import maintain
from wattwitness.store.mode import Mode
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.rollups import BUCKET_US, NOT_MEASURED, keep_rollups, load_rollups
from wattwitness.store.series import bands

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
START = to_us(NOON)
HOURS = 6


async def keys_of(db, enterprises=2, circuits=2):
    registry = Registry(
        enterprises={
            f"E{e}": Enterprise(enterprise_id=f"E{e}", name="x") for e in range(enterprises)
        },
        gateways={
            f"G{e}": Gateway(gateway_id=f"G{e}", enterprise_id=f"E{e}") for e in range(enterprises)
        },
        circuits={
            f"E{e}C{c}": Circuit(
                circuit_id=f"E{e}C{c}", gateway_id=f"G{e}", channel=f"P{c}", role=Role.PRODUCTION
            )
            for e in range(enterprises)
            for c in range(circuits)
        },
    )
    await save_registry(db, registry)
    known = (await load_registry(db)).circuit_keys
    return [known[name] for name in registry.circuits]


def minutes(keys, n=HOURS * 60, start=START, seed=1):
    rng = np.random.default_rng(seed)
    rows = empty_readings(len(keys) * n)
    rows["circuit"] = np.repeat(keys, n)
    rows["ts"] = np.tile(start + np.arange(n) * US_PER_MINUTE, len(keys))
    rows["p_kw"] = np.round(rng.uniform(-5, 500, len(rows)), rng.integers(0, 3))
    rows["e_kwh"] = np.tile(1000 + np.arange(n) * 0.37, len(keys)).round(2)
    rows["p_kw"][rng.random(len(rows)) < 0.1] = np.nan
    rows["e_kwh"][rng.random(len(rows)) < 0.1] = np.nan
    return rows


async def marked(db):
    async with db.connection() as connection:
        return await connection.fetchval(
            "SELECT (SELECT count(*) FROM dirty_hours) + (SELECT count(*) FROM touched_hours)"
        )


def same(one, other):
    for key, band in one.items():
        for field in ("ts_us", "count"):
            np.testing.assert_array_equal(getattr(band, field), getattr(other[key], field))
        for field in ("mean", "low", "high"):
            np.testing.assert_array_equal(getattr(band, field), getattr(other[key], field))


async def test_a_bucket_holds_power_and_registers(any_db):
    keys = await keys_of(any_db, 1, 1)
    rows = empty_readings(4)
    rows["circuit"] = keys[0]
    rows["ts"] = START + np.array([0, 1, 16, 31]) * US_PER_MINUTE
    rows["p_kw"] = [10.5, 30.1, np.nan, -1]
    rows["e_kwh"] = [np.nan, 100.25, 101.5, np.nan]
    await write_batch(any_db, IngestBatch(rows=rows))
    assert await keep_rollups(any_db, NOON + timedelta(minutes=59)) == 0, "the hour still runs"
    assert await keep_rollups(any_db, NOON + timedelta(hours=1)) == 1
    found = await load_rollups(any_db, keys, START, START + US_PER_HOUR)
    none = NOT_MEASURED
    assert [tuple(row)[2:] for row in found.tolist()] == [
        (2, 2, 10_500, 30_100, 40_600, 100_250, 100_250, US_PER_MINUTE, US_PER_MINUTE),
        (1, 0, none, none, none, 101_500, 101_500, US_PER_MINUTE, US_PER_MINUTE),
        (1, 1, -1000, -1000, -1000, none, none, none, none),
    ]
    assert (found["bucket"] == START + np.arange(3) * BUCKET_US).all()
    assert await marked(any_db) == 0


async def test_energy_is_not_lost_between_buckets(any_db):
    keys = await keys_of(any_db, 1, 1)
    rows = minutes(keys)
    await write_batch(any_db, IngestBatch(rows=rows))
    await keep_rollups(any_db, NOON + timedelta(days=1))
    found = await load_rollups(any_db, keys, START, START + HOURS * US_PER_HOUR)
    inside = (found["e_last"] - found["e_first"]).sum()
    between = (found["e_first"][1:] - found["e_last"][:-1]).sum()
    registers = rows["e_kwh"][~np.isnan(rows["e_kwh"])]
    assert inside + between == round((registers[-1] - registers[0]) * 1000)
    assert between > 0


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_bands_are_those_of_the_readings_alone(any_db, data):
    """Any order of writing, rolling up and asking."""
    keys = await keys_of(any_db)
    async with any_db.connection() as connection:
        await connection.execute("TRUNCATE readings, revisions, latest, rollups, dirty_hours")
        await connection.execute("TRUNCATE touched_hours")
    rows = minutes(keys, seed=data.draw(st.integers(0, 99)))
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    for piece in np.split(rows[order], cuts):
        await write_batch(any_db, IngestBatch(rows=piece))
        if data.draw(st.booleans()):
            now = NOON + timedelta(minutes=data.draw(st.integers(0, 500)))
            await keep_rollups(any_db, now, limit=data.draw(st.sampled_from((1, 5, 1000))))
        start = START + data.draw(st.integers(-20, 300)) * data.draw(
            st.sampled_from((BUCKET_US // 15, BUCKET_US))
        )
        end = start + data.draw(st.integers(1, 400)) * US_PER_MINUTE
        bucket_us = data.draw(st.sampled_from((1, 15, 30, 45, 60, 1440))) * US_PER_MINUTE
        asked = await bands(any_db, keys, start, end, bucket_us)
        same(asked, await bands(any_db, keys, start, end, bucket_us, raw_only=True))


async def test_late_readings_are_read_at_once_and_rolled_up_later(any_db):
    keys = await keys_of(any_db)
    rows = minutes(keys)
    late = np.arange(len(rows)) % 5 == 0
    await write_batch(any_db, IngestBatch(rows=rows[~late]))
    later = NOON + timedelta(days=60)
    await keep_rollups(any_db, later)
    report = await maintain(any_db, later)
    assert not report.failed
    if any_db.mode is Mode.TIMESCALE_FULL:
        assert {s.step for s in report.steps} == {"compress"}
        assert len(report.steps) == 2, "readings and rollups"
    await write_batch(any_db, IngestBatch(rows=rows[late]))
    span = (START, START + HOURS * US_PER_HOUR, BUCKET_US)
    alone = await bands(any_db, keys, *span, raw_only=True)
    same(await bands(any_db, keys, *span), alone)
    assert await keep_rollups(any_db, later) == HOURS
    same(await bands(any_db, keys, *span), alone)
    assert await marked(any_db) == 0
    found = await load_rollups(any_db, keys, START, span[1])
    assert found["n"].sum() == len(rows)


async def test_ingest_meanwhile_is_not_lost(any_db, monkeypatch):
    """What is committed between the reading of an hour and the writing of its rollup."""
    keys = await keys_of(any_db, 1, 1)
    rows = minutes(keys, 60)
    await write_batch(any_db, IngestBatch(rows=rows[::2]))
    read = rollups.read_block

    async def read_and_write(*args):
        found = await read(*args)
        await write_batch(any_db, IngestBatch(rows=rows[1::2]))
        return found

    monkeypatch.setattr(rollups, "read_block", read_and_write)
    later = NOON + timedelta(days=1)
    assert await keep_rollups(any_db, later) == 1
    monkeypatch.undo()
    span = (START, START + US_PER_HOUR, BUCKET_US)
    same(await bands(any_db, keys, *span), await bands(any_db, keys, *span, raw_only=True))
    assert await keep_rollups(any_db, later) == 1, "marked again"
    assert (await load_rollups(any_db, keys, *span[:2]))["n"].sum() == 60


async def test_two_workers_at_once(any_db):
    keys = await keys_of(any_db, 4, 10)
    await write_batch(any_db, IngestBatch(rows=minutes(keys)))
    later = NOON + timedelta(days=1)
    done = await asyncio.gather(*(keep_rollups(any_db, later) for _ in range(3)))
    assert sum(done) >= 3 * HOURS
    assert (await load_rollups(any_db, keys, START, START + 10**12))["n"].sum() == len(keys) * 360
