"""Where messages come from, as a cut line: MQTT today, other protocols later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from wattwitness.wire.payload import Ack


class Token(msgspec.Struct, frozen=True, gc=False):
    """What the source needs to settle a message; worth nothing after its connection."""

    connection: int
    message: int


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """A message as it came, with the token that settles it."""

    topic: str
    payload: bytes
    received_us: int
    token: Token
    redelivered: bool = False  # the broker delivered it before


@dataclass(frozen=True, slots=True)
class Proof:
    """What a gateway shall be told."""

    gateway_id: str
    ack: Ack


class Source(Protocol):
    """Yields messages; each is delivered again until it is committed.

    What is neither committed nor delivered again was never confirmed to the gateway either. The
    number of messages that are delivered and not yet committed is bounded by the source.
    """

    async def receive(self) -> Sequence[Incoming]:
        """The messages that came since the last call; waits for the first one."""
        ...

    def prove(self, proofs: Sequence[Proof]) -> None:
        """Tell gateways what is stored. Called before `commit` of the same messages."""
        ...

    def commit(self, tokens: Sequence[Token]) -> None:
        """Settle messages that are durable; tokens of earlier connections are without effect."""
        ...

    async def close(self) -> None:
        """Hand over what `prove` and `commit` queued, and leave; nothing is received any more."""
        ...
