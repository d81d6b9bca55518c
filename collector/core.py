"""What is batched, committed, acknowledged and sent again: a state machine without I/O.

Messages come in by `receive`. `next_batch` closes a batch when it is full or has waited long
enough; there is at most one under way. While it is written, `plan_ahead` may close the next one, so
that the store need not wait. After the sink took it, `committed` names the proofs to tell and the
tokens to settle; after a failure, `failed` names the wait, and the same batch comes again.
What the store will never have is found by halving (`refused`) and kept as a reject.
Time is handed in: `now_s` of any monotonic clock.

After a new connection, tokens of the earlier one are worthless, but its messages are kept: the
broker may have lost its session. When it delivers them again they are recognised by their bytes,
and get their new token instead of a second place, so that what is held stays bounded.
"""

import random
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from collector.decode import Delivery, Places, draw_up, place
from collector.held import Held, open_incoming, set_aside, together_aside
from collector.ledger import EpochName, Ledger, epoch_marks
from collector.policy import Policy
from collector.sequence import Progress, Run
from collector.sink import StatusNote
from collector.source import Incoming, Proof, Token
from collector.waiting import Waiting
from wattwitness.domain.ingest import IngestBatch
from wattwitness.wire.payload import RefusedMessage

__all__ = ["Batch", "Core", "Policy", "Settlement"]

_DRAWN_AT_ONCE: Final = 600  # readings: as decoded, they fit into a core's own cache
_WORTH_DRAWING: Final = 150  # fewer are left until the batch is planned


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
        return sum(m.unknown_fields for m in messages if not isinstance(m, RefusedMessage))


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
        aside_bytes: Mapping[str, int] | None = None,
    ) -> None:
        self.policy = policy
        self.places = places
        self._chance = chance
        self._ledger = Ledger(epochs, policy.repeat_proof_s)
        self._open = Waiting(policy.flood)
        self._planned: deque[Batch] = deque()  # the first one is under way
        self._flooding: Collection[str] = ()  # gateways, while there is pressure
        self.aside_bytes: Counter[str] = Counter(aside_bytes or {})
        self._failures = 0
        self._retry_at_s = 0.0
        self._connection: int | None = None
        self._stale: dict[tuple[str, bytes], deque[Held]] = {}

    @property
    def held(self) -> int:
        """Messages that are not committed."""
        return len(self._open) + sum(len(batch.held) for batch in self._planned)

    def receive(self, messages: Iterable[Incoming], now_s: float) -> None:
        """Take messages in; those of an earlier connection than the last one seen are stale."""
        fresh: list[Delivery] = []
        readings = 0
        for incoming in messages:
            if incoming.token.connection != self._connection:
                self._reconnected(incoming.token.connection)
            if self._stale and self._recognise(incoming):
                continue
            held = open_incoming(incoming, self.policy.max_payload_bytes, now_s, self._flooding)
            self._open.add(held)
            if isinstance(held.content, Delivery) and not held.sealed:
                fresh.append(held.content)
                readings += held.weight
                if readings >= _DRAWN_AT_ONCE:
                    draw_up(fresh, self.places)
                    fresh, readings = [], 0
        if readings >= _WORTH_DRAWING:
            draw_up(fresh, self.places)

    def next_batch(self, now_s: float, *, final: bool = False) -> Batch | None:
        """The batch to write now, if any.

        Args:
            now_s: the time.
            final: close the batch whatever its size and age (the process stops).
        """
        if self._planned:
            return self._planned[0] if now_s >= self._retry_at_s else None
        if not self._open or not (final or self._is_full() or now_s >= self._closes_at_s()):
            return None
        self._retry_at_s = now_s
        return self._plan_next()

    @property
    def is_ahead(self) -> bool:
        """Whether the batch after the one under way is there already."""
        return len(self._planned) > 1 or self._is_full(self._enough_ahead)

    def plan_ahead(self) -> Batch | None:
        """The batch after the one under way, when half as much waits as a batch can hold.

        Half: so that it is ready in time even where the store is faster than we are.
        """
        if len(self._planned) != 1 or not self._is_full(self._enough_ahead):
            return None
        return self._plan_next()

    def wake_at_s(self) -> float | None:
        """When `next_batch` has to be asked again at the latest; None = when something comes."""
        if self._planned:
            return self._retry_at_s
        return self._closes_at_s() if self._open else None

    def committed(self, batch: Batch, now_s: float, now_ms: int) -> Settlement:
        """The batch is durable: what to tell the gateways and the source.

        Args:
            batch: what `next_batch` gave last.
            now_s: the time, monotonic.
            now_ms: the wall clock [ms since 1970], for the proofs.
        """
        self._planned.popleft()
        self._failures = 0
        if self._stale:
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

    def refused(self, batch: Batch, says: str, now_s: float) -> float:
        """The store will not have what is in the batch: halve it until the cause stands alone.

        That one message is set aside: the next batch keeps it, whole, among the rejects.

        Args:
            batch: what `next_batch` gave last.
            says: what the store says.
            now_s: the time, monotonic.

        Returns:
            The wait before the next batch [s]; 0 unless not even the reject can be kept.
        """
        held = list(batch.held)
        if len(held) == 1:
            if held[0].is_set_aside:
                return self.failed(now_s)
            set_aside(held[0], says)
        half = max(1, len(held) // 2)
        while self._planned:
            again = self._planned.pop()
            for aside in again.ingest.aside:
                self.aside_bytes[aside.gateway_id] -= aside.size
            if again is not batch:
                self._open.put_back(again.held)
        self._ledger.forget_planned()
        self._open.put_back(held[half:])
        self._planned.append(self._plan(held[:half]))
        self._retry_at_s = now_s
        return 0.0

    def took_aside(self, gateway_id: str, size: int) -> None:
        """So many bytes that were kept aside are taken in."""
        self.aside_bytes[gateway_id] -= size
        if self.aside_bytes[gateway_id] <= 0:
            del self.aside_bytes[gateway_id]

    def nothing_aside(self) -> None:
        """The store keeps nothing aside: there is no more than what is planned."""
        self.aside_bytes.clear()
        for aside in chain.from_iterable(batch.ingest.aside for batch in self._planned):
            self.aside_bytes[aside.gateway_id] += aside.size

    @property
    def holes(self) -> int:
        """How many epochs have a hole."""
        return self._ledger.holes

    def missing(self) -> Mapping[EpochName, Run]:
        """The first hole in each epoch that has one: first and last missing number."""
        return self._ledger.missing()

    @property
    def _most_readings(self) -> int:
        return max(self.policy.most_readings, self.policy.batch_readings)

    @property
    def _enough_ahead(self) -> int:
        return max(self.policy.batch_readings, self._most_readings // 2)

    def _is_full(self, readings: int = 0) -> bool:
        return (
            self._open.readings >= (readings or self.policy.batch_readings)
            or self._open.bytes >= self.policy.batch_bytes
        )

    def _closes_at_s(self) -> float:
        return self._open.oldest_s + self.policy.batch_wait_s

    def _plan_next(self) -> Batch:
        aside: list[Held] = []
        pressure = len(self._open) >= self.policy.pressure_messages
        if pressure or self._is_full(self._most_readings):
            aside = self._open.take_floods(self.aside_bytes, self.policy.batch_bytes)
        self._flooding = frozenset(held.gateway_id or "" for held in aside)
        taken = self._open.take(self._most_readings, self.policy.batch_bytes)
        batch = self._plan(taken, aside)
        self._planned.append(batch)
        return batch

    def _plan(self, taken: list[Held], aside: Sequence[Held] = ()) -> Batch:
        for held in taken:
            held.unseal(self.policy.max_payload_bytes)
        placed = place(
            [h.content for h in taken if isinstance(h.content, Delivery)],
            self.places,
            self.policy.calendar,
        )
        progress = self._ledger.plan(chain(aside, taken))
        statuses = {
            h.content.gateway_id: h.content for h in taken if isinstance(h.content, StatusNote)
        }
        ingest = IngestBatch(
            rows=placed.rows,
            rejects=placed.rejects,
            parked=placed.parked,
            aside=together_aside(aside),
            **epoch_marks(progress),
        )
        planned = {name: new for name, (_, new) in progress.items()}
        return Batch([*aside, *taken], self.places, ingest, tuple(statuses.values()), planned)

    def _reconnected(self, connection: int) -> None:
        """Every token so far is void; their messages wait to be recognised."""
        self._connection = connection
        self._stale.clear()
        self._ledger.forget_told()
        while len(self._open) > self.policy.stale_messages:
            self._open.take_first()
        planned = chain.from_iterable(batch.held for batch in self._planned)
        for held in chain(planned, self._open):
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
