"""A source in memory, for tests and trials: a broker session without a broker."""

import asyncio
from collections import deque
from collections.abc import Sequence

from collector.source import Incoming, Proof, Token


class MemorySource:
    """Queues what is put in; delivers a window of it; delivers again what was not committed."""

    def __init__(self, window: int = 100) -> None:
        self.proofs: list[Proof] = []
        self.connection = 1
        self._window = window
        self._queue: deque[tuple[str, bytes, bool]] = deque()
        self._in_flight: dict[int, tuple[str, bytes]] = {}
        self._messages = 0
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def unsettled(self) -> int:
        """Messages that would be delivered (again)."""
        return len(self._queue) + len(self._in_flight)

    def put(self, topic: str, payload: bytes) -> None:
        """A gateway publishes."""
        self._queue.append((topic, payload, False))
        self._changed.set()

    def reconnect(self) -> None:
        """The connection breaks and comes back: what is in flight goes to the front again."""
        self.connection += 1
        again = [(topic, payload, True) for topic, payload in self._in_flight.values()]
        self._in_flight.clear()
        self._queue.extendleft(reversed(again))
        self._changed.set()

    def deliver(self, received_us: int, most: int | None = None) -> list[Incoming]:
        """What the window lets through now."""
        messages = []
        room = self._window - len(self._in_flight)
        for _ in range(min(room, len(self._queue), room if most is None else most)):
            topic, payload, redelivered = self._queue.popleft()
            self._messages += 1
            self._in_flight[self._messages] = (topic, payload)
            token = Token(self.connection, self._messages)
            messages.append(Incoming(topic, payload, received_us, token, redelivered))
        return messages

    async def receive(self) -> Sequence[Incoming]:
        """See `Source.receive`."""
        while self._closed or not (messages := self.deliver(0)):
            self._changed.clear()
            await self._changed.wait()
        return messages

    def prove(self, proofs: Sequence[Proof]) -> None:
        """See `Source.prove`."""
        self.proofs.extend(proofs)

    def commit(self, tokens: Sequence[Token]) -> None:
        """See `Source.commit`."""
        for token in tokens:
            if token.connection == self.connection:
                self._in_flight.pop(token.message, None)
        self._changed.set()

    async def close(self) -> None:
        """See `Source.close`."""
        self._closed = True
