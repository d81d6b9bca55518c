"""The four counts of a gateway and day add up, whatever happens to what was kept."""

import asyncio
import json
import random
from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
import pytest

from collector.bounds import Calendar
from collector.core import Core, Policy
from collector.decode import Delivery, Place, Places, place
from collector.parking import take_in
from collector.postgres_sink import PostgresSink
from collector.rejudging import Gate, rejudge
from collector.source import Incoming, Token
from wattwitness.domain.errors import StoreBusyError, StoreRefusesError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.instants import US_PER_DAY, US_PER_SECOND, to_us
from wattwitness.domain.readings import empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.rejects import Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.gateways import (
    day_fates,
    gateway_health,
    reject_reasons,
    strangers,
)
from wattwitness.store.migrations import load_migrations, upgrade
from wattwitness.store.readings import write_batch
from wattwitness.store.registry import load_registry, save_registry
from wattwitness.store.rejects import RejectFilter, find_rejects
from wattwitness.wire.payload import decode_message
from wattwitness.wire.topics import readings_topic

NOW = to_us(datetime(2026, 3, 5, 15, 59, tzinfo=UTC))  # a minute before midnight in Shanghai
CALENDAR = Calendar(to_us(datetime(2010, 1, 1, tzinfo=UTC)), US_PER_DAY)
ADD_UP = """
SELECT count(*) FROM gateway_days d
WHERE received <> stored + duplicate + revision + rejected
   OR rejected <> coalesce((SELECT sum(readings) FROM gateway_rejects r
                            WHERE r.gateway_id = d.gateway_id AND r.day = d.day), 0)
   OR least(received, stored, duplicate, revision, rejected) < 0
"""
KEPT = """
SELECT (SELECT coalesce(sum(readings), 0) FROM rejects)
     + (SELECT coalesce(sum(readings), 0) FROM parked) AS kept,
       (SELECT coalesce(sum(readings), 0) FROM gateway_rejects) AS counted
"""


def registry(channels: str = "P", rated_kw: float | None = None) -> Registry:
    return Registry(
        enterprises={"E": Enterprise(enterprise_id="E", name="E")},
        gateways={"G": Gateway(gateway_id="G", enterprise_id="E")},
        circuits={
            c: Circuit(
                circuit_id=c, gateway_id="G", channel=c, role=Role.PRODUCTION, rated_kw=rated_kw
            )
            for c in channels
        },
    )


def sent(*readings: tuple[str, int, float], **more: object) -> bytes:
    items = [{"ch": ch, "ts": (NOW + s * US_PER_SECOND) // 1000, "p": p} for ch, s, p in readings]
    return json.dumps({"readings": items, **more}).encode()


async def deliver(
    db: Database, payload: bytes, gateway: str | None = "G", at_us: int = NOW
) -> IngestOutcome:
    delivery = Delivery(gateway, payload, at_us, decode_message(payload))
    placed = place([delivery], Places.of(await load_registry(db)), CALENDAR)
    return await write_batch(
        db, IngestBatch(rows=placed.rows, rejects=placed.rejects, parked=placed.parked)
    )


async def take(db: Database) -> IngestOutcome | None:
    places = Places.of(await load_registry(db))
    return await take_in(db, PostgresSink(db), places, CALENDAR)


async def gate(db: Database, now_us: int = NOW) -> Gate:
    places = Places.of(await load_registry(db))
    return Gate(places=places, calendar=CALENDAR, max_payload_bytes=10_000, now_us=now_us)


async def days(db: Database) -> dict[tuple[str, str], tuple[int, ...]]:
    """(gateway, day) → received, stored, duplicate, revision, rejected; checks that it adds up."""
    async with db.connection() as connection:
        assert await connection.fetchval(ADD_UP) == 0
        kept, counted = await connection.fetchrow(KEPT)
        assert kept == counted, "what is counted as rejected is kept, and the other way round"
        rows = await connection.fetch("SELECT * FROM gateway_days ORDER BY gateway_id, day")
    names = ("received", "stored", "duplicate", "revision", "rejected")
    return {(r["gateway_id"], r["day"].isoformat()): tuple(r[n] for n in names) for r in rows}


async def test_days_are_local_days_of_receipt(any_db):
    db = any_db
    await save_registry(db, registry())
    await deliver(db, sent(("P", -60, 1.0)))
    await deliver(db, sent(("P", -60, 1.0), ("P", -50, 2.0)), at_us=NOW + 60 * US_PER_SECOND)
    await deliver(db, sent(("P", -60, 9.0)), at_us=NOW + 60 * US_PER_SECOND)
    await deliver(db, b"{", at_us=NOW + 60 * US_PER_SECOND)
    assert await days(db) == {
        ("G", "2026-03-05"): (1, 1, 0, 0, 0),
        ("G", "2026-03-06"): (4, 1, 1, 1, 1),
    }
    (health,) = await gateway_health(db, date(2026, 3, 6))
    assert health.today["received"] == 4
    assert health.last_received_us == NOW + 60 * US_PER_SECOND


async def test_one_batch_over_midnight(any_db):
    db = any_db
    await save_registry(db, registry("PQ"))
    keys = (await load_registry(db)).circuit_keys
    rows = empty_readings(6)
    rows["circuit"] = [keys["P"]] * 3 + [keys["Q"]] * 3
    rows["ts"] = NOW - np.arange(6) * US_PER_SECOND
    rows["p_kw"] = 1.0
    rows["received_at"] = NOW + np.array([0, 0, 60, 60, 60, 60]) * US_PER_SECOND
    await write_batch(db, IngestBatch(rows=rows))
    rows["p_kw"][0] = 5.0
    await write_batch(db, IngestBatch(rows=rows))
    assert await days(db) == {
        ("G", "2026-03-05"): (4, 2, 1, 1, 0),
        ("G", "2026-03-06"): (8, 4, 4, 0, 0),
    }


async def test_the_zone_decides_the_day(database_url):
    zone = ZoneInfo("America/New_York")
    async with await Database.open(database_url, zone=zone) as db:
        await upgrade(db)
        await save_registry(db, registry())
        await deliver(db, sent(("P", 0, 1.0)), at_us=to_us(datetime(2026, 3, 6, 3, tzinfo=UTC)))
        assert set(await days(db)) == {("G", "2026-03-05")}


async def test_what_waits_is_rejected_until_it_is_taken_in(any_db):
    db = any_db
    await save_registry(db, registry())
    outcome = await deliver(db, sent(("P", 0, 1.0), ("X", 0, 2.0), ("X", 1, 3.0)))
    assert outcome.reasons == {RejectCode.UNKNOWN_CHANNEL: 2}
    assert outcome.waiting == outcome.rejected == 2
    await deliver(db, sent(("P", 0, 1.0), ("X", 0, 2.0), ("X", 1, 3.0)), "H")
    later = NOW + US_PER_DAY
    await deliver(db, sent(("P", 0, 1.0), ("X", 0, 2.0), ("X", 1, 3.0)), at_us=later)
    before = {("G", "2026-03-05"): (3, 1, 0, 0, 2), ("G", "2026-03-06"): (3, 0, 3, 0, 0)}
    assert await days(db) == before | {("H", "2026-03-05"): (3, 0, 0, 0, 3)}
    (stranger,) = await strangers(db)
    assert (stranger.gateway_id, stranger.first_us, stranger.last_us) == ("H", NOW, NOW)
    assert stranger.counts["received"] == 3
    found = await day_fates(db, date(2026, 3, 5))
    assert found.reasons == {"": {"unknown_gateway": 3}, "G": {"unknown_channel": 2}}
    assert await take(db) is None

    await save_registry(db, registry("PX"))
    assert await take(db) == IngestOutcome(received=2, stored=2)
    assert await days(db) == before | {
        ("G", "2026-03-05"): (3, 3, 0, 0, 0), ("H", "2026-03-05"): (3, 0, 0, 0, 3),
    }  # fmt: skip
    (health,) = await gateway_health(db, date(2026, 3, 5))
    assert health.last_received_us == later, "what is taken in was not heard just now"

    # the gateway becomes known, one of its channels does not: it waits on, for another reason
    await save_registry(db, Registry(gateways={"H": Gateway(gateway_id="H", enterprise_id="E")}))
    await save_registry(
        db,
        Registry(
            circuits={"HP": Circuit(circuit_id="HP", gateway_id="H", channel="P", role=Role.MAIN)}
        ),
    )
    outcome = await take(db)
    assert outcome == IngestOutcome(received=3, stored=1, reasons={RejectCode.UNKNOWN_CHANNEL: 2})
    assert (await days(db))["H", "2026-03-05"] == (3, 1, 0, 0, 2)
    assert (await reject_reasons(db, date(2026, 3, 5)))["H"] == {"unknown_channel": 2}
    assert await strangers(db) == []


async def test_taken_in_readings_may_end_in_any_fate(db):
    await save_registry(db, registry())
    ahead = 2 * US_PER_DAY // US_PER_SECOND
    await deliver(db, sent(("X", 0, 1.0), ("X", 1, 2.0), ("X", 2, 3.0), ("X", ahead, 4.0)))
    await save_registry(db, registry("PX"))
    await deliver(db, sent(("X", 0, 1.0), ("X", 1, 9.0)), at_us=NOW + US_PER_DAY)
    outcome = await take(db)
    assert outcome == IngestOutcome(
        received=4, stored=1, duplicates=1, revisions=1, reasons={RejectCode.TS_FUTURE: 1}
    )
    assert await days(db) == {
        ("G", "2026-03-05"): (4, 1, 1, 1, 1),
        ("G", "2026-03-06"): (2, 2, 0, 0, 0),
    }


async def test_a_topic_without_gateway_counts_as_well(db):
    await deliver(db, b"whatever", None)
    assert await days(db) == {("", "2026-03-05"): (1, 0, 0, 0, 1)}
    assert [s.gateway_id for s in await strangers(db)] == [""]


async def test_what_is_kept_cannot_be_taken_twice(db):
    await save_registry(db, registry())
    await deliver(db, sent(("X", 0, 1.0)))
    twice = IngestBatch(taken_parked=[1])
    await write_batch(db, twice)
    with pytest.raises(StoreBusyError):
        await write_batch(db, twice)
    assert await days(db) == {("G", "2026-03-05"): (0, 0, 0, 0, 0)}


async def test_a_collector_clock_that_was_wrong_is_mended(any_db):
    db = any_db
    await save_registry(db, registry())
    wrong = NOW - 10 * US_PER_DAY
    outcome = await deliver(db, sent(("P", 0, 1.0), ("P", 1, 2.0)), at_us=wrong)
    assert outcome.reasons == {RejectCode.TS_FUTURE: 2}
    assert (await rejudge(db, await gate(db, wrong), RejectFilter())).left == 2, "still wrong"
    done = await rejudge(db, await gate(db), RejectFilter())
    assert (done.judged, done.left, done.outcome) == (2, 0, IngestOutcome(received=2, stored=2))
    assert await days(db) == {("G", "2026-02-23"): (2, 2, 0, 0, 0)}
    assert await find_rejects(db) == []
    assert (await rejudge(db, await gate(db), RejectFilter())).judged == 0
    again = await deliver(db, sent(("P", 0, 1.0), ("P", 1, 2.0)))
    assert again.duplicates == 2


async def test_a_rating_that_was_mended_and_the_choice_of_rejects(db):
    await save_registry(db, registry())
    await deliver(db, sent(("P", 0, 1.5e6), ("P", 1, 2.0)))
    await deliver(db, sent(("P", 2, 1.5e6)), at_us=NOW + US_PER_DAY)
    await deliver(db, b"{")
    refused = Counter(kept.reject.code.value for kept in await find_rejects(db))
    assert refused == {"impossible": 2, "malformed": 1}
    await save_registry(db, registry(rated_kw=200_000.0))
    for chosen in (
        RejectFilter(gateway_id="H"),
        RejectFilter(code=RejectCode.MALFORMED),
        RejectFilter(from_us=NOW + 2 * US_PER_DAY),
        RejectFilter(to_us=NOW),
    ):
        assert (await rejudge(db, await gate(db), chosen)).outcome.stored == 0
    done = await rejudge(db, await gate(db), RejectFilter(to_us=NOW + 1, gateway_id="G"))
    assert (done.judged, done.left, done.outcome.stored) == (2, 1, 1)
    done = await rejudge(db, await gate(db), RejectFilter(code=RejectCode.IMPOSSIBLE))
    assert done.outcome.stored == 1
    assert await days(db) == {
        ("G", "2026-03-05"): (3, 2, 0, 0, 1),
        ("G", "2026-03-06"): (1, 1, 0, 0, 0),
    }


async def test_another_reason_is_told_and_counted(db):
    """Too far in the future at its receipt, impossible today."""
    await save_registry(db, registry())
    ahead = 2 * US_PER_DAY // US_PER_SECOND
    await deliver(db, sent(("P", ahead, 5e5)))
    (before,) = [kept.reject for kept in await find_rejects(db)]
    places = Places({"G": {"P": Place(1, 100.0)}})
    later = Gate(
        places=places, calendar=CALENDAR, max_payload_bytes=9999, now_us=NOW + 5 * US_PER_DAY
    )
    done = await rejudge(db, later, RejectFilter())
    assert done.outcome.reasons == {RejectCode.IMPOSSIBLE: 1}
    (after,) = [kept.reject for kept in await find_rejects(db)]
    assert after.code is RejectCode.IMPOSSIBLE
    assert (after.payload, after.received_us, after.index) == (
        before.payload, before.received_us, before.index,
    )  # fmt: skip
    assert await reject_reasons(db, date(2026, 3, 5)) == {"G": {"impossible": 1}}
    await days(db)


async def test_whole_messages_are_opened_again(db):
    """A limit that was raised: its readings count, no longer the message."""
    await save_registry(db, registry())
    payload = sent(("P", 0, 1.0), ("P", 1, 2.0), ("X", 0, 3.0), epoch="e", seq=1)
    refused = Reject(
        gateway_id="G", code=RejectCode.TOO_LARGE, text="", payload=payload, received_us=NOW
    )
    await write_batch(db, IngestBatch(rejects=[refused]))
    done = await rejudge(db, await gate(db), RejectFilter())
    assert done.outcome == IngestOutcome(
        received=3, stored=2, reasons={RejectCode.UNKNOWN_CHANNEL: 1}
    )
    assert await days(db) == {("G", "2026-03-05"): (3, 2, 0, 0, 1)}


async def test_two_that_judge_at_once_store_once(db, database_url):
    await save_registry(db, registry())
    for k in range(30):
        await deliver(db, sent(("P", k, 1.0)), at_us=NOW - 10 * US_PER_DAY)
    async with await Database.open(database_url) as other:
        one, two = await asyncio.gather(
            rejudge(db, await gate(db), RejectFilter()),
            rejudge(other, await gate(db), RejectFilter()),
        )
    assert one.outcome.stored + two.outcome.stored == 30
    assert list((await days(db)).values()) == [(30, 30, 0, 0, 0)]


async def test_a_message_that_the_database_refuses_ends_among_the_rejects(any_db):
    """A rule of the database's own stands for whatever our gate does not know of."""
    db = any_db
    await save_registry(db, registry())
    policy = Policy(calendar=CALENDAR)
    core = Core(policy, Places.of(await load_registry(db)), {}, random.Random(1))
    for k in range(16):
        payload = sent(("P", k, float(k)))
        core.receive([Incoming(readings_topic("G"), payload, NOW, Token(1, k))], 0.0)
    total = IngestOutcome()
    async with db.connection() as connection:
        odd = f"to_timestamp({(NOW + 11 * US_PER_SECOND) // US_PER_SECOND})"
        await connection.execute(f"ALTER TABLE readings ADD CONSTRAINT odd CHECK (ts <> {odd})")
    while (batch := core.next_batch(0.0, final=True)) is not None:
        try:
            total += await write_batch(db, batch.ingest)
        except StoreRefusesError as error:
            core.refused(batch, error.message, 0.0)
        else:
            core.committed(batch, 0.0, 0)
    assert total == IngestOutcome(received=16, stored=15, reasons={RejectCode.REFUSED_BY_STORE: 1})
    (kept,) = await find_rejects(db, RejectFilter(code=RejectCode.REFUSED_BY_STORE))
    assert kept.reject.payload == sent(("P", 11, 11.0))
    assert "odd" in kept.reject.text
    assert (await rejudge(db, await gate(db), RejectFilter())).left == 1, "it is still refused"
    async with db.connection() as connection:
        await connection.execute("ALTER TABLE readings DROP CONSTRAINT odd")
    assert (await rejudge(db, await gate(db), RejectFilter())).outcome.stored == 1
    assert await days(db) == {("G", "2026-03-05"): (16, 16, 0, 0, 0)}


@pytest.mark.parametrize("gateway_id", ["G\x00", "G\ud800"])
async def test_what_no_text_can_hold_is_refused_not_unavailable(db, gateway_id):
    reject = Reject(
        gateway_id=gateway_id, code=RejectCode.MALFORMED, text="", payload=b"", received_us=NOW
    )
    with pytest.raises(StoreRefusesError):
        await write_batch(db, IngestBatch(rejects=[reject]))


async def test_older_tables_are_adapted(database_url):
    """0006: what waits is rejected, what had been taken in is stored, and all adds up."""
    async with await Database.open(database_url) as db:
        steps = load_migrations(db.mode)
        connection = await asyncpg.connect(database_url)
        await connection.execute("CREATE TABLE migrations (number int, name text)")
        for step in steps:
            if step.number < 6:
                await connection.execute(step.sql)
                await connection.execute(
                    "INSERT INTO migrations VALUES ($1, $2)", step.number, step.name
                )
        await connection.execute(OLD)
        await connection.close()
        await upgrade(db)
        assert await days(db) == {
            ("", "2026-03-05"): (1, 0, 0, 0, 1),
            ("G", "2026-03-05"): (21, 13, 2, 1, 5),
            ("G", "2026-03-06"): (1, 0, 0, 0, 1),
        }
        assert await reject_reasons(db) == {
            "": {"bad_topic": 1}, "G": {"no_value": 2, "unknown_channel": 4},
        }  # fmt: skip
        await save_registry(db, registry("PX"))
        assert (await take(db)).stored == 4
        assert (await days(db))["G", "2026-03-05"] == (21, 17, 2, 1, 1)


OLD = """
INSERT INTO rejects (received_at, gateway_id, code, reason, payload, digest) VALUES
    ('2026-03-05 12:00Z', 'G', 'no_value', '', 'a', '1'),
    ('2026-03-06 12:00Z', 'G', 'no_value', '', 'b', '2'),
    ('2026-03-05 12:00Z', NULL, 'bad_topic', '', 'c', '3');
INSERT INTO parked (received_at, gateway_id, channel, readings, payload, digest) VALUES
    ('2026-03-05 12:00Z', 'G', 'X', 4, '{"readings":[{"ch":"X","ts":1772700000000,"p":1},
      {"ch":"X","ts":1772700001000,"p":1},{"ch":"X","ts":1772700002000,"p":1},
      {"ch":"X","ts":1772700003000,"p":1}]}', '4');
INSERT INTO gateway_days (gateway_id, day, received, stored, duplicate, revision, rejected, parked,
                          last_received_at) VALUES
    ('G', '2026-03-05', 21, 10, 2, 1, 1, 7, '2026-03-05 12:00Z');
"""
