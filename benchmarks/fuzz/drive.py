"""Payloads through the real way in: decode, place, core, sink."""

import random
import time
from collections.abc import Iterator, Mapping
from itertools import islice

from benchmarks.fuzz import world
from benchmarks.fuzz.account import Books
from benchmarks.fuzz.expected import Sent
from collector.bounds import Calendar
from collector.core import Core, Policy
from collector.decode import Place, Places
from collector.sink import Sink
from collector.source import Incoming, Token

AT_ONCE = 400  # messages that are received before the next batch is asked for


def policy() -> Policy:
    """As the process has it by default."""
    return Policy(
        calendar=Calendar(world.KEEP_FROM_MS * world.MS, world.TOLERANCE_MS * world.MS),
        max_payload_bytes=world.MAX_PAYLOAD,
    )


def keys_of(places: Places) -> dict[tuple[str, str], int]:
    """(gateway, channel) → circuit key."""
    return {
        (gateway, channel): place.key
        for gateway, channels in places.by_gateway.items()
        for channel, place in channels.items()
    }


def places_in_memory() -> Places:
    """The world's registry with keys of our own."""
    key = iter(range(1, 10_000))
    return Places(
        {
            g: {c: Place(next(key), world.limit_kw(c)) for c in world.CHANNELS}
            for g in world.GATEWAYS
        }
    )


async def drive(messages: Iterator[Sent], core: Core, sink: Sink, books: Books) -> float:
    """Send all of them; returns the processor seconds of the collector's part."""
    n, busy_s, settled = 0, 0.0, 0
    in_hand: dict[int, Sent] = {}
    while some := list(islice(messages, AT_ONCE)):
        incoming = []
        for message in some:
            n += 1
            received_us = world.NOW_MS * world.MS + n
            in_hand[received_us] = message
            token = Token(1, n)
            incoming.append(Incoming(message.topic, message.payload, received_us, token))
        started_s = time.process_time()
        core.receive(incoming, float(n))
        while (batch := core.next_batch(float(n), final=True)) is not None:
            outcome = await sink.write(batch.ingest)
            await sink.note_statuses(batch.statuses)
            settlement = core.committed(batch, float(n), world.NOW_MS)
            busy_s += time.process_time() - started_s
            settled += len(settlement.tokens)
            numbers = [token.message for token in settlement.tokens]
            books.close_batch(_taken(in_hand, numbers), batch.ingest, outcome)
            started_s = time.process_time()
        busy_s += time.process_time() - started_s
    if settled != n or core.held or in_hand:
        books.mismatches.append(f"{n} messages came, {settled} were settled, {core.held} are held")
    return busy_s


def _taken(in_hand: dict[int, Sent], numbers: list[int]) -> Mapping[int, Sent]:
    """The messages that a batch settled, by receipt."""
    receipts = [world.NOW_MS * world.MS + number for number in numbers]
    return {us: in_hand.pop(us) for us in receipts if us in in_hand}


def new_core(places: Places, seed: str) -> Core:
    """A core of its own for each chapter."""
    return Core(policy(), places, {}, random.Random(seed))
