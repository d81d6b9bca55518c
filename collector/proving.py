"""Proofs on their way to the broker: numbered, bounded, and only the last word of each topic.

A proof says "everything up to here", so a newer one on the same topic makes an older one that has
not left yet superfluous. What is on its way when a connection ends is not sent again: the gateway
is told anew with the next commit.
"""

from itertools import islice
from typing import Final

from collector.packets import FIRST_OWN_MID, LAST_MID, publish

MOST_IN_FLIGHT: Final = 1000


class Outgoing:
    """Messages of QoS 1 to be published."""

    def __init__(self) -> None:
        self.most_in_flight = MOST_IN_FLIGHT  # the broker may ask for less
        self._waiting: dict[bytes, bytes] = {}  # topic → payload
        self._in_flight: set[int] = set()
        self._mid = LAST_MID

    def put(self, topic: bytes, payload: bytes) -> None:
        """Queue one."""
        self._waiting.pop(topic, None)
        self._waiting[topic] = payload

    def acknowledged(self, mids: list[int]) -> None:
        """The broker has taken these."""
        self._in_flight.difference_update(mids)

    def packets(self) -> bytes:
        """What may leave now."""
        room = self.most_in_flight - len(self._in_flight)
        if room <= 0 or not self._waiting:
            return b""
        leaving = list(islice(self._waiting.items(), room))
        for topic, _ in leaving:
            del self._waiting[topic]
        return b"".join([publish(topic, self._number(), payload) for topic, payload in leaving])

    @property
    def waiting(self) -> int:
        """How many have not left."""
        return len(self._waiting)

    def _number(self) -> int:
        while True:
            self._mid = FIRST_OWN_MID if self._mid == LAST_MID else self._mid + 1
            if self._mid not in self._in_flight:
                self._in_flight.add(self._mid)
                return self._mid
