"""The MQTT source: paho-mqtt with manual acknowledgement, driven by the event loop.

Every connection has a client and a number of its own: message ids of an earlier connection mean
nothing on this one, so their tokens are dropped. The session lives on in the broker (stable client
id, no clean start, long expiry), which delivers again whatever was not acknowledged.

The client runs without a thread: the loop reads when the socket is readable, many packets at a
time, and everything that is acknowledged together leaves in one go.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.pump import Pump
from collector.source import Incoming, Proof, Token
from wattwitness.domain.errors import BrokerUnavailableError
from wattwitness.runtime.backoff import Backoff
from wattwitness.wire.broker_address import BrokerAddress
from wattwitness.wire.payload import encode_ack
from wattwitness.wire.topics import READINGS_FILTER, STATUS_FILTER, ack_topic

log = structlog.get_logger()
KEEPALIVE_S: Final = 30
SESSION_EXPIRY_S: Final = 7 * 86_400
ANSWER_S: Final = 15.0  # for the broker to accept connection and subscription
FIRST_PATIENCE_S: Final = 30.0  # for a broker that is just starting
_PROOFS_IN_FLIGHT: Final = 1000
_REFUSED: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C})  # it will not help to try again


class Connection:
    """One client on one connection, from its CONNECT to its end."""

    def __init__(
        self,
        number: int,
        address: BrokerAddress,
        client_id: str,
        window: int,
        keepalive_s: int,
        deliver: Callable[[Incoming], None],
    ) -> None:
        self.number = number
        self._address, self._window, self._keepalive_s = address, window, keepalive_s
        self._deliver = deliver
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.suppress_exceptions = False
        client.max_inflight_messages_set(_PROOFS_IN_FLIGHT)
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        pump = Pump(client, window, self._end)
        client.on_socket_register_write = lambda *_: pump.wants_to_write()
        client.on_socket_unregister_write = lambda *_: pump.wrote()
        client.on_socket_close = lambda *_: pump.detach()
        self._client, self._pump = client, pump

    async def open(self) -> None:
        """Connect and subscribe.

        Raises:
            OSError: not reachable.
            BrokerUnavailableError: refused.
            TimeoutError: no answer.
        """
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = self._window
        await asyncio.to_thread(
            self._client.connect,
            self._address.host,
            self._address.port,
            self._keepalive_s,
            clean_start=False,
            properties=properties,
        )
        sock = self._client.socket()
        if sock is None:
            raise ConnectionError("closed at once")
        self._pump.attach(sock)
        async with asyncio.timeout(ANSWER_S):
            await self.ready

    async def run(self) -> str:
        """Keep the connection alive; returns why it ended."""
        while not self.ended.done():
            self._pump.keep_alive(self._keepalive_s)
            await asyncio.wait([self.ended], timeout=min(1.0, self._keepalive_s / 4))
        return self.ended.result()

    def acknowledge(self, messages: Sequence[int]) -> None:
        """PUBACK messages; they leave together with the next turn of the loop."""
        for message in messages:
            self._client.ack(message, 1)
        self._pump.settled(messages)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1."""
        self._client.publish(topic, payload, qos=1)

    async def close(self) -> None:
        """Send what is queued, say goodbye, and leave; the session stays with the broker."""
        if self._pump.is_open:
            self._client.disconnect()
            await asyncio.wait([self.ended], timeout=5.0)
        if self._pump.is_open:
            self._client.loop_write()  # closes the socket once the goodbye is out
        self._end("closed")

    def _end(self, reason: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(reason))
            self.ready.exception()  # seen, also when nobody waits any more
        if not self.ended.done():
            self.ended.set_result(reason)

    def _on_connect(
        self, client: Client, _userdata: Any, flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        if reason.is_failure:
            self._refused(f"the broker at {self._address} refuses us: {reason}", reason.value)
            return
        log.info("connected", broker=str(self._address), session_present=flags.session_present)
        if flags.session_present and not self.ready.done():
            self.ready.set_result(None)  # the SUBACK comes behind the backlog
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE)
        client.subscribe([(READINGS_FILTER, options), (STATUS_FILTER, options)])

    def _on_subscribe(
        self, _client: Client, _userdata: Any, _mid: int, reasons: Sequence[ReasonCode], *_: Any
    ) -> None:
        failed = [reason for reason in reasons if reason.is_failure]
        if failed:
            message = f"the broker at {self._address} refuses the subscription: {failed[0]}"
            self._refused(message, failed[0].value)
        elif not self.ready.done():
            self.ready.set_result(None)

    def _refused(self, message: str, code: int) -> None:
        error: Exception = BrokerUnavailableError(
            message, "check user, password and rights in WATTWITNESS_MQTT_URL"
        )
        if code not in _REFUSED:
            error = ConnectionError(message)
        if not self.ready.done():
            self.ready.set_exception(error)
        self._end(message)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._pump.received(message.mid, len(message.payload), to_settle=message.qos > 0)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "not UTF-8"
        self._deliver(
            Incoming(
                topic,
                bytes(message.payload),
                time.time_ns() // 1000,
                Token(self.number, message.mid if message.qos else 0),
                message.dup,
            )
        )

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._end(str(reason))


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
        self._connection = connection = Connection(self._numbers, *self._about, self._take)
        try:
            await connection.open()
        except (OSError, TimeoutError, BrokerUnavailableError):
            self._connection = None
            await connection.close()
            raise

    def _take(self, incoming: Incoming) -> None:
        if not self._closing:
            self._inbox.append(incoming)
            self._arrived.set()
