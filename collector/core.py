"""What is batched, committed, acknowledged and sent again: a state machine without I/O.

Messages come in by `receive`. `next_batch` closes a batch when it is full or has waited long
enough; there is at most one under way. After the sink took it, `committed` names the proofs to tell
and the tokens to settle; after a failure, `failed` names the wait, and the same batch comes again.
Time is handed in: `now_s` of any monotonic clock.

After a new connection, tokens of the earlier one are worthless, but its messages are kept: the
broker may have lost its session. When it delivers them again they are recognised by their bytes,
and get their new token instead of a second place, so that what is held stays bounded.
"""

import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collector.bounds import Calendar
from collector.decode import Delivery, Places, place
from collector.held import Held, open_incoming
from collector.ledger import EpochName, Ledger
from collector.sequence import Progress, Run
from collector.sink import StatusNote
from collector.source import Incoming, Proof, Token
from wattwitness.domain.ingest import IngestBatch
from wattwitness.runtime.backoff import Backoff
from wattwitness.wire.payload import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a batch closes, what is refused, how failures are waited out."""

    calendar: Calendar
    batch_readings: int = 5000
    batch_bytes: int = 16 * 1024 * 1024  # of payload: what is refused or parked is kept whole
    batch_wait_s: float = 0.2
    max_payload_bytes: int = 262_144
    stale_messages: int = 65_535  # messages kept from earlier connections
    repeat_proof_s: float = 1.0
    retry: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True)
class Batch:
    """One write: what goes to the sink, and what may be said once it is durable."""

    held: Sequence[Held]
    places: Places  # the registry that it was planned with
    ingest: IngestBatch
    statuses: Sequence[StatusNote]
    progress: Mapping[EpochName, Progress]

    @property
    def unknown_fields(self) -> int:
        """Fields outside the contract, in all its messages."""
        contents = (h.content for h in self.held)
        messages = (c.message for c in contents if isinstance(c, Delivery))
        return sum(m.unknown_fields for m in messages if isinstance(m, Message))


@dataclass(frozen=True, slots=True)
class Settlement:
    """What may be said after a commit: the proofs first, then the tokens."""

    proofs: Sequence[Proof]
    tokens: Sequence[Token]


class Core:
    """The collector's decisions."""

    def __init__(
        self,
        policy: Policy,
        places: Places,
        epochs: Mapping[EpochName, int],
        chance: random.Random,
    ) -> None:
        self.policy = policy
        self.places = places
        self._chance = chance
        self._ledger = Ledger(epochs, policy.repeat_proof_s)
        self._open: deque[Held] = deque()
        self._open_readings = self._open_bytes = 0
        self._under_way: Batch | None = None
        self._failures = 0
        self._retry_at_s = 0.0
        self._connection: int | None = None
        self._stale: dict[tuple[str, bytes], deque[Held]] = {}

    @property
    def held(self) -> int:
        """Messages that are not committed."""
        return len(self._open) + (len(self._under_way.held) if self._under_way else 0)

    def receive(self, messages: Iterable[Incoming], now_s: float) -> None:
        """Take messages in; those of an earlier connection than the last one seen are stale."""
        for incoming in messages:
            if incoming.token.connection != self._connection:
                self._reconnected(incoming.token.connection)
            if self._stale and self._recognise(incoming):
                continue
            held = open_incoming(incoming, self.policy.max_payload_bytes, now_s)
            self._open.append(held)
            self._open_readings += held.weight
            self._open_bytes += held.size

    def next_batch(self, now_s: float, *, final: bool = False) -> Batch | None:
        """The batch to write now, if any.

        Args:
            now_s: the time.
            final: close the batch whatever its size and age (the process stops).
        """
        if self._under_way is not None:
            return self._under_way if now_s >= self._retry_at_s else None
        if not self._open or not (final or self._is_full() or now_s >= self._closes_at_s()):
            return None
        self._under_way = self._plan(self._take_open())
        self._retry_at_s = now_s
        return self._under_way

    def wake_at_s(self) -> float | None:
        """When `next_batch` has to be asked again at the latest; None = when something comes."""
        if self._under_way is not None:
            return self._retry_at_s
        return self._closes_at_s() if self._open else None

    def committed(self, batch: Batch, now_s: float, now_ms: int) -> Settlement:
        """The batch is durable: what to tell the gateways and the source.

        Args:
            batch: what `next_batch` gave last.
            now_s: the time, monotonic.
            now_ms: the wall clock [ms since 1970], for the proofs.
        """
        self._under_way = None
        self._failures = 0
        for held in batch.held:
            self._forget_stale(held)
        proofs = self._ledger.committed(batch.progress, now_s, now_ms)
        return Settlement(proofs, [h.token for h in batch.held if h.token is not None])

    def failed(self, now_s: float) -> float:
        """The write failed: the wait before the same batch comes again [s]."""
        self._failures += 1
        delay_s = self.policy.retry.delay_s(self._failures, self._chance)
        self._retry_at_s = now_s + delay_s
        return delay_s

    def missing(self) -> Mapping[EpochName, Run]:
        """The first hole in each epoch that has one: first and last missing number."""
        return self._ledger.missing()

    def _is_full(self) -> bool:
        return (
            self._open_readings >= self.policy.batch_readings
            or self._open_bytes >= self.policy.batch_bytes
        )

    def _closes_at_s(self) -> float:
        return self._open[0].since_s + self.policy.batch_wait_s

    def _take_open(self) -> list[Held]:
        taken: list[Held] = []
        room, room_bytes = self.policy.batch_readings, self.policy.batch_bytes
        while self._open:
            room -= self._open[0].weight
            room_bytes -= self._open[0].size
            if taken and (room < 0 or room_bytes < 0):
                break
            taken.append(self._take_first())
        return taken

    def _take_first(self) -> Held:
        held = self._open.popleft()
        self._open_readings -= held.weight
        self._open_bytes -= held.size
        return held

    def _plan(self, taken: list[Held]) -> Batch:
        placed = place(
            [h.content for h in taken if isinstance(h.content, Delivery)],
            self.places,
            self.policy.calendar,
        )
        progress = self._ledger.plan(taken)
        statuses = {
            h.content.gateway_id: h.content for h in taken if isinstance(h.content, StatusNote)
        }
        epochs = {
            name: p.prefix
            for name, p in progress.items()
            if p.prefix is not None and p.prefix != self._ledger.confirmed(name)
        }
        ingest = IngestBatch(
            rows=placed.rows, rejects=placed.rejects, parked=placed.parked, epochs=epochs
        )
        return Batch(taken, self.places, ingest, tuple(statuses.values()), progress)

    def _reconnected(self, connection: int) -> None:
        """Every token so far is void; their messages wait to be recognised."""
        self._connection = connection
        self._stale.clear()
        self._ledger.forget_told()
        while len(self._open) > self.policy.stale_messages:
            self._take_first()
        for held in (*(self._under_way.held if self._under_way else ()), *self._open):
            held.token = None
            self._stale.setdefault(held.identity, deque()).append(held)

    def _recognise(self, incoming: Incoming) -> bool:
        waiting = self._stale.get((incoming.topic, incoming.payload))
        if not waiting:
            return False
        waiting.popleft().token = incoming.token
        if not waiting:
            del self._stale[incoming.topic, incoming.payload]
        return True

    def _forget_stale(self, held: Held) -> None:
        """A committed message that was not delivered again is not waited for any more."""
        if held.token is None and (waiting := self._stale.get(held.identity)):
            waiting.remove(held)
            if not waiting:
                del self._stale[held.identity]
