"""What to send next, and when to send it again: pure bookkeeping beside the outbox.

Per gateway and epoch: `proven` (the last number known to be stored), `sent` (the last number handed
to the broker on this connection), `newest` (the last number in the outbox). Sending goes forward
from `sent`; without progress for a while, or on a new connection, it begins again after `proven`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway_sim.outbox import Stretch

FIRST_PATIENCE_S: Final = 15.0
MOST_PATIENCE_S: Final = 120.0


@dataclass(slots=True)
class Cursor:
    """Progress of one gateway in one epoch; instants are monotonic seconds."""

    gateway: str
    epoch: str
    proven: int
    newest: int
    sent: int
    moved_s: float
    patience_s: float = FIRST_PATIENCE_S

    @property
    def done(self) -> bool:
        """Whether everything that is known of is proven."""
        return self.proven >= self.newest


@dataclass(slots=True)
class Delivery:
    """All cursors of one connection, earliest epoch first within a gateway."""

    cursors: dict[tuple[str, str], Cursor] = field(default_factory=dict)

    def load(self, stretches: Iterable[Stretch], now_s: float) -> None:
        """Take over what an outbox keeps from earlier starts."""
        for s in stretches:
            self.cursors[s.gateway, s.epoch] = Cursor(
                s.gateway, s.epoch, s.oldest - 1, s.newest, s.oldest - 1, now_s
            )

    def added(self, gateway: str, epoch: str, newest: int, now_s: float) -> None:
        """The outbox has new messages, up to `newest`."""
        cursor = self.cursors.get((gateway, epoch))
        if cursor is None:
            cursor = self.cursors[gateway, epoch] = Cursor(gateway, epoch, 0, newest, 0, now_s)
        if cursor.done:
            cursor.moved_s = now_s  # waiting for nothing is not waiting
        cursor.newest = max(cursor.newest, newest)

    def proof(self, gateway: str, epoch: str, seq: int, now_s: float) -> bool:
        """A proof of delivery came in; whether it says something new."""
        cursor = self.cursors.get((gateway, epoch))
        if cursor is None or seq <= cursor.proven or seq > cursor.newest:
            return False
        cursor.proven = seq
        cursor.sent = max(cursor.sent, seq)
        cursor.moved_s = now_s
        cursor.patience_s = FIRST_PATIENCE_S
        return True

    def reconnected(self, now_s: float) -> None:
        """Whatever is not proven has to be sent again."""
        for cursor in self.cursors.values():
            cursor.sent = cursor.proven
            cursor.moved_s = now_s

    def impatient(self, now_s: float) -> list[Cursor]:
        """Send again, from `proven` + 1, where nothing moved for too long; the cursors it met."""
        late = []
        for cursor in self.cursors.values():
            waits = cursor.sent > cursor.proven
            if waits and now_s - cursor.moved_s >= cursor.patience_s:
                cursor.sent = cursor.proven
                cursor.moved_s = now_s
                cursor.patience_s = min(MOST_PATIENCE_S, 2 * cursor.patience_s)
                late.append(cursor)
        return late

    def unsent(self) -> Iterator[Cursor]:
        """Cursors with something to send, earliest epochs first."""
        return (cursor for cursor in list(self.cursors.values()) if cursor.sent < cursor.newest)

    def unproven(self) -> int:
        """Messages handed over and not yet proven."""
        return sum(cursor.sent - cursor.proven for cursor in self.cursors.values())

    def forget_done(self, epoch: str) -> None:
        """Drop finished cursors of other epochs than the current one."""
        done = [key for key, c in self.cursors.items() if c.done and c.epoch != epoch]
        for key in done:
            del self.cursors[key]
