"""The postman: carries the outbox to the broker, and proofs of delivery back to the outbox."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog

from gateway_sim.delivery import Cursor, Delivery
from gateway_sim.messages import addressed
from gateway_sim.outbox import Outbox
from gateway_sim.publisher import Publisher
from wattwitness.domain.errors import BrokerUnavailableError
from wattwitness.runtime.backoff import Backoff
from wattwitness.wire.broker_address import BrokerAddress
from wattwitness.wire.payload import Ack, Status, decode_ack, encode_status
from wattwitness.wire.topics import Topic, ack_topic, readings_topic, status_topic

BACKOFF: Final = Backoff(first_s=0.5, most_s=30.0)
UNPROVEN_MOST: Final = 4000  # what may be under way without proof; the rest waits in the outbox
TURN: Final = 100  # messages of one gateway before the next has its turn
IDLE_S: Final = 0.25
LATE_AFTER_US: Final = 5 * 60 * 1_000_000
log = structlog.get_logger()


class Postman:
    """Delivers the messages of some gateways over one connection.

    Args:
        outbox: shared with the other postmen of the process.
        address: the broker.
        gateways: whose messages to carry.
        now_us: the gateways' clock, for `sent`, status and lateness; None sends no dates and marks
            nothing as resent (a replay says only what its file says).
        single: the connection belongs to this one gateway, with its last will.
    """

    def __init__(
        self,
        outbox: Outbox,
        address: BrokerAddress,
        gateways: Iterable[str],
        now_us: Callable[[], int] | None = None,
        *,
        single: bool = False,
    ) -> None:
        self._outbox = outbox
        self._address = address
        self.gateways = frozenset(gateways)
        self._now_us = now_us
        self._single = single
        self._delivery = Delivery()
        self._proofs: list[tuple[str, str, int]] = []
        self._wake = asyncio.Event()
        self._chance = random.Random()
        self._told_refused = 0
        self.connected = False
        self.published = 0
        self.proven_at_s = time.monotonic()  # when something was proven last
        mine = [s for s in outbox.stretches() if s.gateway in self.gateways]
        self._delivery.load(mine, time.monotonic())

    def added(self, newest: Sequence[tuple[str, int]]) -> None:
        """Tell what is new in the outbox: (gateway, newest number)."""
        now_s = time.monotonic()
        for gateway, seq in newest:
            self._delivery.added(gateway, self._outbox.epoch, seq, now_s)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Messages that are not proven yet."""
        return sum(c.newest - c.proven for c in self._delivery.cursors.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, deliver, reconnect; until told to stop.

        Raises:
            BrokerUnavailableError: the very first connection failed. Later ones are tried for ever,
                after waits that double up to half a minute, half of each at random.
        """
        failures = 0
        ever = False
        while not stop.is_set():
            try:
                async with self._publisher() as publisher:
                    failures, ever, self.connected = 0, True, True
                    await self._serve(publisher, stop)
            except BrokerUnavailableError as error:
                if not ever:
                    raise
                log.warning("broker_unavailable", reason=error.message)
            finally:
                self.connected = False
            if not stop.is_set():
                failures += 1
                await _wait(stop, BACKOFF.delay_s(failures, self._chance))

    def _publisher(self) -> Publisher:
        will = None
        if self._single and len(self.gateways) == 1:
            gateway = next(iter(self.gateways))
            will = (status_topic(gateway), encode_status(Status(online=False, ts=self._now_ms())))
        topics = [ack_topic(gateway) for gateway in sorted(self.gateways)]
        return Publisher(self._address, topics, self._arrived, will)

    async def _serve(self, publisher: Publisher, stop: asyncio.Event) -> None:
        await self._tell_status(publisher, online=True)
        self._delivery.reconnected(time.monotonic())
        while not stop.is_set() and not publisher.closed.is_set():
            self._file_proofs()
            sent = await self._send(publisher)
            for cursor in self._delivery.impatient(time.monotonic()):
                log.warning("no_proof_of_delivery", gateway=cursor.gateway, after=cursor.proven)
            if publisher.refused > self._told_refused:
                log.error("broker_refuses_publish", messages=publisher.refused)
                self._told_refused = publisher.refused
            if not sent:
                await self._pause()
        self._file_proofs()
        if not publisher.closed.is_set():
            await self._tell_status(publisher, online=False)
            await publisher.drained(5.0)

    async def _send(self, publisher: Publisher) -> int:
        sent = 0
        room = UNPROVEN_MOST - self._delivery.unproven()
        for cursor in self._delivery.unsent():
            if room <= 0 or publisher.closed.is_set():
                break
            await publisher.wait_for_room(IDLE_S)
            some = self._send_turn(publisher, cursor, min(room, TURN, publisher.room()))
            sent += some
            room -= some
        self.published += sent
        return sent

    def _send_turn(self, publisher: Publisher, cursor: Cursor, limit: int) -> int:
        """Send up to `limit` messages of one gateway; returns how many."""
        topic = readings_topic(cursor.gateway)
        now_us = None if self._now_us is None else self._now_us()
        sent = 0
        for kept in self._outbox.read(cursor.gateway, cursor.epoch, cursor.sent, limit):
            payload = addressed(
                kept.readings,
                epoch=kept.epoch,
                seq=kept.seq,
                oldest=cursor.proven + 1,
                sent_ms=None if now_us is None else now_us // 1000,
                late_before_us=None if now_us is None else now_us - LATE_AFTER_US,
            )
            if not publisher.publish(topic, payload):
                break
            if cursor.sent == cursor.proven:
                cursor.moved_s = time.monotonic()
            cursor.sent = kept.seq
            sent += 1
        return sent

    async def _tell_status(self, publisher: Publisher, *, online: bool) -> None:
        payload = encode_status(Status(online=online, ts=self._now_ms()))
        for gateway in sorted(self.gateways):
            await publisher.wait_for_room(IDLE_S)
            publisher.publish(status_topic(gateway), payload, retain=True)

    def _now_ms(self) -> int:
        return (time.time_ns() // 1000 if self._now_us is None else self._now_us()) // 1000

    def _arrived(self, topic: str, payload: bytes) -> None:
        ack = decode_ack(payload)
        if not isinstance(ack, Ack):
            log.warning("proof_unreadable", topic=topic, reason=ack.text)
            return
        gateway = Topic.parse(topic).gateway_id
        if self._delivery.proof(gateway, ack.epoch, ack.seq, time.monotonic()):
            self._proofs.append((gateway, ack.epoch, ack.seq))
            self.proven_at_s = time.monotonic()
            self._wake.set()

    def _file_proofs(self) -> None:
        if self._proofs:
            self._outbox.confirm(self._proofs)
            self._proofs.clear()
            self._delivery.forget_done(self._outbox.epoch)

    async def _pause(self) -> None:
        self._wake.clear()
        if self._proofs:
            return
        await _wait(self._wake, IDLE_S)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
