"""One MQTT 5 connection, used by one gateway or by many virtual ones; the only importer of paho.

A connection lives once: after it breaks, a new client takes its place, so that no message id of the
old one can be mistaken. In flight are at most as many QoS 1 messages as the broker allows (its
Receive Maximum) and as we like to have (`WINDOW`).
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from wattwitness.domain.errors import BrokerUnavailableError
from wattwitness.wire.broker_address import BrokerAddress

WINDOW: Final = 2000
CONNECT_TIMEOUT_S: Final = 10.0
KEEP_ALIVE_S: Final = 30
MISC_S: Final = 1.0  # between looks at the keep-alive
SUBSCRIBE_AT_ONCE: Final = 200  # topics in one SUBSCRIBE packet
_REFUSED_FROM: Final = 128  # MQTT 5 reason codes from here on are refusals

OnMessage = Callable[[str, bytes], None]


class Publisher:
    """An open connection; use it as an async context manager.

    Args:
        address: the broker.
        topics: what to subscribe to (QoS 1).
        on_message: called with topic and payload.
        will: (topic, payload) that the broker publishes, retained, if we vanish.
    """

    def __init__(
        self,
        address: BrokerAddress,
        topics: Sequence[str],
        on_message: OnMessage,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self._address = address
        self._topics = topics
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._room = asyncio.Event()
        self._room.set()
        self._window = WINDOW
        self._in_flight = 0
        self._misc: asyncio.TimerHandle | None = None
        self.refused = 0  # publishes that the broker's access list turned down
        self.closed = asyncio.Event()
        self._client = self._new_client(will)

    def _new_client(self, will: tuple[str, bytes] | None) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(65_535)  # the window is ours to keep
        client.max_queued_messages_set(0)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._arrived
        if self._address.tls:
            client.tls_set()
        if self._address.username is not None:
            client.username_pw_set(self._address.username, self._address.password)
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        return client

    async def __aenter__(self) -> Self:
        """Connect and subscribe.

        Raises:
            BrokerUnavailableError: unreachable, or it refuses us.
        """
        remedy = "start the broker, or mend WATTWITNESS_MQTT_URL (or --mqtt-url)"
        try:
            await asyncio.to_thread(
                self._client.connect,
                self._address.host,
                self._address.port,
                KEEP_ALIVE_S,
                clean_start=True,
            )
            self._attach()
            await asyncio.wait_for(self._ready, CONNECT_TIMEOUT_S)
        except (OSError, ValueError) as error:
            self._close()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise BrokerUnavailableError(
                f"no broker at {self._address}: {reason}", remedy
            ) from None
        except BrokerUnavailableError:
            self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()

    def _attach(self) -> None:
        """Let the event loop read and write the socket: no thread, no locks to wait for."""
        sock = self._client.socket()
        if sock is None:
            raise OSError("the connection was closed")
        self._client.on_socket_register_write = self._wants_write
        self._client.on_socket_unregister_write = self._wants_no_write
        self._client.on_socket_close = lambda _client, _userdata, closed: self._detach(closed)
        self._loop.add_reader(sock, self._read)
        self._misc = self._loop.call_later(MISC_S, self._keep_alive)

    def _wants_write(self, client: mqtt.Client, _userdata: Any, sock: Any) -> None:
        self._loop.add_writer(sock, client.loop_write)

    def _wants_no_write(self, _client: mqtt.Client, _userdata: Any, sock: Any) -> None:
        self._loop.remove_writer(sock)

    def _detach(self, sock: Any) -> None:
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)
        self._gone()

    def _read(self) -> None:
        self._client.loop_read()
        sock = self._client.socket()
        while isinstance(sock, ssl.SSLSocket) and sock.pending():  # decrypted already: no event
            self._client.loop_read()
            sock = self._client.socket()

    def _keep_alive(self) -> None:
        self._client.loop_misc()
        if not self.closed.is_set():
            self._misc = self._loop.call_later(MISC_S, self._keep_alive)

    def _close(self) -> None:
        if self._misc is not None:
            self._misc.cancel()
        self._client.disconnect()
        self._client.loop_write()
        sock = self._client.socket()
        if sock is not None:  # the broker did not take the farewell
            self._detach(sock)
            sock.close()
        self._gone()

    def room(self) -> int:
        """How many messages may be published now."""
        return 0 if self.closed.is_set() else max(0, self._window - self._in_flight)

    async def wait_for_room(self, timeout_s: float) -> None:
        """Wait until there is room, the connection is gone, or `timeout_s` has passed."""
        if self.room() or self.closed.is_set():
            return
        self._room.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._room.wait(), timeout_s)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand one QoS 1 message to the connection; False when it is (about to be) gone."""
        if self.closed.is_set():
            return False
        self._in_flight += 1
        return bool(self._client.publish(topic, payload, 1, retain).rc == mqtt.MQTT_ERR_SUCCESS)

    async def drained(self, timeout_s: float) -> bool:
        """Wait until the broker has heard everything; whether it has."""
        until_s = time.monotonic() + timeout_s
        while self._in_flight and not self.closed.is_set() and time.monotonic() < until_s:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), max(0.01, until_s - time.monotonic()))
        return self._in_flight == 0

    def _connected(
        self,
        client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._settle(str(reason))
            return
        allowed = getattr(properties, "ReceiveMaximum", None)
        for start in range(0, len(self._topics), SUBSCRIBE_AT_ONCE):
            some = self._topics[start : start + SUBSCRIBE_AT_ONCE]
            client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in some])
        self._settle("", allowed)

    def _disconnected(self, *_: Any) -> None:
        self._settle("the connection was closed")
        self._gone()

    def _published(
        self, _client: mqtt.Client, _userdata: Any, _mid: int, reason: ReasonCode, *_: Any
    ) -> None:
        self._in_flight -= 1
        self.refused += reason.value >= _REFUSED_FROM
        self._room.set()

    def _arrived(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload))

    def _settle(self, refusal: str, allowed: int | None = None) -> None:
        if self._ready.done():
            return
        if refusal:
            self._ready.set_exception(
                BrokerUnavailableError(
                    f"the broker at {self._address} refuses us: {refusal}",
                    "check user and password in the MQTT URL",
                )
            )
            return
        if allowed is not None:
            self._window = min(self._window, int(allowed))
        self._ready.set_result(None)

    def _gone(self) -> None:
        self.closed.set()
        self._room.set()
