"""The core against a gateway, a broker and a store that fail in every order."""

import random
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from collector.bounds import Calendar
from collector.core import Core, Policy
from collector.decode import Delivery, Place, Places, place
from collector.memory_sink import MemorySink
from collector.memory_source import MemorySource
from collector.waiting import Flood
from wattwitness.domain.errors import StoreUnavailableError
from wattwitness.domain.ingest import IngestBatch
from wattwitness.runtime.backoff import Backoff
from wattwitness.wire.payload import WireReading, encode_message
from wattwitness.wire.skimming import Letter, skim_message
from wattwitness.wire.topics import readings_topic

NOW_MS = 1_767_225_600_000
WINDOW = 8
POLICY = Policy(
    calendar=Calendar(0, 10**15),
    batch_readings=5,
    most_readings=7,
    pressure_messages=4,
    flood=Flood(factor=1.0, least_messages=1),
    batch_wait_s=0.2,
    stale_messages=WINDOW,
    repeat_proof_s=0.0,
    retry=Backoff(0.1, 1.0),
)
PLACES = Places({"G": {"P": Place(1, 1e6)}, "H": {"P": Place(2, 1e6)}})


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


class Collector(RuleBasedStateMachine):
    """`k` numbers the measurements of the gateway's life; (epoch, seq) number its messages."""

    @initialize(says_oldest=st.booleans(), first=st.sampled_from([0, 1]))
    def start(self, says_oldest: bool, first: int):  # noqa: FBT001
        self.says_oldest = says_oldest
        self.first = first if says_oldest else 1
        self.sink = MemorySink()
        self.source = MemorySource(WINDOW)
        self.now_s = 0.0
        self.made = self.said = 0
        self.epoch = 0
        self.next_seq = self.first
        self.outbox: dict[int, int] = {}  # seq → k, not proven
        self.numbered: dict[tuple[str, int], int] = {}  # (epoch, seq) → k
        self.settled: set[bytes] = set()
        self.proven = 0
        self.told_from = 0
        self.start_collector()

    def start_collector(self):
        kept: Counter[str] = Counter()
        for aside in self.sink.aside.values():
            kept[aside.gateway_id] += sum(len(payload) for _, payload in aside.messages)
        self.core = Core(POLICY, PLACES, dict(self.sink.epochs), random.Random(0), kept)
        self.source.reconnect()

    def send(self, seq: int):
        reading = WireReading("P", NOW_MS + self.outbox[seq], p=float(self.outbox[seq]))
        oldest = min(self.outbox) if self.says_oldest else None
        payload = encode_message([reading], epoch=str(self.epoch), seq=seq, oldest=oldest)
        self.source.put(readings_topic("G"), payload)

    @rule(n=st.integers(1, 4))
    def publish(self, n: int):
        for _ in range(n):
            seq, self.next_seq = self.next_seq, self.next_seq + 1
            self.outbox[seq] = self.made
            self.numbered[str(self.epoch), seq] = self.made
            self.made += 1
            self.send(seq)

    @rule(n=st.integers(1, 3))
    def another_gateway_publishes(self, n: int):
        for _ in range(n):
            self.said += 1
            payload = encode_message([WireReading("P", NOW_MS + self.said, p=-1.0)])
            self.source.put(readings_topic("H"), payload)

    @rule()
    def plan_ahead(self):
        self.core.plan_ahead()

    @rule(fate=st.sampled_from(["good", "broken", "lost answer"]))
    def take_aside(self, fate: str):
        if not self.sink.aside:
            self.core.nothing_aside()
            return
        number, aside = next(iter(self.sink.aside.items()))
        placed = place(
            [Delivery(aside.gateway_id, p, us, skim_message(p)) for us, p in aside.messages],
            PLACES,
            POLICY.calendar,
        )
        self.sink.broken, self.sink.lose_answer = fate == "broken", fate == "lost answer"
        try:
            done(self.sink.write(IngestBatch(rows=placed.rows, taken_aside=[number])))
        except StoreUnavailableError:
            return
        self.core.took_aside(aside.gateway_id, aside.size)

    @rule()
    def gateway_sends_its_outbox_again(self):
        for seq in sorted(self.outbox):
            self.send(seq)

    @rule()
    def gateway_restarts(self):
        kept = list(self.outbox.values())
        self.epoch += 1
        self.proven = 0
        self.outbox = dict(enumerate(kept, self.first))
        self.next_seq = self.first + len(kept)
        self.numbered |= {(str(self.epoch), seq): k for seq, k in self.outbox.items()}
        self.gateway_sends_its_outbox_again()

    @precondition(lambda self: self.says_oldest or self.proven)
    @rule()
    def broker_loses_everything(self):
        self.source._queue.clear()
        self.source._in_flight.clear()
        self.source.reconnect()

    @rule(n=st.integers(1, WINDOW))
    def deliver(self, n: int):
        at_us = NOW_MS * 1000 + int(self.now_s * 1e6)
        self.core.receive(self.source.deliver(at_us, n), self.now_s)

    @rule()
    def connection_breaks(self):
        self.source.reconnect()

    @rule(seconds=st.sampled_from([0.01, 0.3, 3.0]))
    def time_passes(self, seconds: float):
        self.now_s += seconds

    @rule(
        fate=st.sampled_from(["good", "good", "broken", "lost answer", "refused"]),
        final=st.booleans(),
    )
    def write(self, fate: str, final: bool):  # noqa: FBT001
        batch = self.core.next_batch(self.now_s, final=final)
        if batch is None:
            return
        if fate == "refused" and len(batch.held) > 1:  # it is halved; alone it would be a reject
            self.core.refused(batch, "no", self.now_s)
            return
        self.sink.broken, self.sink.lose_answer = fate == "broken", fate == "lost answer"
        try:
            done(self.sink.write(batch.ingest))
        except StoreUnavailableError:
            self.now_s += self.core.failed(self.now_s) / 2
            return
        settlement = self.core.committed(batch, self.now_s, NOW_MS)
        self.source.prove(settlement.proofs)
        before = dict(self.source._in_flight)
        self.source.commit(settlement.tokens)
        self.settled |= {before[m][1] for m in before.keys() - self.source._in_flight.keys()}

    @rule()
    def gateway_hears_its_proofs(self):
        heard, self.told_from = self.source.proofs[self.told_from :], len(self.source.proofs)
        for proof in heard:
            if proof.ack.epoch == str(self.epoch):
                self.proven = max(self.proven, proof.ack.seq)
                for seq in [s for s in self.outbox if s <= proof.ack.seq]:
                    del self.outbox[seq]

    @rule()
    def collector_is_killed(self):
        self.start_collector()

    @invariant()
    def what_was_proven_is_stored(self):
        for proof in self.source.proofs[-5:]:
            for (epoch, seq), k in self.numbered.items():
                if epoch == proof.ack.epoch and seq <= proof.ack.seq:
                    assert self.is_stored(k) or k in self.kept_aside()

    def is_stored(self, k: int) -> bool:
        return (1, (NOW_MS + k) * 1000) in self.sink.rows

    def kept_aside(self) -> set[int]:
        payloads = [p for a in self.sink.aside.values() for _, p in a.messages if b'"P"' in p]
        letters = [skim_message(p) for p in payloads]
        return {int(m.readings[0].p or 0) for m in letters if isinstance(m, Letter)}

    @invariant()
    def what_was_settled_is_stored_as_it_was_sent(self):
        for k in range(self.made):
            values = self.sink.rows.get((1, (NOW_MS + k) * 1000))
            assert values is None or values[0] == float(k)
        assert not self.sink.revisions
        assert not self.sink.kept

    @invariant()
    def memory_is_bounded(self):
        assert self.core.held <= 2 * WINDOW + 2 * POLICY.most_readings

    def teardown(self):
        if not hasattr(self, "sink"):
            return
        waiting = self.source.unsettled + self.core.held
        for _ in range(waiting + 4 * self.made + 20):
            self.gateway_hears_its_proofs()
            if not self.outbox:
                break
            if not self.source.unsettled and not self.core.held:
                self.gateway_sends_its_outbox_again()
            self.deliver(WINDOW)
            self.time_passes(3.0)
            self.write("good", final=True)
        while self.sink.aside:
            self.take_aside("good")
        self.take_aside("good")  # finds nothing: the answer of the last one may have been lost
        assert not self.core.aside_bytes.total()
        assert not self.outbox, "the gateway waits for a proof that never comes"
        assert {ts for key, ts in self.sink.rows if key == 1} == {
            (NOW_MS + k) * 1000 for k in range(self.made)
        }


Collector.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestCollector = Collector.TestCase
