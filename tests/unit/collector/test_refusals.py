"""What the store refuses for its content neither blocks, nor takes others along, nor is lost."""

import random

import pytest

from collector.bounds import Calendar
from collector.core import Core, Policy
from collector.decode import Place, Places
from collector.memory_sink import MemorySink
from collector.source import Incoming, Token
from wattwitness.domain.errors import StoreRefusesError
from wattwitness.domain.ingest import IngestBatch, IngestOutcome
from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.payload import Status, WireReading, encode_message, encode_status
from wattwitness.wire.topics import readings_topic, status_topic

POISON_KW = 666.0
PLACES = Places({"G": {"P": Place(1, 1e6)}})
POLICY = Policy(calendar=Calendar(0, 10**18), batch_readings=50)


class PickySink(MemorySink):
    """Refuses every batch with a poisonous value in it."""

    writes = 0
    refuses_everything = False

    async def write(self, batch: IngestBatch) -> IngestOutcome:
        self.writes += 1
        if self.refuses_everything or (batch.rows["p_kw"] == POISON_KW).any():
            raise StoreRefusesError("value \x00 out of range", "leave it out")
        return await super().write(batch)


def message(seq: int, *powers_kw: float) -> Incoming:
    readings = [WireReading("P", seq * 1000 + k, p=p) for k, p in enumerate(powers_kw)]
    payload = encode_message(readings, epoch="e", seq=seq)
    return Incoming(readings_topic("G"), payload, 10**12, Token(1, seq))


async def drive(core: Core, sink: PickySink) -> tuple[IngestOutcome, list[int], list[int]]:
    """Until nothing is held: outcome, confirmed numbers, settled messages."""
    total, confirmed, settled, delays_s = IngestOutcome(), [], [], []
    while (batch := core.next_batch(0.0, final=True)) is not None:
        try:
            total += await sink.write(batch.ingest)
        except StoreRefusesError as error:
            delays_s.append(core.refused(batch, error.message, 0.0))
            continue
        settlement = core.committed(batch, 0.0, 0)
        confirmed += [proof.ack.seq for proof in settlement.proofs]
        settled += [token.message for token in settlement.tokens]
    assert not any(delays_s), "it goes on at once"
    return total, confirmed, settled


@pytest.mark.parametrize("poisoned", [{1}, {17}, {40}, {3, 4, 39}, set(range(1, 41))])
async def test_the_offending_messages_stand_alone_in_the_end(poisoned: set[int]):
    core, sink = Core(POLICY, PLACES, {}, random.Random(1)), PickySink()
    core.receive(
        [message(n, 1.0, POISON_KW if n in poisoned else 2.0, 3.0) for n in range(1, 41)], 0.0
    )
    total, confirmed, settled = await drive(core, sink)
    reasons = {RejectCode.REFUSED_BY_STORE: 3 * len(poisoned)}
    assert total == IngestOutcome(received=120, stored=120 - sum(reasons.values()), reasons=reasons)
    assert sorted(settled) == list(range(1, 41))
    assert confirmed[-1] == 40
    assert confirmed == sorted(confirmed)
    assert core.held == 0
    kept = {piece[2] for piece in sink.kept}
    assert kept == {message(n, 1.0, POISON_KW, 3.0).payload for n in poisoned}, "whole"
    if len(poisoned) == 1:
        assert sink.writes < 20


async def test_a_status_that_is_refused_is_kept_as_well():
    core = Core(POLICY, PLACES, {}, random.Random(1))
    payload = encode_status(Status(online=True, ts=5))
    core.receive([Incoming(status_topic("G"), payload, 10**12, Token(1, 1))], 0.0)
    batch = core.next_batch(0.0, final=True)
    assert batch is not None
    assert core.refused(batch, "no", 0.0) == 0.0
    again = core.next_batch(0.0)
    assert again is not None
    assert not again.statuses
    (reject,) = again.ingest.rejects
    assert (reject.code, reject.payload) == (RejectCode.REFUSED_BY_STORE, payload)


async def test_what_cannot_even_be_kept_waits_and_is_not_dropped():
    core, sink = Core(POLICY, PLACES, {}, random.Random(1)), PickySink()
    sink.refuses_everything = True
    core.receive([message(1, 1.0)], 0.0)
    batch = core.next_batch(0.0, final=True)
    assert batch is not None
    assert core.refused(batch, "no", 0.0) == 0.0
    batch = core.next_batch(0.0)
    assert batch is not None
    assert core.refused(batch, "no", 0.0) > 0.0
    assert core.next_batch(0.0) is None, "it waits"
    assert core.held == 1
    sink.refuses_everything = False
    batch = core.next_batch(1e6)
    assert batch is not None
    assert (await sink.write(batch.ingest)).rejected == 1


async def test_fresh_messages_meanwhile_come_after_the_rest_of_the_batch():
    core, sink = Core(POLICY, PLACES, {}, random.Random(1)), PickySink()
    core.receive([message(n, POISON_KW if n == 8 else 1.0) for n in range(1, 11)], 0.0)
    batch = core.next_batch(0.0, final=True)
    assert batch is not None
    core.refused(batch, "no", 0.0)
    core.receive([message(n, 1.0) for n in range(11, 21)], 0.0)
    total, confirmed, _ = await drive(core, sink)
    assert (total.stored, total.rejected) == (19, 1)
    assert confirmed == sorted(confirmed)
    assert confirmed[-1] == 20
