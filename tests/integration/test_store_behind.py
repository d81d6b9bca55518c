"""Newest values written a moment later, epochs with gaps, and what is kept aside."""

import time

import numpy as np
import pytest

from wattwitness.domain.ingest import Aside, EpochMark, IngestBatch
from wattwitness.domain.instants import from_us
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.store.behind import Behind, mend_latest, write_behind
from wattwitness.store.clock import trusted_time
from wattwitness.store.database import Database
from wattwitness.store.days import clear_dirty, take_dirty
from wattwitness.store.epochs import forget_epochs, list_gaps, load_epochs
from wattwitness.store.ingest import write_batch
from wattwitness.store.latest import latest_values
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.set_aside import BLOCK_BYTES, aside_bytes, oldest_aside, split_aside

START_US = 1_767_225_600_000_000
MINUTE_US = 60_000_000
REGISTRY = Registry(
    enterprises={"E": Enterprise(enterprise_id="E", name="E")},
    gateways={"G": Gateway(gateway_id="G", enterprise_id="E")},
    circuits={
        c: Circuit(circuit_id=c, gateway_id="G", channel=c, role=Role.PRODUCTION)
        for c in ("P1", "T1")
    },
)


@pytest.fixture
async def keys(any_db: Database) -> list[int]:
    await save_registry(any_db, REGISTRY)
    found = (await load_registry(any_db)).circuit_keys
    return [found["P1"], found["T1"]]


def readings(key: int, minutes: list[int], p_kw: float = 5.0) -> Readings:
    rows = empty_readings(len(minutes))
    rows["circuit"] = key
    rows["ts"] = START_US + np.array(minutes) * MINUTE_US
    rows["received_at"] = rows["ts"] + 1_000_000
    rows["p_kw"] = p_kw
    return rows


async def newest(db: Database) -> dict[str, tuple[int, float | None]]:
    found = await latest_values(db)
    return {v.circuit_id: ((v.ts_us - START_US) // MINUTE_US, v.p_kw) for v in found}


async def marks(db: Database) -> int:
    async with db.connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM latest_behind"))


async def test_newest_values_of_many_batches_are_written_once(any_db: Database, keys: list[int]):
    press, fan = keys
    any_db.behind = behind = Behind("me")
    await write_batch(any_db, IngestBatch(rows=readings(press, [0, 1])))
    await write_batch(any_db, IngestBatch(rows=readings(press, [3], 7.0)))
    await write_batch(any_db, IngestBatch(rows=readings(press, [2], 6.0)))
    late = np.concatenate([readings(fan, [9], np.nan), readings(press, [-5])])
    await write_batch(any_db, IngestBatch(rows=late))
    assert await newest(any_db) == {}
    assert await marks(any_db) == 2  # the second circuit was not marked by the first batch
    assert behind.is_behind
    await write_behind(any_db, behind)
    assert await newest(any_db) == {"P1": (3, 7.0), "T1": (9, None)}
    assert (await marks(any_db), behind.is_behind) == (0, False)
    await write_batch(any_db, IngestBatch(rows=readings(press, [4])))
    await write_behind(any_db, behind)
    assert (await newest(any_db))["P1"] == (4, 5.0)
    async with any_db.connection() as connection:
        first = await connection.fetchval("SELECT min(first_ts) FROM latest")
    assert first == from_us(START_US - 5 * MINUTE_US)


async def test_what_a_killed_writer_left_is_mended(any_db: Database, keys: list[int]):
    any_db.behind = Behind("me")
    await write_batch(any_db, IngestBatch(rows=readings(keys[0], [0, 8], 3.25)))
    any_db.behind = None  # killed
    assert await mend_latest(any_db, writer="somebody else") == 0
    assert await mend_latest(any_db) == 0  # it may be at work still
    assert await mend_latest(any_db, older_s=0.0) == 1
    assert await newest(any_db) == {"P1": (8, 3.25)}
    assert await marks(any_db) == 0


async def test_a_write_in_doubt_is_mended_too(any_db: Database, keys: list[int]):
    any_db.behind = behind = Behind("me")
    await write_batch(any_db, IngestBatch(rows=readings(keys[0], [0])))
    behind.forget()  # as after a commit whose answer was lost
    behind.in_doubt = True
    await write_batch(any_db, IngestBatch(rows=readings(keys[0], [0])))
    await write_behind(any_db, behind)
    assert await newest(any_db) == {"P1": (0, 5.0)}


async def test_a_day_that_was_analysed_in_between_is_dirty_again(any_db: Database, keys: list[int]):
    any_db.behind = behind = Behind("me")
    await write_batch(any_db, IngestBatch(rows=readings(keys[0], [0])))
    before = await take_dirty(any_db)
    await write_behind(any_db, behind)
    assert await take_dirty(any_db) == before  # nobody cleared it: one mark is enough
    await write_batch(any_db, IngestBatch(rows=readings(keys[0], [1])))
    await clear_dirty(any_db, await take_dirty(any_db))
    assert await take_dirty(any_db) == []
    await write_behind(any_db, behind)
    assert [d.day for d in await take_dirty(any_db)] == [d.day for d in before]


async def test_replays_keep_to_the_detour_and_leave_it(any_db: Database, keys: list[int]):
    batch = IngestBatch(rows=readings(keys[0], [0, 1, 2]))
    for stored, duplicates in ((3, 0), (0, 3), (0, 3)):
        outcome = await write_batch(any_db, batch)
        assert (outcome.stored, outcome.duplicates) == (stored, duplicates)
    assert any_db.meets_known
    half = np.concatenate([readings(keys[0], [2]), readings(keys[0], [3]), readings(keys[1], [0])])
    outcome = await write_batch(any_db, IngestBatch(rows=half))
    assert (outcome.stored, outcome.duplicates) == (2, 1)
    await write_batch(any_db, IngestBatch(rows=readings(keys[0], [7])))
    assert not any_db.meets_known
    outcome = await write_batch(any_db, IngestBatch(rows=readings(keys[0], [7], 9.0)))
    assert (outcome.stored, outcome.revisions) == (0, 1)


async def test_gaps_are_told_by_number_until_they_are_filled(any_db: Database):
    mark = EpochMark(confirmed=4, highest=20, first_missing=5, last_missing=9, missing=7)
    await write_batch(any_db, IngestBatch(gaps={("G", "a"): mark}, begun=[("G", "a")]))
    (gap,) = await list_gaps(any_db)
    assert (gap.gateway_id, gap.epoch, gap.confirmed, gap.highest) == ("G", "a", 4, 20)
    assert (gap.first_missing, gap.last_missing, gap.missing_count) == (5, 9, 7)
    assert gap.since is not None
    assert gap.ended_at is None
    assert await load_epochs(any_db) == {("G", "a"): 4}
    filled = EpochMark(confirmed=20, highest=20, given_up=2)
    for _ in range(2):  # an answer was lost: the same again
        await write_batch(any_db, IngestBatch(gaps={("G", "a"): filled}))
    assert await list_gaps(any_db) == []
    (gap,) = await list_gaps(any_db, given_up=True)
    assert (gap.given_up, gap.since, gap.first_missing) == (2, None, None)


async def test_a_new_epoch_ends_those_before_it(any_db: Database):
    await write_batch(any_db, IngestBatch(epochs={("G", "a"): 3}, begun=[("G", "a")]))
    middle = EpochMark(confirmed=None, highest=8, first_missing=1, last_missing=6, missing=6)
    await write_batch(any_db, IngestBatch(gaps={("G", "b"): middle}, begun=[("G", "b")]))
    async with any_db.connection() as connection:
        rows = await connection.fetch("SELECT epoch, ended_at IS NULL AS lives FROM gateway_epochs")
    assert {row["epoch"]: row["lives"] for row in rows} == {"a": False, "b": True}
    assert await load_epochs(any_db) == {("G", "a"): 3}
    (gap,) = await list_gaps(any_db)
    assert (gap.confirmed, gap.first_missing) == (None, 1)
    await forget_epochs(any_db, keep=1)
    assert await load_epochs(any_db) == {}


async def test_messages_kept_aside_come_back_as_they_were(any_db: Database):
    big = b"x" * (BLOCK_BYTES // 2)
    messages = [(START_US + k, big + bytes([k])) for k in range(5)]
    await write_batch(any_db, IngestBatch(aside=[Aside("G", messages), Aside("H", [(1, b"{}")])]))
    assert await aside_bytes(any_db) == {"G": 5 * len(big) + 5, "H": 2}
    first = await oldest_aside(any_db)
    assert first is not None
    assert first.aside == Aside("H", ((1, b"{}"),))  # who has the least comes first
    found = []
    while (block := await oldest_aside(any_db)) is not None:
        if len(block.aside.messages) > 1:
            await split_aside(any_db, block)
            continue
        found += block.aside.messages
        await write_batch(any_db, IngestBatch(taken_aside=[block.aside_id]))
    assert sorted(found) == [(1, b"{}"), *messages]
    assert await aside_bytes(any_db) == {}


async def test_clocks_that_agree_need_no_correction(
    any_db: Database, monkeypatch: pytest.MonkeyPatch
):
    assert (await trusted_time(any_db)).corrected_us == 0
    right_ns = time.time_ns
    monkeypatch.setattr(
        "wattwitness.store.clock.time.time_ns", lambda: right_ns() - 3 * 86_400 * 10**9
    )
    ahead_us = (await trusted_time(any_db)).corrected_us
    assert abs(ahead_us - 3 * 86_400 * 10**6) < 5_000_000
