"""The loop between a source and a sink in memory: order of answers, outages, drain."""

import asyncio
import random
from collections.abc import Callable
from typing import Self

import pytest

from collector.bounds import Calendar
from collector.collecting import TURN_BYTES, Collecting, in_turns
from collector.core import Core, Policy
from collector.decode import Place, Places
from collector.memory_sink import MemorySink
from collector.memory_source import MemorySource
from collector.metrics import Metrics
from collector.source import Incoming, Token
from wattwitness.domain.errors import SetupError
from wattwitness.domain.ingest import AtWork, IngestBatch, IngestOutcome
from wattwitness.runtime.backoff import Backoff
from wattwitness.wire.payload import Status, WireReading, encode_message, encode_status
from wattwitness.wire.topics import readings_topic, status_topic

PLACES = Places({"G": {"P": Place(1, 1e6)}})


class Rig:
    """A loop with everything in memory."""

    def __init__(self, batch_wait_s: float = 0.01) -> None:
        policy = Policy(
            calendar=Calendar(0, 10**18),
            batch_readings=10,
            batch_wait_s=batch_wait_s,
            retry=Backoff(0.01, 0.02),
        )
        self.source, self.sink, self.metrics = MemorySource(50), MemorySink(), Metrics()
        self.taken_in: list[Places] = []
        self.slices = 0  # in the parking
        self.looked_at: list[int] = []  # rows that were stored at each look into it
        core = Core(policy, PLACES, {}, random.Random(1))
        self.collecting = Collecting(core, self.source, self.sink, self.metrics, self._take_in)

    async def _take_in(self, places: Places) -> IngestOutcome | None:
        self.taken_in.append(places)
        self.looked_at.append(len(self.sink.rows))
        await asyncio.sleep(0)
        if not self.slices:
            return None
        self.slices -= 1
        return IngestOutcome()

    def put(self, first: int, last: int) -> None:
        for seq in range(first, last + 1):
            payload = encode_message([WireReading("P", seq, p=1.0)], epoch="e", seq=seq)
            self.source.put(readings_topic("G"), payload)

    async def __aenter__(self) -> Self:
        self.tasks = [
            asyncio.create_task(self.collecting.receive()),
            asyncio.create_task(self.collecting.write()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.tasks[0].cancel()
        self.collecting.drain()
        await self.tasks[1]
        await asyncio.gather(self.tasks[0], return_exceptions=True)

    async def until(self, rows: int) -> None:
        await until(lambda: len(self.sink.rows) >= rows and not self.source.unsettled)


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_everything_is_stored_settled_and_proven():
    async with Rig() as rig:
        rig.put(1, 100)
        rig.source.put(status_topic("G"), encode_status(Status(online=True, ts=5)))
        await rig.until(100)
    assert rig.source.proofs[-1].ack.seq == 100
    assert rig.sink.epochs == {("G", "e"): 100}
    assert rig.sink.statuses["G"].online
    assert rig.metrics.readings.labels("stored", "")._value.get() == 100


class SlowSink(MemorySink):
    """Writes when it is let; notes what is prepared meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.let = asyncio.Event()
        self.prepared: list[int] = []
        self.at_work: AtWork | None = None

    def prepare(self, batch: IngestBatch) -> None:
        self.prepared.append(len(batch.rows))

    async def write(self, batch: IngestBatch, at_work: AtWork | None = None) -> IngestOutcome:
        assert at_work is not None
        self.at_work = at_work
        at_work(True)
        await self.let.wait()
        return await super().write(batch)


async def test_what_is_there_already_is_prepared_while_a_batch_is_written():
    async with Rig() as rig:
        rig.collecting._sink = rig.sink = sink = SlowSink()
        rig.put(1, 30)  # at once: nothing comes any more that would remind anybody
        await until(lambda: sink.prepared)
        assert (sink.prepared, len(sink.rows)) == ([10], 0)
        sink.let.set()
        await rig.until(30)
    assert rig.source.proofs[-1].ack.seq == 30


async def test_a_store_that_waits_for_our_word_comes_before_what_can_wait(monkeypatch):
    monkeypatch.setattr("collector.collecting.STORE_FIRST_S", 60.0)
    async with Rig() as rig:
        rig.collecting._sink = rig.sink = sink = SlowSink()
        rig.put(1, 30)
        await until(lambda: sink.prepared)
        sink.at_work(False)  # its rows are in: it waits to hear what comes beside them
        rig.put(31, 40)
        await asyncio.sleep(0.05)
        held = rig.collecting._core.held
        sink.at_work(True)
        await until(lambda: rig.collecting._core.held > held)
        sink.let.set()
        await rig.until(40)
    assert held == 30


async def test_a_store_that_hangs_is_not_waited_for():
    async with Rig() as rig:
        rig.collecting._sink = rig.sink = sink = SlowSink()
        rig.put(1, 30)
        await until(lambda: sink.prepared)
        sink.at_work(False)
        rig.put(31, 40)
        await until(lambda: rig.collecting._core.held == 40)
        sink.let.set()
        await rig.until(40)


async def test_what_the_store_has_too_little_of_is_decoded_at_once():
    async with Rig() as rig:
        rig.collecting._sink = rig.sink = sink = SlowSink()
        rig.put(1, 10)
        await until(lambda: sink.at_work)
        sink.at_work(False)
        rig.put(11, 15)
        await until(lambda: rig.collecting._core.held == 15)
        sink.let.set()
        await rig.until(15)


@pytest.mark.parametrize(
    ("sizes", "turns"),
    [([], []), ([10], [1]), ([TURN_BYTES], [1]), ([TURN_BYTES - 1, 1, 5], [2, 1]),
     ([3 * TURN_BYTES, 1], [1, 1])],
)  # fmt: skip
def test_a_turn_ends_with_the_message_that_fills_it(sizes, turns):
    messages = [Incoming("t", bytes(size), 0, Token(1, k)) for k, size in enumerate(sizes)]
    found = list(in_turns(messages))
    assert [len(turn) for turn in found] == turns
    assert [m for turn in found for m in turn] == messages


async def test_an_outage_is_waited_out_and_nothing_is_settled_meanwhile():
    async with Rig() as rig:
        rig.sink.broken = True
        rig.put(1, 30)
        await asyncio.sleep(0.1)
        assert rig.source.unsettled == 30
        assert rig.source.proofs == []
        rig.sink.broken = False
        await rig.until(30)
    assert rig.metrics.failures._value.get() >= 2


async def test_a_stop_commits_what_is_in_hand():
    async with Rig(batch_wait_s=60.0) as rig:
        rig.put(1, 7)
        await asyncio.sleep(0.05)
        assert not rig.sink.rows
    assert len(rig.sink.rows) == 7
    assert rig.source.unsettled == 0
    assert rig.source.proofs[-1].ack.seq == 7


async def test_the_parking_is_looked_into_at_the_start_and_after_every_change():
    wider = Places({"G": {}, "H": {}})
    async with Rig() as rig:
        await asyncio.sleep(0.02)
        rig.collecting.learn(wider)
        await asyncio.sleep(0.02)
    assert rig.taken_in == [PLACES, wider]


async def test_parking_and_fresh_messages_take_turns():
    rig = Rig()
    rig.slices = 5
    rig.put(1, 50)  # five full batches are waiting
    async with rig:
        await rig.until(50)
        assert sum(rows < 50 for rows in rig.looked_at) >= 3, "it waits until no message is left"
        rig.slices = 10**9
        rig.put(51, 100)
        await rig.until(100)  # an endless parking holds up no message
    assert rig.slices > 0, "and no stop"


async def test_a_batch_that_was_planned_before_a_change_is_followed_by_a_look():
    wider = Places({"G": {"P": Place(1, 1e6)}, "H": {}})
    async with Rig() as rig:
        rig.sink.broken = True
        rig.put(1, 10)
        await asyncio.sleep(0.05)
        rig.collecting.learn(wider)
        await asyncio.sleep(0.05)
        looks = len(rig.taken_in)
        assert rig.taken_in[-1] is wider
        rig.sink.broken = False
        await rig.until(10)
        await asyncio.sleep(0.05)
        assert len(rig.taken_in) == looks + 1


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:99999", "256.0.0.1:80"])
def test_an_address_that_cannot_serve_metrics_is_told(address: str):
    with pytest.raises(SetupError, match="WATTWITNESS_COLLECTOR_METRICS"):
        Metrics().serve(address)
