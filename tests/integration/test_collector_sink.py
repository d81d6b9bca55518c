"""What every sink promises: one suite, two implementations."""

import numpy as np
import pytest

from collector.memory_sink import MemorySink
from collector.postgres_sink import PostgresSink
from collector.sink import Sink, StatusNote
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.readings import Readings, empty_readings
from wattwitness.domain.registry import Circuit, Enterprise, Gateway, Registry, Role
from wattwitness.domain.rejects import Parked, Reject, RejectCode
from wattwitness.store.database import Database
from wattwitness.store.registry import load_registry, save_registry

START_US = 1_767_225_600_000_000
REGISTRY = Registry(
    enterprises={"E": Enterprise(enterprise_id="E", name="E")},
    gateways={"G": Gateway(gateway_id="G", enterprise_id="E")},
    circuits={
        c: Circuit(circuit_id=c, gateway_id="G", channel=c, role=Role.PRODUCTION)
        for c in ("P1", "T1")
    },
)


@pytest.fixture(params=["memory", "postgres"])
async def sink_and_keys(request, db: Database) -> tuple[Sink, list[int]]:
    await save_registry(db, REGISTRY)
    keys = (await load_registry(db)).circuit_keys
    sink: Sink = MemorySink() if request.param == "memory" else PostgresSink(db)
    return sink, [keys["P1"], keys["T1"]]


def readings(key: int, minutes: list[int], p_kw: float = 5.0) -> Readings:
    rows = empty_readings(len(minutes))
    rows["circuit"] = key
    rows["ts"] = START_US + np.array(minutes) * 60_000_000
    rows["received_at"] = rows["ts"] + 1_000_000
    rows["p_kw"] = p_kw
    return rows


async def test_a_batch_is_stored_once(sink_and_keys: tuple[Sink, list[int]]):
    sink, (press, fan) = sink_and_keys
    batch = IngestBatch(rows=np.concatenate([readings(press, [0, 1]), readings(fan, [0])]))
    assert await sink.write(batch) == IngestOutcome(received=3, stored=3)
    assert await sink.write(batch) == IngestOutcome(received=3, duplicates=3)


async def test_old_and_new_in_one_batch(sink_and_keys: tuple[Sink, list[int]]):
    sink, (press, _) = sink_and_keys
    await sink.write(IngestBatch(rows=readings(press, [0, 1])))
    outcome = await sink.write(IngestBatch(rows=readings(press, [1, 2])))
    assert outcome == IngestOutcome(received=2, stored=1, duplicates=1)


async def test_a_different_value_is_a_revision_noted_once(sink_and_keys: tuple[Sink, list[int]]):
    sink, (press, _) = sink_and_keys
    await sink.write(IngestBatch(rows=readings(press, [0])))
    changed = IngestBatch(rows=readings(press, [0], p_kw=6.0))
    assert await sink.write(changed) == IngestOutcome(received=1, revisions=1)
    assert await sink.write(changed) == IngestOutcome(received=1, duplicates=1)


async def test_within_a_batch_the_first_counts(sink_and_keys: tuple[Sink, list[int]]):
    sink, (press, _) = sink_and_keys
    rows = np.concatenate([readings(press, [0, 0]), readings(press, [0], p_kw=6.0)])
    outcome = await sink.write(IngestBatch(rows=rows))
    assert outcome == IngestOutcome(received=3, stored=1, duplicates=1, revisions=1)
    again = await sink.write(IngestBatch(rows=readings(press, [0])))
    assert again.duplicates == 1


async def test_rejects_and_parked_are_counted_with_the_rows(sink_and_keys: tuple[Sink, list[int]]):
    sink, (press, _) = sink_and_keys
    batch = IngestBatch(
        rows=readings(press, [0]),
        rejects=[
            Reject(
                gateway_id=None,
                code=RejectCode.MALFORMED,
                text="not JSON",
                payload=b"\x00\xff",
                received_us=START_US,
            )
        ],
        parked=[
            Parked(gateway_id="new", channel=None, payload=b"{}", received_us=START_US, readings=4)
        ],
        epochs={("G", "e"): 7},
    )
    reasons = {RejectCode.MALFORMED: 1, RejectCode.UNKNOWN_GATEWAY: 4}
    outcome = await sink.write(batch)
    assert outcome == IngestOutcome(received=6, stored=1, reasons=reasons)
    assert (outcome.rejected, outcome.waiting) == (5, 4)
    assert await sink.write(batch) == IngestOutcome(received=6, duplicates=6)


async def test_an_empty_batch_is_nothing(sink_and_keys: tuple[Sink, list[int]]):
    assert await sink_and_keys[0].write(IngestBatch()) == IngestOutcome()


async def test_statuses_are_taken(sink_and_keys: tuple[Sink, list[int]]):
    sink, _ = sink_and_keys
    await sink.note_statuses([StatusNote("G", True, START_US, START_US)])
    await sink.note_statuses([])


async def test_a_sink_that_is_away_says_so(db: Database):
    sink = PostgresSink(db)
    await db.close()
    with pytest.raises(StoreUnavailableError):
        await sink.write(IngestBatch())
    broken = MemorySink()
    broken.broken = True
    with pytest.raises(StoreUnavailableError):
        await broken.write(IngestBatch())
