"""The readings table: exact, idempotent, the same on every kind of database."""

import asyncio
import itertools
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wattwitness.domain.errors import StoreRefusesError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.instants import US_PER_DAY, US_PER_MINUTE, US_PER_SECOND, to_us
from wattwitness.domain.readings import MEASURANDS, NEVER, empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.rejects import Parked, Reject, RejectCode
from wattwitness.store.days import clear_dirty, data_days, take_dirty
from wattwitness.store.epochs import forget_epochs, load_epochs
from wattwitness.store.gateways import COUNTS, gateway_days, gateway_health, set_status
from wattwitness.store.latest import latest_values, watermark
from wattwitness.store.maintenance import maintain
from wattwitness.store.mode import Mode
from wattwitness.store.overview import database_status
from wattwitness.store.parked import load_parked, parked_counts
from wattwitness.store.readings import data_range, read_block, stream_readings, write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.rejects import find_rejects
from wattwitness.store.series import bands

START = to_us(datetime(2026, 1, 1, tzinfo=UTC))
REGISTRY = Registry(
    enterprises={"E1": Enterprise(enterprise_id="E1", name="鑫源化工")},
    gateways={"G1": Gateway(gateway_id="G1", enterprise_id="E1")},
    circuits={
        f"C{n}": Circuit(
            circuit_id=f"C{n}",
            gateway_id="G1",
            channel=f"P{n}",
            role=Role.PRODUCTION,
            resolution_kw=resolution,
        )
        for n, resolution in enumerate((None, 0.01, 0.1, 1.0))
    },
)


async def keys_of(db):
    await save_registry(db, REGISTRY)
    return [(await load_registry(db)).circuit_keys[f"C{n}"] for n in range(4)]


def minutes(keys, n, start=START):
    rows = empty_readings(len(keys) * n)
    rows["circuit"] = np.repeat(keys, n)
    rows["ts"] = np.tile(start + np.arange(n) * US_PER_MINUTE, len(keys))
    rows["p_kw"] = np.round(np.random.default_rng(1).uniform(0, 500, len(rows)), 1)
    return rows


async def refused(db):
    """What was refused for good, newest first."""
    return [kept.reject for kept in await find_rejects(db) if kept.kept_id.startswith("r")]


async def totals(db):
    """The counts of the gateway since the beginning."""
    days = await gateway_days(db, "G1")
    return {name: sum(day.counts[name] for day in days) for name in COUNTS}


async def everything(db, keys):
    return await read_block(db, keys, START - 400 * US_PER_DAY, START + 400 * US_PER_DAY)


async def test_what_is_written_is_read_back_exactly(any_db):
    keys = await keys_of(any_db)
    rows = empty_readings(3)
    rows["circuit"] = keys[1]
    rows["ts"] = START + np.array([0, 1, 2]) * US_PER_MINUTE
    rows["p_kw"] = [12.68, np.nan, -3.4]
    rows["e_kwh"] = [120345.67, 0.0, np.nan]
    rows["q_kvar"] = [11.8, np.nan, 0.0]
    rows["u_a"] = [229.1, np.nan, 10000.0]
    rows["i_c"] = [125.93, np.nan, 0.01]
    rows["pf"] = [0.7321, np.nan, -1.0]
    rows["resent"] = [False, True, False]
    rows["received_at"] = [START + 1, NEVER, START + 123_456_789]
    outcome = await write_batch(any_db, IngestBatch(rows=rows))
    assert outcome == IngestOutcome(received=3, stored=3)
    back = await everything(any_db, keys)
    rows["received_at"] = [START, NEVER, START + 123_000_000]  # kept in whole seconds after ts
    for name in rows.dtype.names:
        np.testing.assert_array_equal(back[name], rows[name], err_msg=name)


_KINDS_OF_NUMBERS = {
    "p_kw": 3, "e_kwh": 3, "q_kvar": 3, **dict.fromkeys(("u_a", "u_b", "u_c"), 1),
    **dict.fromkeys(("i_a", "i_b", "i_c"), 2), "pf": 4,
}  # fmt: skip


_ENDS = {
    "p_kw": 2e6,
    "e_kwh": 1e12,
    "q_kvar": 2e6,
    **dict.fromkeys(("i_a", "i_b", "i_c"), 1e6),
    "pf": 1.005,
}


async def test_values_at_the_ends_of_what_can_be_are_read_back(any_db):
    """Columns come in pairs, one in the upper half of a number: none spills into the other."""
    keys = await keys_of(any_db)
    choices = list(itertools.product((-1.0, np.nan, 0.0, 1.0), repeat=3))
    rows = empty_readings(len(choices) + 1)
    rows["circuit"] = keys[1]
    rows["ts"] = START + np.arange(len(rows)) * US_PER_MINUTE
    for n, name in enumerate(_ENDS):
        chosen = np.array([choice[n % 3] for choice in choices])
        rows[name][:-1] = np.roll(chosen, n // 3) * _ENDS[name]
    for name in ("u_a", "u_b", "u_c"):
        rows[name][:-1:2] = 1e6
    rows["received_at"] = rows["ts"] - 1_000_000 * US_PER_SECOND
    await write_batch(any_db, IngestBatch(rows=rows))
    back = await everything(any_db, keys)
    for name in rows.dtype.names:
        np.testing.assert_array_equal(back[name], rows[name], err_msg=name)
    start, end = int(rows["ts"][0]), int(rows["ts"][-1]) + 1
    for columns in (("p_kw",), ("p_kw", "e_kwh"), ("pf",), ("i_c", "u_b")):  # other pairs
        part = await read_block(any_db, keys, start, end, columns)
        for name in MEASURANDS:
            expected = rows[name] if name in columns else np.nan
            np.testing.assert_array_equal(part[name], expected, err_msg=f"{name} of {columns}")


async def test_sql_reads_the_same_values_as_we_do(any_db):
    """The view restores what the columns leave out, on rows of every kind."""
    keys = await keys_of(any_db)
    rows, rng = minutes(keys, 500), np.random.default_rng(5)
    scale = np.where(np.arange(len(rows)) % 3 == 0, 1.0, 1e-3)
    for name, decimals in _KINDS_OF_NUMBERS.items():
        size = 1.0 if name == "pf" else 40_000.0 if name.startswith(("u", "i")) else 1e6
        values = rng.uniform(0 if name.startswith("u") else -size, size, len(rows)) * scale
        rows[name] = np.round(values, rng.integers(0, decimals + 1))
        rows[name][rng.random(len(rows)) < 0.2] = np.nan
        rows[name][rng.random(len(rows)) < 0.1] = 0.0
    rows["received_at"] = rows["ts"] + rng.integers(-(10**7), 10**9, len(rows))
    rows["resent"] = rng.random(len(rows)) < 0.5
    await write_batch(any_db, IngestBatch(rows=rows))
    back = await everything(any_db, keys)
    for name in _KINDS_OF_NUMBERS:
        np.testing.assert_array_equal(back[name], rows[name], err_msg=name)
    async with any_db.connection() as connection:
        found = await connection.fetch("SELECT * FROM readings_measured ORDER BY circuit_key, ts")
    for name in _KINDS_OF_NUMBERS:
        seen = np.array([np.nan if r[name] is None else r[name] for r in found])
        np.testing.assert_array_equal(seen, rows[name], err_msg=name)
    np.testing.assert_array_equal([r["resent"] for r in found], rows["resent"])
    np.testing.assert_array_equal([to_us(r["received_at"]) for r in found], back["received_at"])
    assert await write_batch(any_db, IngestBatch(rows=rows)) == IngestOutcome(
        received=len(rows), duplicates=len(rows)
    )


async def test_one_value_in_two_forms_is_one_value(any_db):
    keys = await keys_of(any_db)
    rows = minutes(keys[:1], 3)
    rows["p_kw"], rows["i_a"] = [100.0, 200.0, 300.0], [10.0, 20.0, 30.0]
    await write_batch(any_db, IngestBatch(rows=rows))
    finer = minutes(keys[:1], 6)
    finer["p_kw"], finer["i_a"] = [100, 200, 300, 0.001, 0.02, 5], [10, 20, 30, 0.01, 5, 5]
    assert await write_batch(any_db, IngestBatch(rows=finer)) == IngestOutcome(
        received=6, stored=3, duplicates=3
    )


async def test_readings_of_before_there_were_forms(any_db):
    keys = await keys_of(any_db)
    async with any_db.connection() as connection:
        await write_batch(any_db, IngestBatch(rows=minutes(keys[:1], 1)))  # makes the partition
        await connection.execute("DELETE FROM readings")
        await connection.execute(
            """
            INSERT INTO readings
                (circuit_key, ts, p, e, u_a, u_b, i_a, i_b, pf, resent, received_at)
            VALUES ($1, $2, 84700, 120345670, 2291, 2302, 12300, 12140, 9300, true, $3)
            """,
            keys[0], datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 1, 7, tzinfo=UTC),
        )  # fmt: skip
    (row,) = await everything(any_db, keys)
    assert [row[m] for m in ("p_kw", "e_kwh", "u_a", "u_b", "i_a", "i_b", "pf", "resent")] == [
        84.7, 120345.67, 229.1, 230.2, 123.0, 121.4, 0.93, True,
    ]  # fmt: skip
    assert row["received_at"] == START + 1_000_007
    assert np.isnan(row["q_kvar"])
    same = np.array([row])
    assert (await write_batch(any_db, IngestBatch(rows=same))).duplicates == 1


async def test_a_second_time_stores_nothing(any_db):
    keys = await keys_of(any_db)
    rows = minutes(keys, 10)
    assert (await write_batch(any_db, IngestBatch(rows=rows))).stored == 40
    assert await write_batch(any_db, IngestBatch(rows=rows)) == IngestOutcome(
        received=40, duplicates=40
    )


async def test_a_different_value_is_a_revision_never_an_overwrite(any_db):
    keys = await keys_of(any_db)
    rows = minutes(keys[:1], 3)
    await write_batch(any_db, IngestBatch(rows=rows))
    other = rows.copy()
    other["p_kw"] += 1
    assert await write_batch(any_db, IngestBatch(rows=other)) == IngestOutcome(
        received=3, revisions=3
    )
    again = await write_batch(any_db, IngestBatch(rows=other))
    assert again == IngestOutcome(received=3, duplicates=3)
    np.testing.assert_array_equal((await everything(any_db, keys))["p_kw"], rows["p_kw"])


async def test_a_batch_that_contradicts_itself(any_db):
    keys = await keys_of(any_db)
    one = minutes(keys[:1], 1)
    twin, other = one.copy(), one.copy()
    other["p_kw"] += 5
    outcome = await write_batch(any_db, IngestBatch(rows=np.concatenate((one, twin, other))))
    assert outcome == IngestOutcome(received=3, stored=1, duplicates=1, revisions=1)
    assert (await everything(any_db, keys))["p_kw"] == one["p_kw"]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_order_pieces_and_repeats_do_not_matter(any_db, data):
    keys = await keys_of(any_db)
    async with any_db.connection() as connection:
        await connection.execute("TRUNCATE readings, revisions, latest, gateway_days")
    rows = minutes(keys, 5)
    order = data.draw(st.permutations(range(len(rows))))
    repeats = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=10))
    sent = rows[[*order, *repeats]]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    outcome = IngestOutcome()
    for piece in np.split(sent, cuts):
        outcome += await write_batch(any_db, IngestBatch(rows=piece))
    assert (outcome.stored, outcome.duplicates) == (len(rows), len(repeats))
    back = await everything(any_db, keys)
    np.testing.assert_array_equal(back["p_kw"], rows["p_kw"])


async def test_late_readings_enter_compressed_history(any_db):
    keys = await keys_of(any_db)
    rows = minutes(keys, 1440)
    late = np.arange(len(rows)) % 7 == 0
    await write_batch(any_db, IngestBatch(rows=rows[~late]))
    report = await maintain(any_db, datetime(2026, 3, 1, tzinfo=UTC))
    if any_db.mode is Mode.TIMESCALE_FULL:
        assert report.compressed_chunks == 1
    assert (await write_batch(any_db, IngestBatch(rows=rows))).stored == late.sum()
    np.testing.assert_array_equal((await everything(any_db, keys))["p_kw"], rows["p_kw"])
    status = await database_status(any_db)
    assert status.pending_migrations == 0
    assert status.counts["circuits"] == 4
    assert status.partitions >= 1


async def test_two_writers_at_once(any_db):
    keys = await keys_of(any_db)
    rows = minutes(keys, 500)
    outcomes = await asyncio.gather(
        *(write_batch(any_db, IngestBatch(rows=rows[shift:])) for shift in (0, 7, 100))
    )
    total = sum(outcomes, IngestOutcome())
    assert total.stored == len(rows)
    assert total.duplicates == len(rows) * 3 - 107 - len(rows)


async def test_dirty_days_follow_the_local_calendar(db):
    keys = await keys_of(db)
    rows = minutes(keys[:1], 1, to_us(datetime(2026, 1, 1, 15, 59, tzinfo=UTC)))  # 23:59 in Jinan
    await write_batch(db, IngestBatch(rows=rows))
    marks = await take_dirty(db)
    assert [(m.enterprise_id, m.day) for m in marks] == [("E1", date(2026, 1, 1))]
    await write_batch(db, IngestBatch(rows=minutes(keys[1:2], 1, int(rows["ts"][0]))))
    await clear_dirty(db, marks)
    assert len(await take_dirty(db)) == 1, "marked again meanwhile: still dirty"
    await clear_dirty(db, await take_dirty(db))
    assert await take_dirty(db) == []
    assert await data_days(db, "E1") == [date(2026, 1, 1)]


async def test_rejects_parked_epochs_and_counts_are_one_transaction(db):
    keys = await keys_of(db)
    batch = IngestBatch(
        rows=minutes(keys[:1], 2),
        rejects=[
            Reject(
                gateway_id="G1",
                code=RejectCode.NO_VALUE,
                text="neither p nor e",
                payload=b'{"ch":"P1"}',
                received_us=START,
                index=3,
            )
        ],
        parked=[
            Parked(gateway_id="G1", channel="P9", payload=b"{}", received_us=START, readings=4),
            Parked(gateway_id="GX", channel=None, payload=b"{}", received_us=START, readings=1),
        ],
        epochs={("G1", "b7f2"): 42},
    )
    outcome = await write_batch(db, batch)
    reasons = {
        RejectCode.NO_VALUE: 1, RejectCode.UNKNOWN_CHANNEL: 4, RejectCode.UNKNOWN_GATEWAY: 1,
    }  # fmt: skip
    assert outcome == IngestOutcome(received=8, stored=2, reasons=reasons)
    assert await load_epochs(db) == {("G1", "b7f2"): 42}
    assert await refused(db) == batch.rejects
    assert [(c.gateway_id, c.channel, c.readings) for c in await parked_counts(db)] == [
        ("G1", "P9", 4),
        ("GX", None, 1),
    ]
    assert await totals(db) == {
        "received": 7, "stored": 2, "duplicate": 0, "revision": 0, "rejected": 5,
    }  # fmt: skip


async def test_parked_is_offered_once_the_registry_knows(db):
    await keys_of(db)
    parked = [
        Parked(gateway_id="G1", channel="P9", payload=b"1", received_us=START, readings=1),
        Parked(gateway_id="GX", channel=None, payload=b"2", received_us=START, readings=1),
    ]
    await write_batch(db, IngestBatch(parked=parked))
    assert await load_parked(db) == []
    await save_registry(
        db,
        Registry(
            gateways={"GX": Gateway(gateway_id="GX", enterprise_id="E1")},
            circuits={
                "C9": Circuit(circuit_id="C9", gateway_id="G1", channel="P9", role=Role.MAIN)
            },
        ),
    )
    offered = await load_parked(db)
    assert [item for _, item in offered] == parked
    taken = IngestBatch(taken_parked=[number for number, _ in offered])
    await write_batch(db, taken)
    assert await parked_counts(db) == []


async def test_parked_leaves_with_the_readings_or_not_at_all(db):
    keys = await keys_of(db)
    item = Parked(gateway_id="G1", channel="P0", payload=b"1", received_us=START, readings=1)
    await write_batch(db, IngestBatch(parked=[item]))
    ((number, _),) = await load_parked(db)
    impossible = Reject(
        gateway_id="G\x00", code=RejectCode.MALFORMED, text="", payload=b"", received_us=START
    )
    rows = minutes(keys[:1], 1)
    batch = IngestBatch(rows=rows, taken_parked=[number], rejects=[impossible])
    with pytest.raises(StoreRefusesError):  # any end of the transaction will do
        await write_batch(db, batch)
    assert len(await load_parked(db)) == 1
    assert len(await everything(db, keys)) == 0


async def test_parked_is_offered_in_bounded_slices(db, monkeypatch):
    monkeypatch.setattr("wattwitness.store.parked.SLICE_BYTES", 25)
    await keys_of(db)
    parked = [
        Parked(gateway_id="G1", channel="P0", payload=b"%010d" % k, received_us=START, readings=4)
        for k in range(5)
    ]
    await write_batch(db, IngestBatch(parked=parked))
    assert len(await load_parked(db)) == 2, "25 bytes"
    assert len(await load_parked(db, messages=1)) == 1
    assert len(await load_parked(db, readings=7)) == 1
    monkeypatch.setattr("wattwitness.store.parked.SLICE_BYTES", 1)
    assert len(await load_parked(db)) == 1, "one item always goes"


async def test_what_is_delivered_again_is_kept_and_counted_once(any_db):
    keys = await keys_of(any_db)
    reject = Reject(
        gateway_id="G1",
        code=RejectCode.MALFORMED,
        text="not JSON",
        payload=b"{",
        received_us=START,
    )
    parked = Parked(gateway_id="G1", channel="P9", payload=b"1", received_us=START, readings=4)
    batch = IngestBatch(rows=minutes(keys[:1], 2), rejects=[reject, reject], parked=[parked])
    outcome = await write_batch(any_db, batch)
    reasons = {RejectCode.MALFORMED: 1, RejectCode.UNKNOWN_CHANNEL: 4}
    assert outcome == IngestOutcome(received=8, stored=2, reasons=reasons, duplicates=1)
    assert await write_batch(any_db, batch) == IngestOutcome(received=8, duplicates=8)
    assert await refused(any_db) == [reject]
    assert [c.readings for c in await parked_counts(any_db)] == [4]
    assert await totals(any_db) == {
        "received": 16, "stored": 2, "duplicate": 9, "revision": 0, "rejected": 5,
    }  # fmt: skip


async def test_latest_is_what_is_stored(any_db):
    """Neither a duplicate nor a revision may pass for the newest value."""
    keys = await keys_of(any_db)
    rows = minutes(keys[:1], 3)
    rows["received_at"] = START
    await write_batch(any_db, IngestBatch(rows=rows[[0, 2]]))
    later = rows.copy()  # minute 1 is new, minute 2 is another value, later received
    later["received_at"] += US_PER_DAY
    later["p_kw"][2] += 50
    outcome = await write_batch(any_db, IngestBatch(rows=later))
    assert (outcome.stored, outcome.revisions) == (1, 1)
    (newest,) = await latest_values(any_db)
    assert (newest.ts_us, newest.received_us) == (rows["ts"][2], START)
    assert newest.p_kw == pytest.approx(rows["p_kw"][2])


async def test_epochs_come_in_the_order_of_their_last_use_and_are_forgotten(db):
    for epoch in ("a", "b", "c", "d"):
        await write_batch(db, IngestBatch(epochs={("G1", epoch): 1}))
    await write_batch(db, IngestBatch(epochs={("G1", "a"): 2, ("G2", "x"): 9}))
    assert [e for _, e in await load_epochs(db)] == ["b", "c", "d", "a", "x"]
    await forget_epochs(db, keep=2)
    assert await load_epochs(db) == {("G1", "d"): 1, ("G1", "a"): 2, ("G2", "x"): 9}
    async with db.connection() as connection:
        await connection.execute(
            "UPDATE gateway_epochs SET touched_at = now() - interval '91 days' WHERE epoch = 'x'"
        )
    await forget_epochs(db, keep=2, days=90)
    assert list(await load_epochs(db)) == [("G1", "d"), ("G1", "a")]


async def test_latest_range_and_health(db):
    keys = await keys_of(db)
    assert await data_range(db) is None
    await write_batch(db, IngestBatch(rows=minutes(keys[:2], 10)))
    await write_batch(db, IngestBatch(rows=minutes(keys[:1], 5, START - 5 * US_PER_MINUTE)))
    assert await data_range(db) == (START - 5 * US_PER_MINUTE, START + 9 * US_PER_MINUTE)
    newest = {item.circuit_id: item for item in await latest_values(db, "E1")}
    rows = await everything(db, keys)
    last_of_first = rows[rows["circuit"] == keys[0]][-1]
    assert newest["C0"].ts_us == last_of_first["ts"]
    assert newest["C0"].p_kw == pytest.approx(last_of_first["p_kw"])
    await set_status(db, "G1", online=True, ts_us=START, received_us=START + 2)
    await set_status(db, "G1", online=False, ts_us=START - 1, received_us=START + 9)  # a last will
    for received_us in (START + 9, START + 99):  # said again, the same word is no news
        will = {"online": False, "ts_us": START - 1, "received_us": received_us}
        await set_status(db, "G1", **will)
        (health,) = await gateway_health(db)
        assert (health.online, health.status_us) == (False, START - 1)
        assert health.status_received_us == START + 9


async def test_a_clock_that_runs_ahead_does_not_make_everybody_late(db):
    keys = await keys_of(db)
    assert await watermark(db) is None
    rows = minutes(keys[:2], 1)
    rows["received_at"] = START + 5
    rows["ts"][1] += 20 * 60 * US_PER_MINUTE
    await write_batch(db, IngestBatch(rows=rows))
    assert await watermark(db) == START + 5
    unknown = minutes(keys[2:3], 1, START + US_PER_MINUTE)  # a file tells no receipt
    await write_batch(db, IngestBatch(rows=unknown))
    assert await watermark(db) == START + US_PER_MINUTE


async def test_bands_are_null_only_where_a_bucket_is_wholly_missing(any_db):
    keys = await keys_of(any_db)
    rows = minutes(keys[:1], 60)
    kept = np.ones(60, dtype=bool)
    kept[15:30] = False  # one whole bucket
    kept[31:44] = False  # most of the next
    await write_batch(any_db, IngestBatch(rows=rows[kept]))
    band = (await bands(any_db, keys[:1], START, START + 60 * US_PER_MINUTE, 15 * US_PER_MINUTE))[
        keys[0]
    ]
    np.testing.assert_array_equal(np.isnan(band.mean), [False, True, False, False])
    assert band.low[0] == pytest.approx(rows["p_kw"][:15].min())
    assert band.high[3] == pytest.approx(rows["p_kw"][45:].max())
    np.testing.assert_array_equal(band.count, [15, 0, 2, 15])


async def test_stream_gives_everything_in_order(db):
    keys = await keys_of(db)
    old = minutes(keys[:2], 3, START - 100 * US_PER_DAY)
    await write_batch(db, IngestBatch(rows=np.concatenate((old, minutes(keys[:2], 3)))))
    blocks = [b async for b in stream_readings(db, keys[:2], 0, START + US_PER_DAY)]
    merged = np.concatenate(blocks)
    assert len(merged) == 12
    assert sorted(zip(merged["circuit"], merged["ts"], strict=True)) == list(
        zip(merged["circuit"], merged["ts"], strict=True)
    )


async def test_a_dropped_partition_is_made_again(db):
    keys = await keys_of(db)
    await write_batch(db, IngestBatch(rows=minutes(keys[:1], 2)))
    async with db.connection() as connection:
        await connection.execute("DROP TABLE readings_202601")
    assert (await write_batch(db, IngestBatch(rows=minutes(keys[:1], 2)))).stored == 2


async def test_partitions_are_made_ahead(db):
    today = datetime(2026, 5, 1, tzinfo=UTC)
    await maintain(db, today)
    async with db.connection() as connection:
        names = {
            row["relid"]
            for row in await connection.fetch(
                "SELECT relid::regclass::text FROM pg_partition_tree('readings') WHERE isleaf"
            )
        }
    assert {f"readings_{today + timedelta(days=n):%Y%m%d}" for n in range(8)} <= names


def test_measurands_are_the_columns_of_the_contract():
    assert MEASURANDS == (
        "p_kw", "e_kwh", "q_kvar", "u_a", "u_b", "u_c", "i_a", "i_b", "i_c", "pf",
    )  # fmt: skip
