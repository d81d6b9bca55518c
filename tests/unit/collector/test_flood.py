"""A gateway that sends far more than all others waits; nobody else does."""

import random
from collections import Counter
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import given

from collector.bounds import Calendar
from collector.core import Batch, Core, Policy
from collector.decode import Place, Places
from collector.held import open_incoming
from collector.source import Incoming, Token
from collector.waiting import Flood, Waiting
from wattwitness.wire.payload import WireReading, encode_message
from wattwitness.wire.topics import readings_topic

NOW_MS = 1_767_225_600_000
GATEWAYS = [f"G{n}" for n in range(6)]
PLACES = Places({g: {"P": Place(n + 1, 1e6)} for n, g in enumerate(GATEWAYS)})
POLICY = Policy(
    calendar=Calendar(0, 10**18),
    batch_readings=20,
    most_readings=40,
    pressure_messages=60,
    flood=Flood(factor=4.0, least_messages=5),
)


class Line:
    """Messages in the order in which the broker hands them over."""

    def __init__(self) -> None:
        self.n = 0
        self.seq: Counter[str] = Counter()

    def message(self, gateway: str) -> Incoming:
        self.n += 1
        self.seq[gateway] += 1
        payload = encode_message(
            [WireReading("P", NOW_MS + self.n, p=1.0)], epoch="e", seq=self.seq[gateway]
        )
        return Incoming(readings_topic(gateway), payload, self.n, Token(1, self.n))


def core(policy: Policy = POLICY) -> Core:
    return Core(policy, PLACES, {}, random.Random(1))


def plan(core: Core) -> Batch:
    batch = core.next_batch(0.0, final=True)
    assert batch is not None
    return batch


def aside(batch: Batch) -> dict[str, int]:
    return {a.gateway_id: len(a.messages) for a in batch.ingest.aside}


def test_others_come_in_with_the_next_batch_though_they_stand_behind_a_flood():
    line, found = Line(), core()
    found.receive([line.message("G0") for _ in range(500)], 0.0)
    ordinary = [line.message(g) for g in GATEWAYS[1:]]
    found.receive(ordinary, 0.0)
    batch = plan(found)
    assert aside(batch) == {"G0": 495}
    assert {h.identity[1] for h in batch.held} >= {m.payload for m in ordinary}
    settlement = found.committed(batch, 0.0, NOW_MS)
    assert {p.gateway_id: p.ack.seq for p in settlement.proofs} == dict(line.seq)
    assert found.held == 0


def test_a_gateway_alone_is_never_slowed_down():
    line, found = Line(), core()
    found.receive([line.message("G0") for _ in range(500)], 0.0)
    assert aside(plan(found)) == {}


def test_many_with_as_much_to_say_are_never_slowed_down():
    line, found = Line(), core()
    found.receive([line.message(g) for _ in range(100) for g in GATEWAYS], 0.0)
    assert aside(plan(found)) == {}


def test_without_pressure_nothing_is_kept_aside():
    line, found = Line(), core()
    found.receive([line.message("G0") for _ in range(30)], 0.0)
    found.receive([line.message("G1")], 0.0)
    assert aside(plan(found)) == {}


def test_it_can_be_switched_off():
    line, found = Line(), core(replace(POLICY, flood=Flood(factor=0.0)))
    found.receive([line.message("G0") for _ in range(500)], 0.0)
    found.receive([line.message("G1")], 0.0)
    assert aside(plan(found)) == {}


def test_beyond_its_bytes_a_flood_stays_in_line():
    line, found = Line(), core(replace(POLICY, flood=Flood(4.0, 5, most_bytes=1000)))
    found.receive([line.message("G0") for _ in range(500)], 0.0)
    found.receive([line.message("G1")], 0.0)
    batch = plan(found)
    assert 5 < aside(batch)["G0"] < 20
    assert found.aside_bytes["G0"] <= 1000
    found.committed(batch, 0.0, NOW_MS)
    assert aside(plan(found)) == {}
    found.took_aside("G0", found.aside_bytes["G0"])
    assert not found.aside_bytes


def test_once_it_floods_only_the_numbers_are_read_and_all_is_decoded_when_it_ends():
    line, found = Line(), core()
    found.receive([line.message("G0") for _ in range(200)], 0.0)
    found.receive([line.message("G1")], 0.0)
    found.committed(plan(found), 0.0, NOW_MS)
    found.receive([line.message("G0") for _ in range(8)], 0.0)
    assert all(held.sealed for held in found._open)
    batch = plan(found)
    assert len(batch.ingest.rows) == 8
    assert [p.ack.seq for p in found.committed(batch, 0.0, NOW_MS).proofs] == [208]


def test_a_batch_that_the_store_refuses_keeps_nothing_aside():
    line, found = Line(), core()
    found.receive([line.message("G0") for _ in range(300)], 0.0)
    found.receive([line.message("G1")], 0.0)
    batch = plan(found)
    assert found.aside_bytes["G0"]
    found.refused(batch, "no", 0.0)
    assert not found.aside_bytes.total()
    assert found.held == 301


@given(st.lists(st.sampled_from([*GATEWAYS, "G0", "G0", "G0"]), max_size=400), st.data())
def test_every_message_is_written_or_kept_aside_once(sent: list[str], data: st.DataObject):
    line, found = Line(), core()
    tokens: Counter[int] = Counter()
    rows = kept = 0

    def write() -> None:
        nonlocal rows, kept
        while (batch := found.next_batch(0.0, final=True)) is not None:
            found.plan_ahead()
            rows += len(batch.ingest.rows)
            kept += sum(aside(batch).values())
            tokens.update(t.message for t in found.committed(batch, 0.0, NOW_MS).tokens)

    for gateway in sent:
        found.receive([line.message(gateway)], 0.0)
        if data.draw(st.integers(0, 60)) == 0:
            write()
    write()
    assert rows + kept == len(sent)
    assert tokens == Counter(range(1, len(sent) + 1))


def test_counts_of_the_line_hold():
    line, waiting = Line(), Waiting(Flood(2.0, 1))
    held = [open_incoming(line.message(g), 10_000, 0.0) for g in ["G0"] * 50 + ["G1", "G2"]]
    for one in held:
        waiting.add(one)
    taken = waiting.take_floods(Counter(), 10**9)
    waiting.put_back(taken[:3])
    assert (len(waiting), waiting.readings) == (52 - len(taken) + 3,) * 2
    assert waiting.bytes == sum(one.size for one in waiting)
    while len(waiting):
        waiting.take(5, 10**9)
    assert (waiting.readings, waiting.bytes) == (0, 0)
