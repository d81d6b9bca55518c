"""One connection to the broker: paho-mqtt with manual acknowledgement, driven by the event loop.

The client runs without a thread: the loop reads when the socket is readable, many packets at a
time, and everything that is acknowledged together leaves in one go. Messages, their
acknowledgements and the proofs go past the client (`collector.front` says why).
"""

import asyncio
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

from collector.front import Front
from collector.packets import Publish
from collector.proving import MOST_IN_FLIGHT
from collector.pump import Pump
from collector.source import Incoming, Token
from wattwitness.domain.errors import BrokerUnavailableError
from wattwitness.wire.broker_address import BrokerAddress
from wattwitness.wire.topics import READINGS_FILTER, STATUS_FILTER

log = structlog.get_logger()
SESSION_EXPIRY_S: Final = 7 * 86_400
FLUSH_S: Final = 5.0  # for what is queued to leave before the goodbye
ANSWER_S: Final = 15.0  # for the broker to accept connection and subscription
_REFUSED: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C})  # it will not help to try again


class FrontedClient(Client):
    """The packet client, with a `Front` around the socket that it makes."""

    def _create_socket(self) -> Any:
        return Front(super()._create_socket())


class Connection:
    """One client on one connection, from its CONNECT to its end."""

    def __init__(
        self,
        number: int,
        address: BrokerAddress,
        client_id: str,
        window: int,
        keepalive_s: int,
        deliver: Callable[[Sequence[Incoming]], None],
        clock_us: Callable[[], int],
    ) -> None:
        self.number = number
        self._address, self._window, self._keepalive_s = address, window, keepalive_s
        self._deliver = deliver
        self._clock_us = clock_us
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()
        client = FrontedClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.suppress_exceptions = False
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        pump = Pump(client, window, self._take, self._end)
        client.on_socket_register_write = lambda *_: pump.wants_to_write()
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
        if not isinstance(sock, Front):
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
        self._pump.acknowledge(messages)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1."""
        self._pump.publish(topic.encode(), payload)

    async def close(self) -> None:
        """Send what is queued, say goodbye, and leave; the session stays with the broker."""
        deadline_s = time.monotonic() + FLUSH_S
        while not self._pump.is_flushed and time.monotonic() < deadline_s:  # noqa: ASYNC110 - bounded
            await asyncio.sleep(0.01)
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
        self, client: Client, _userdata: Any, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refused(f"the broker at {self._address} refuses us: {reason}", reason.value)
            return
        may_send = getattr(properties, "ReceiveMaximum", MOST_IN_FLIGHT)
        self._pump.outgoing.most_in_flight = min(MOST_IN_FLIGHT, may_send)
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
        """A message that the front left to the client."""
        mid = message.mid if message.qos else 0
        if mid:
            self._pump.received(mid, len(message.payload))
        try:
            topic = message.topic.encode()
        except UnicodeDecodeError:
            topic = b"\xff"
        self._take([(topic, mid, message.dup, bytes(message.payload))])

    def _take(self, publishes: Sequence[Publish]) -> None:
        now_us, number = self._clock_us(), self.number
        self._deliver(
            [
                Incoming(_text(topic), payload, now_us, Token(number, mid), dup)
                for topic, mid, dup, payload in publishes
            ]
        )

    def _on_disconnect(
        self, _client: Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        self._end(str(reason))


def _text(topic: bytes) -> str:
    try:
        return topic.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
