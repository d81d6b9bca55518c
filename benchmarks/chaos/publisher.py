"""The publisher: numbered QoS 1 messages, and a book of what broker and collector said of each.

It can keep an outbox, as a gateway that must not lose anything: what has no proof of delivery is
published again. It shares nothing with the product's simulator, and writes its JSON by hand.
"""

import json
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

EPOCH = "chaos"
START_MS = 1_767_225_600_000  # 2026-01-01
_IN_FLIGHT = 500
_PATIENCE_S = 5.0  # without a new proof, before a gateway sends again
_AT_ONCE = 200  # messages per gateway that are sent again


@dataclass(frozen=True, slots=True)
class Plan:
    """Which message carries what: message k is number `seq` of gateway `gateway`."""

    messages: int
    readings: int
    gateways: int

    def gateway(self, k: int) -> str:
        """Who sends message k."""
        return f"CG{k % self.gateways:03d}"

    def seq(self, k: int) -> int:
        """Its number, from 1."""
        return k // self.gateways + 1

    def ts_ms(self, k: int) -> int:
        """The instant of its readings, one minute per number [ms]."""
        return START_MS + self.seq(k) * 60_000

    def power_kw(self, k: int, circuit: int) -> float:
        """What circuit `circuit` reads; no two messages say the same."""
        return k + circuit / 10.0

    def payload(self, k: int) -> bytes:
        """Message k as JSON."""
        readings = [
            {"ch": f"C{c}", "ts": self.ts_ms(k), "p": self.power_kw(k, c), "e": 100.0 + k}
            for c in range(self.readings)
        ]
        message = {"v": 1, "epoch": EPOCH, "seq": self.seq(k), "readings": readings}
        return json.dumps(message).encode()


class Publisher:
    """Publishes a plan and keeps the book."""

    def __init__(self, plan: Plan, mqtt_url: str) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._message_of: dict[int, int] = {}
        self._early: set[int] = set()
        self.published = 0  # messages 0 … published - 1
        self.sent_again = 0
        self.acknowledged: set[int] = set()  # messages that the broker took
        self.confirmed: dict[str, int] = {}  # gateway → newest number proven
        self._moved_s: dict[str, float] = {}  # gateway → when that last grew, or was asked for
        parts = urlsplit(mqtt_url)
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="chaos-publisher",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.reconnect_delay_set(0.1, 1.0)  # type: ignore[arg-type]  # it takes fractions
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_connect = lambda c, *_: c.subscribe("wattwitness/v1/+/ack", qos=1)
        client.connect(parts.hostname or "127.0.0.1", parts.port or 1883)
        client.loop_start()
        self._client = client

    def publish_next(self) -> None:
        """Publish the next message of the plan."""
        self._publish(self.published)
        self.published += 1

    def send_again(self) -> None:
        """Each gateway that has waited for a proof long enough sends what it keeps, oldest first.

        Not all at once: the next proof calls for the rest.
        """
        plan, now_s = self._plan, time.monotonic()
        for g in range(min(plan.gateways, self.published)):
            gateway = plan.gateway(g)
            waited_s = now_s - self._moved_s.setdefault(gateway, now_s)
            if waited_s < _PATIENCE_S:
                continue
            self._moved_s[gateway] = now_s
            first = g + self.confirmed.get(gateway, 0) * plan.gateways
            for k in range(first, self.published, plan.gateways)[:_AT_ONCE]:
                self._publish(k)
                self.sent_again += 1

    @property
    def proven(self) -> int:
        """How many messages the collector has proven."""
        return sum(self.confirmed.values())

    def confirmed_messages(self) -> set[int]:
        """Messages that the collector has proven."""
        plan = self._plan
        return {
            k for k in range(plan.messages) if plan.seq(k) <= self.confirmed.get(plan.gateway(k), 0)
        }

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, k: int) -> None:
        topic = f"wattwitness/v1/{self._plan.gateway(k)}/readings"
        info = self._client.publish(topic, self._plan.payload(k), qos=1)
        with self._lock:
            if info.mid in self._early:  # its PUBACK was faster than this line
                self._early.discard(info.mid)
                self.acknowledged.add(k)
            else:
                self._message_of[info.mid] = k

    def _on_publish(self, _client: Client, _userdata: object, mid: int, *_rest: object) -> None:
        with self._lock:
            k = self._message_of.pop(mid, None)
            if k is None:
                self._early.add(mid)
            else:
                self.acknowledged.add(k)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        gateway = message.topic.split("/")[2]
        ack = json.loads(message.payload)
        if ack["epoch"] == EPOCH and ack["seq"] > self.confirmed.get(gateway, 0):
            self.confirmed[gateway] = ack["seq"]
            self._moved_s[gateway] = time.monotonic()
