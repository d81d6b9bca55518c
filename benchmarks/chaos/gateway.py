"""A gateway with an outbox, as docs/mqtt.md asks of one that must not lose anything.

It keeps each message until a proof of delivery covers it, sends again what has no proof, and after
a restart uses a new epoch. It shares nothing with the product's simulator.
"""

import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.chaos.book import STEP_MS, Book, Message

PATIENCE_S: Final = 2.5  # without a new proof, before it sends again
_AT_ONCE: Final = 100  # messages that are sent again; the next proof calls for the rest
_IN_FLIGHT: Final = 400
_KEEPALIVE_S: Final = 4  # finds half-open connections soon


@dataclass(frozen=True, slots=True)
class Habits:
    """How gateways differ."""

    channels: int = 5
    says_oldest: bool = True
    speaks_5: bool = True
    marks_resent: bool = False
    keeps_outbox: bool = True  # else it trusts the broker's acknowledgement


class Gateway:
    """Measures, sends, and keeps what is not proven."""

    def __init__(self, gateway_id: str, habits: Habits, port: int, start_ms: int) -> None:
        self.book = Book(gateway_id)
        self.sent_again = 0
        self.proofs = 0  # that came, news or not: each follows a commit
        self.unknown_told = 0  # proofs of numbers that were never sent
        self._habits, self._port = habits, port
        self._start_ms = start_ms
        self._heard: deque[tuple[Client, int | bytes]] = deque()  # by the client's own thread
        self._outbox: dict[int, int] = {}  # number → n, in order
        self._epochs = 0
        self._next = 1
        self._jump_ms = 0
        self._jumps = 0
        self._waits_since_s = time.monotonic()
        self._again_from = self._again_to = 0  # numbers that are being sent again: from … to - 1
        self._on_its_way: dict[int, int] = {}  # packet id → n
        self._client = self._connect()

    @property
    def epoch(self) -> str:
        """The current one."""
        return f"e{self._epochs}"

    @property
    def kept(self) -> int:
        """Messages in the outbox."""
        return len(self._outbox)

    @property
    def kept_messages(self) -> set[int]:
        """Which they are."""
        return set(self._outbox.values())

    @property
    def proven(self) -> int:
        """Messages that it was told are stored."""
        return len(self.book.told)

    def measure(self) -> None:
        """A new message, into the outbox and out."""
        n = len(self.book.messages)
        # a clock that jumps leaves no instant twice: each jump adds a millisecond of its own
        first_ms = self._start_ms + n * STEP_MS + self._jump_ms + self._jumps
        instants = (first_ms,) if n % 3 else (first_ms, first_ms + STEP_MS // 2)
        self.book.messages.append(
            Message(self.book.gateway_id, n, instants, self._habits.channels, time.monotonic())
        )
        if not self._outbox:
            self._waits_since_s = time.monotonic()
        self._queue(n)
        if self._client.is_connected() or not self._habits.keeps_outbox:
            self.publish(self.epoch, self._next - 1, resent=False)

    def look(self) -> None:
        """Hear what came; send again when no proof has moved on for a while."""
        self.hear()
        now_s = time.monotonic()
        if not self._habits.keeps_outbox or not self._outbox:
            return
        if now_s - self._waits_since_s < PATIENCE_S or not self._client.is_connected():
            return
        self._waits_since_s = now_s
        if len(self._on_its_way) <= _IN_FLIGHT:
            self._again_from, self._again_to = next(iter(self._outbox)), self._next
            self._send_again()

    def _send_again(self) -> None:
        """A slice, oldest first; the proof of it calls for the next."""
        first = max(self._again_from, next(iter(self._outbox), self._next))
        self._again_from = min(first + _AT_ONCE, self._again_to)
        for seq in range(first, self._again_from):
            self.publish(self.epoch, seq, resent=True)
            self.sent_again += 1

    def hear(self) -> None:
        """Take in what broker and collector said."""
        while self._heard:
            client, what = self._heard.popleft()
            if isinstance(what, bytes):
                self._hear_proof(what)
            elif client is self._client and (n := self._on_its_way.pop(what, None)) is not None:
                self.book.taken.add(n)

    def jump(self, by_ms: int) -> None:
        """Its clock jumps; what is in the outbox keeps its instants."""
        self._jump_ms += by_ms
        self._jumps += 1

    def stop(self) -> None:
        """It dies without a goodbye; may take a second."""
        self._client.loop_stop()
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def restart(self) -> None:
        """After `stop`: a new epoch, and the outbox under new numbers."""
        self.hear()
        self._on_its_way.clear()
        kept = list(self._outbox.values())
        self._outbox.clear()
        self._epochs += 1
        self._next = 1
        self._again_from = self._again_to = 0
        for n in kept:
            self._queue(n)
        self._waits_since_s = time.monotonic() - PATIENCE_S
        self._client = self._connect()

    def everything(self, *, new_epoch: bool) -> list[tuple[str, int]]:
        """Epoch and number of everything so far, old ones or one epoch more."""
        book = self.book
        if not new_epoch:
            return [(epoch, seq) for epoch, numbers in book.numbers.items() for seq in numbers]
        epoch = f"replay{len(book.numbers)}"
        for seq, message in enumerate(book.messages, 1):
            book.number(epoch, seq, message.n)
        return [(epoch, seq) for seq in book.numbers[epoch]]

    def publish(self, epoch: str, seq: int, *, resent: bool) -> None:
        """Publish what has this number."""
        n = self.book.numbers[epoch][seq]
        oldest = None
        if self._habits.says_oldest:
            oldest = min(next(iter(self._outbox), seq), seq) if epoch == self.epoch else 1
        payload = self.book.messages[n].payload(
            epoch,
            seq,
            oldest=oldest,
            sent_ms=time.time_ns() // 1_000_000 + self._jump_ms,
            resent=resent and self._habits.marks_resent,
        )
        topic = f"wattwitness/v1/{self.book.gateway_id}/readings"
        self._on_its_way[self._client.publish(topic, payload, qos=1).mid] = n

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()
        self.hear()

    def _connect(self) -> Client:
        five, three = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.book.gateway_id,
            protocol=five if self._habits.speaks_5 else three,
        )
        client.max_inflight_messages_set(_IN_FLIGHT)
        client.reconnect_delay_set(0.1, 1.0)  # type: ignore[arg-type]  # it takes fractions
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_connect = lambda c, *_: c.subscribe(
            f"wattwitness/v1/{self.book.gateway_id}/ack", qos=1
        )
        client.connect_async("127.0.0.1", self._port, keepalive=_KEEPALIVE_S)
        client.loop_start()
        return client

    def _queue(self, n: int) -> None:
        self._outbox[self._next] = n
        self.book.number(self.epoch, self._next, n)
        self._next += 1

    def _on_publish(self, client: Client, _userdata: object, mid: int, *_rest: object) -> None:
        self._heard.append((client, mid))

    def _on_message(self, client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._heard.append((client, bytes(message.payload)))

    def _hear_proof(self, payload: bytes) -> None:
        ack = json.loads(payload)
        epoch, seq = str(ack["epoch"]), int(ack["seq"])
        self.proofs += 1
        if seq > max(self.book.numbers.get(epoch, {}), default=0):
            self.unknown_told += 1
        news = self.book.tell(epoch, seq)
        if epoch != self.epoch:
            return
        if news:
            self._waits_since_s = time.monotonic()
        while self._outbox and (first := next(iter(self._outbox))) <= seq:
            del self._outbox[first]
        if self._again_from <= seq + 1 and self._again_from < self._again_to:
            self._send_again()
