import random
from dataclasses import replace

import pytest

from collector.bounds import Calendar
from collector.core import Batch, Core, Policy
from collector.decode import Place, Places
from collector.source import Incoming, Token
from wattwitness.domain.ingest import IngestBatch
from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.payload import Status, WireReading, encode_message, encode_status
from wattwitness.wire.topics import readings_topic, status_topic

NOW_MS = 1_767_225_600_000
POLICY = Policy(
    calendar=Calendar(0, 60_000_000), batch_readings=4, batch_wait_s=0.2, stale_messages=10
)
PLACES = Places({"G": {"P": Place(1, 1e6)}})


class Broker:
    """Makes messages with running tokens."""

    def __init__(self) -> None:
        self.connection = 1
        self.n = 0

    def message(
        self,
        topic: str = readings_topic("G"),
        payload: bytes | None = None,
        seq: int | None = None,
        readings: int = 1,
    ) -> Incoming:
        self.n += 1
        if payload is None:
            at_ms = NOW_MS - self.n * 1000
            payload = encode_message(
                [WireReading("P", at_ms - k, p=1.0) for k in range(readings)],
                epoch=None if seq is None else "e",
                seq=seq,
            )
        return Incoming(topic, payload, NOW_MS * 1000, Token(self.connection, self.n))


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def core() -> Core:
    return Core(POLICY, PLACES, {}, random.Random(1))


def commit(core: Core, now_s: float = 0.0) -> tuple[Batch, list[int], list[tuple[str, int]]]:
    batch = core.next_batch(now_s, final=True)
    assert batch is not None
    settlement = core.committed(batch, now_s, NOW_MS)
    return (
        batch,
        [t.message for t in settlement.tokens],
        [(p.gateway_id, p.ack.seq) for p in settlement.proofs],
    )


def test_a_batch_closes_when_it_is_full(core: Core, broker: Broker):
    core.receive([broker.message(readings=3)], 0.0)
    assert core.next_batch(0.1) is None
    assert core.wake_at_s() == pytest.approx(0.2)
    core.receive([broker.message(readings=3)], 0.1)
    batch = core.next_batch(0.1)
    assert batch is not None
    assert len(batch.ingest.rows) == 3  # the second message waits: it would not fit


def test_a_batch_closes_when_it_has_waited(core: Core, broker: Broker):
    core.receive([broker.message()], 5.0)
    assert core.next_batch(5.1) is None
    assert core.next_batch(5.2) is not None


def test_a_message_larger_than_a_batch_goes_alone(core: Core, broker: Broker):
    core.receive([broker.message(readings=9), broker.message()], 0.0)
    batch = core.next_batch(0.0)
    assert batch is not None
    assert len(batch.held) == 1


def test_a_batch_closes_by_bytes_too(broker: Broker):
    """What is refused counts as one reading, and is kept whole."""
    core = Core(replace(POLICY, batch_bytes=100), PLACES, {}, random.Random(1))
    core.receive([broker.message(payload=b"{" * size) for size in (60, 60, 300, 1)], 0.0)
    sizes = []
    while (batch := core.next_batch(0.0)) is not None:
        core.committed(batch, 0.0, NOW_MS)
        sizes.append([len(reject.payload) for reject in batch.ingest.rejects])
    assert sizes == [[60], [60], [300]]
    assert core.held == 1  # one byte: it waits
    assert core.wake_at_s() is not None


def test_one_batch_is_under_way_and_comes_again_after_a_failure(core: Core, broker: Broker):
    core.receive([broker.message() for _ in range(8)], 0.0)
    batch = core.next_batch(0.0)
    delay_s = core.failed(1.0)
    assert delay_s > 0
    assert core.next_batch(1.0 + delay_s * 0.9) is None
    assert core.next_batch(1.0 + delay_s) is batch
    assert core.failed(2.0) > 0
    assert core.held == 8


def test_tokens_and_proofs_come_only_with_the_commit(core: Core, broker: Broker):
    core.receive([broker.message(seq=1), broker.message(seq=2)], 0.0)
    batch, tokens, proofs = commit(core)
    assert tokens == [1, 2]
    assert proofs == [("G", 2)]
    assert batch.ingest.epochs == {("G", "e"): 2}
    assert core.held == 0


def test_a_hole_is_told_again_so_that_the_gateway_sends_it(core: Core, broker: Broker):
    core.receive([broker.message(seq=1), broker.message(seq=3)], 0.0)
    assert commit(core)[2] == [("G", 1)]
    assert core.missing() == {("G", "e"): (2, 2)}
    core.receive([broker.message(seq=4)], 0.5)
    assert commit(core, 0.5)[2] == []  # just told
    core.receive([broker.message(seq=5)], 2.0)
    assert commit(core, 2.0)[2] == [("G", 1)]
    core.receive([broker.message(seq=2)], 2.1)
    assert commit(core, 2.1)[2] == [("G", 5)]
    assert core.missing() == {}


def test_an_epoch_that_the_store_remembers_goes_on(broker: Broker):
    core = Core(POLICY, PLACES, {("G", "e"): 41}, random.Random(1))
    core.receive([broker.message(seq=42)], 0.0)
    assert commit(core)[2] == [("G", 42)]


def test_what_was_committed_before_is_proven_again(broker: Broker):
    core = Core(POLICY, PLACES, {("G", "e"): 41}, random.Random(1))
    core.receive([broker.message(seq=7)], 0.0)
    batch, tokens, proofs = commit(core)
    assert (tokens, proofs) == ([1], [("G", 41)])
    assert len(batch.ingest.rows) == 1  # the store knows duplicates, the numbers do not
    assert batch.ingest.epochs == {}


def test_poison_is_kept_numbered_and_settled(core: Core, broker: Broker):
    core.receive([broker.message(payload=b'{"epoch":"e","seq":1,"readings":[{')], 0.0)
    batch, tokens, proofs = commit(core)
    assert [r.code for r in batch.ingest.rejects] == [RejectCode.MALFORMED]
    assert (tokens, proofs) == ([1], [("G", 1)])


def test_a_foreign_topic_is_refused_and_settled(core: Core, broker: Broker):
    core.receive([broker.message(topic="wattwitness/v1/a/b/readings")], 0.0)
    batch, tokens, _ = commit(core)
    (reject,) = batch.ingest.rejects
    assert (reject.code, reject.gateway_id) == (RejectCode.BAD_TOPIC, None)
    assert tokens == [1]


def test_the_last_status_of_a_batch_counts_whatever_its_date(core: Core, broker: Broker):
    for online, ts in ((True, 7), (False, 6)):
        payload = encode_status(Status(online, ts))
        core.receive([broker.message(status_topic("G"), payload)], 0.0)
    core.receive([broker.message(status_topic("G"), b"[]")], 0.0)
    batch, tokens, _ = commit(core)
    assert [(s.gateway_id, s.online, s.ts_us) for s in batch.statuses] == [("G", False, 6000)]
    assert len(batch.ingest.rejects) == 1
    assert tokens == [1, 2, 3]


def test_messages_of_a_broken_connection_get_their_new_token(core: Core, broker: Broker):
    first, second = broker.message(), broker.message()
    core.receive([first, second], 0.0)
    broker.connection = 2
    again = broker.message(payload=first.payload)
    core.receive([again], 0.0)
    assert core.held == 2
    batch, tokens, _ = commit(core)
    assert tokens == [again.token.message]  # the second was not delivered again: it has none
    assert len(batch.ingest.rows) == 2  # but it is stored


def test_a_batch_under_way_is_recognised_too(core: Core, broker: Broker):
    first = broker.message()
    core.receive([first], 0.0)
    batch = core.next_batch(0.0, final=True)
    assert batch is not None
    broker.connection = 2
    again = broker.message(payload=first.payload)
    core.receive([again], 0.0)
    assert core.held == 1
    assert list(core.committed(batch, 0.0, NOW_MS).tokens) == [again.token]


def test_memory_stays_bounded_when_sessions_are_lost(core: Core, broker: Broker):
    for connection in range(1, 20):
        broker.connection = connection
        core.receive([broker.message() for _ in range(10)], 0.0)
    assert core.held <= 2 * POLICY.stale_messages


def test_a_changed_registry_counts_from_the_next_batch(core: Core, broker: Broker):
    core.receive([broker.message(readings_topic("H"))], 0.0)
    core.places = Places({"H": {"P": Place(5, 1e6)}})
    assert commit(core)[0].ingest.rows["circuit"].tolist() == [5]


def test_an_empty_message_is_proven(core: Core, broker: Broker):
    core.receive([broker.message(seq=1, readings=0)], 0.0)
    batch, _, proofs = commit(core)
    assert proofs == [("G", 1)]
    assert isinstance(batch.ingest, IngestBatch)
    assert len(batch.ingest.rows) == 0


def test_the_next_batch_is_planned_while_one_is_written(broker: Broker):
    policy = replace(POLICY, batch_readings=2, most_readings=3)
    core = Core(policy, PLACES, {}, random.Random(1))
    core.receive([broker.message(seq=n) for n in range(1, 5)], 0.0)
    first = core.next_batch(0.0)
    assert first is not None
    assert len(first.held) == 3
    assert (core.is_ahead, core.plan_ahead()) == (False, None)  # too little waits
    core.receive([broker.message(seq=n) for n in range(5, 8)], 0.0)
    assert core.is_ahead
    ahead = core.plan_ahead()
    assert ahead is not None
    assert (len(ahead.held), core.is_ahead, core.plan_ahead()) == (3, True, None)
    assert ahead.ingest.epochs == {("G", "e"): 6}  # reckons with the first one
    core.failed(0.0)
    assert core.next_batch(100.0) is first
    assert [p.ack.seq for p in core.committed(first, 0.0, NOW_MS).proofs] == [3]
    assert core.next_batch(100.0) is ahead
    assert [p.ack.seq for p in core.committed(ahead, 0.0, NOW_MS).proofs] == [6]
    assert core.held == 1


def test_half_a_batch_is_enough_to_go_on_with(broker: Broker):
    policy = replace(POLICY, batch_readings=2, most_readings=8)
    core = Core(policy, PLACES, {}, random.Random(1))
    core.receive([broker.message(seq=n) for n in range(1, 12)], 0.0)
    first = core.next_batch(0.0)
    assert first is not None
    assert (len(first.held), core.is_ahead) == (8, False)
    core.receive([broker.message(seq=12)], 0.0)
    assert core.is_ahead
    ahead = core.plan_ahead()
    assert ahead is not None
    assert len(ahead.held) == 4


def test_a_gap_goes_to_the_store_and_so_does_its_end(core: Core, broker: Broker):
    core.receive([broker.message(seq=1), broker.message(seq=4)], 0.0)
    batch = commit(core)[0]
    assert batch.ingest.begun == [("G", "e")]
    gap = batch.ingest.gaps["G", "e"]
    assert (gap.confirmed, gap.highest) == (1, 4)
    assert (gap.first_missing, gap.last_missing, gap.missing) == (2, 3, 2)
    core.receive([broker.message(seq=2), broker.message(seq=3)], 0.0)
    batch = commit(core)[0]
    assert (batch.ingest.gaps["G", "e"].missing, batch.ingest.begun) == (0, [])
    core.receive([broker.message(seq=5)], 0.0)
    batch = commit(core)[0]
    assert (batch.ingest.epochs, batch.ingest.gaps) == ({("G", "e"): 5}, {})


def test_rows_made_at_receipt_are_made_anew_when_the_registry_changed(broker: Broker):
    policy = replace(POLICY, batch_readings=1000)
    core = Core(policy, PLACES, {}, random.Random(1))
    core.receive([broker.message(readings=200)], 0.0)
    core.places = Places({"G": {"P": Place(5, 1e6)}})
    batch = commit(core)[0]
    assert set(batch.ingest.rows["circuit"].tolist()) == {5}
    assert len(batch.ingest.rows) == 200
