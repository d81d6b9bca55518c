"""Messages that wait to be batched, in order of arrival; and whose flood holds up the others.

Messages come out of one queue of the broker, so a gateway that sends far more than all others
stands in front of them. While more waits than one batch can take, the excess of such a gateway is
taken out of the line and kept whole by the store, which costs a small part of taking it in; that is
done later, when nothing else waits. What is a flood is told by comparison only: a gateway alone, or
many with as much to say as each other, are never slowed down.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from collector.held import Held


@dataclass(frozen=True, slots=True)
class Flood:
    """When a gateway stands in the others' way."""

    factor: float = 8.0  # times the mean of what the others hold; 0 = never
    least_messages: int = 50  # so many are never a flood
    most_bytes: int = 256 * 1024 * 1024  # kept aside per gateway; beyond, it stays in line


class Waiting:
    """The line."""

    def __init__(self, flood: Flood) -> None:
        self._flood = flood
        self._line: deque[Held] = deque()
        self._by_gateway: Counter[str] = Counter()
        self.readings = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._line)

    def __iter__(self) -> Iterator[Held]:
        return iter(self._line)

    @property
    def oldest_s(self) -> float:
        """Since when the first one waits."""
        return self._line[0].since_s

    def add(self, held: Held) -> None:
        """At the end."""
        self._line.append(held)
        self.readings += held.weight
        self.bytes += held.size
        self._by_gateway[held.gateway_id or ""] += 1

    def put_back(self, messages: Iterable[Held]) -> None:
        """At the front, in their order."""
        line, self._line = self._line, deque()
        for held in messages:
            self.add(held)
        self._line += line

    def take(self, readings: int, size: int) -> list[Held]:
        """From the front, as many as fit, but at least one."""
        fit = 0
        for held in self._line:
            readings -= held.weight
            size -= held.size
            if fit and (readings < 0 or size < 0):
                break
            fit += 1
        taken = [self._line.popleft() for _ in range(fit)]
        self._uncount(taken)
        return taken

    def take_first(self) -> Held:
        """The one that has waited longest."""
        held = self._line.popleft()
        self._uncount([held])
        return held

    def take_floods(self, aside_bytes: Counter[str], size: int) -> list[Held]:
        """What stands in the others' way, out of the line: the oldest of it first.

        Args:
            aside_bytes: what is kept aside already, per gateway; what is taken is added.
            size: at most so many bytes now.
        """
        excess = self.floods()
        if not excess:
            return []
        taken: list[Held] = []
        line: deque[Held] = deque()
        for held in self._line:
            gateway = held.gateway_id
            if (
                gateway is not None
                and excess.get(gateway, 0) > 0
                and held.may_wait
                and held.size <= size
                and aside_bytes[gateway] + held.size <= self._flood.most_bytes
            ):
                excess[gateway] -= 1
                aside_bytes[gateway] += held.size
                size -= held.size
                taken.append(held)
            else:
                line.append(held)
        self._line = line
        self._uncount(taken)
        return taken

    def floods(self) -> dict[str, int]:
        """Gateway → how many of its messages are too many, for those that flood."""
        if not self._flood.factor or len(self._by_gateway) < 2:
            return {}
        excess: dict[str, int] = {}
        total, others = len(self._line), len(self._by_gateway)
        for gateway, n in self._by_gateway.most_common():
            total, others = total - n, others - 1  # of all that hold less than this one
            if not others:
                break
            share = max(self._flood.least_messages, int(self._flood.factor * total / others))
            if n <= share:
                break
            excess[gateway] = n - share
        return excess

    def _uncount(self, taken: Collection[Held]) -> None:
        self.readings -= sum([held.weight for held in taken])
        self.bytes -= sum([held.size for held in taken])
        gone = Counter([held.gateway_id or "" for held in taken])
        self._by_gateway.subtract(gone)
        for gateway in gone:
            if not self._by_gateway[gateway]:
                del self._by_gateway[gateway]
