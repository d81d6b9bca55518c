"""The MQTT source: a connection after another, one session in the broker.

Every connection has a client and a number of its own: message ids of an earlier connection mean
nothing on this one, so their tokens are dropped. The session lives on in the broker (stable client
id, no clean start, long expiry), which delivers again whatever was not acknowledged.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Final

import structlog

from collector.connection import Connection
from collector.source import Incoming, Proof, Token
from wattwitness.domain.errors import BrokerUnavailableError
from wattwitness.runtime.backoff import Backoff
from wattwitness.wire.broker_address import BrokerAddress
from wattwitness.wire.payload import encode_ack
from wattwitness.wire.topics import ack_topic

log = structlog.get_logger()
KEEPALIVE_S: Final = 15  # a connection that is dead without a word is found out within two of these
FIRST_PATIENCE_S: Final = 30.0  # for a broker that is just starting


class MqttSource:
    """Implements `Source`; `run` keeps it connected."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        window: int,
        backoff: Backoff,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        self._address = address
        self._about = (address, client_id, window, keepalive_s)
        self._backoff = backoff
        self._chance = random.Random()  # noqa: S311 - jitter
        self._numbers = 0
        self._connection: Connection | None = None
        self._inbox: list[Incoming] = []
        self._arrived = asyncio.Event()
        self._closing = False
        self.set_clock(time.time_ns() // 1000)

    async def connect(self) -> None:
        """Connect for the first time.

        Raises:
            BrokerUnavailableError: not reachable for `FIRST_PATIENCE_S`, or refused.
        """
        deadline_s = time.monotonic() + FIRST_PATIENCE_S
        failures = 0
        while True:
            try:
                await self._open()
            except (OSError, TimeoutError) as error:
                failures += 1
                if failures == 1:
                    log.warning("waiting_for_broker", broker=str(self._address), error=str(error))
                if time.monotonic() >= deadline_s:
                    raise BrokerUnavailableError(
                        f"no broker at {self._address}: {error or 'no answer'}",
                        "start it, or set WATTWITNESS_MQTT_URL",
                    ) from None
                await asyncio.sleep(min(1.0, self._backoff.delay_s(failures, self._chance)))
            else:
                return

    async def run(self) -> None:
        """Stay connected: connect again whenever the connection ends, until `close`."""
        failures = 0
        while True:
            if self._connection is not None:
                reason = await self._connection.run()
                self._connection = None
                if self._closing:
                    return
                log.warning("disconnected", broker=str(self._address), reason=reason)
            await asyncio.sleep(self._backoff.delay_s(failures + 1, self._chance))
            try:
                await self._open()
                failures = 0
            except (OSError, TimeoutError, BrokerUnavailableError) as error:
                failures += 1
                log.warning("not_connected", broker=str(self._address), error=str(error))

    async def receive(self) -> Sequence[Incoming]:
        """The messages since the last call; see `Source.receive`."""
        await self._arrived.wait()
        self._arrived.clear()
        messages, self._inbox = self._inbox, []
        return messages

    def prove(self, proofs: Sequence[Proof]) -> None:
        """Publish proofs of delivery; without a connection, the gateways will ask again."""
        if self._connection is not None:
            for proof in proofs:
                self._connection.publish(ack_topic(proof.gateway_id), encode_ack(proof.ack))

    def commit(self, tokens: Sequence[Token]) -> None:
        """Acknowledge messages of this connection; see `Source.commit`."""
        current = self._connection
        if current is not None:
            current.acknowledge(
                [t.message for t in tokens if t.connection == current.number and t.message]
            )

    async def close(self) -> None:
        """Flush and disconnect; see `Source.close`."""
        self._closing = True
        if self._connection is not None:
            await self._connection.close()

    async def _open(self) -> None:
        self._numbers += 1
        # set at once: its first messages may be settled before it is ready
        self._connection = connection = Connection(
            self._numbers, *self._about, self._take, self._now_us
        )
        try:
            await connection.open()
        except (OSError, TimeoutError, BrokerUnavailableError):
            self._connection = None
            await connection.close()
            raise

    def set_clock(self, now_us: int) -> None:
        """Date messages from this instant on by a clock that cannot jump, until told again."""
        self._began_us, self._began_ns = now_us, time.monotonic_ns()

    def _now_us(self) -> int:
        return self._began_us + (time.monotonic_ns() - self._began_ns) // 1000

    def _take(self, messages: Sequence[Incoming]) -> None:
        if not self._closing:
            self._inbox += messages
            self._arrived.set()
