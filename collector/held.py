"""A message in hand: opened, not yet committed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from collector.decode import Delivery
from collector.sequence import Arrival
from collector.sink import StatusNote
from collector.source import Incoming, Token
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.ingest import Aside
from wattwitness.domain.instants import US_PER_SECOND
from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.payload import (
    Mark,
    Message,
    RefusedMessage,
    decode_status,
)
from wattwitness.wire.refusals import Refusal, plain_text
from wattwitness.wire.skimming import Letter, seal_message, skim_message
from wattwitness.wire.topics import Channel, Topic


@dataclass(slots=True, eq=False)
class Held:
    """What a message holds, since when, and the token that settles it (None: it has none now)."""

    content: Delivery | StatusNote
    identity: tuple[str, bytes]  # topic and payload
    token: Token | None
    since_s: float
    redelivered: bool
    weight: int  # how many readings it counts for; an empty or refused message counts as well
    sealed: bool = False  # only its number is known; it is expected to be kept aside
    gateway_id: str | None = field(init=False)  # who sent it, if its topic says
    size: int = field(init=False)  # bytes of its payload, which it may have to be kept with

    def __post_init__(self) -> None:
        """Note what is asked for again and again."""
        self.gateway_id = self.content.gateway_id
        self.size = len(self.identity[1])

    @property
    def mark(self) -> Mark | None:
        """Its place in its gateway's numbering, if it has one."""
        return self.content.message.mark if isinstance(self.content, Delivery) else None

    @property
    def may_wait(self) -> bool:
        """Whether it may be kept aside and be taken in later: a message that can be read."""
        content = self.content
        return isinstance(content, Delivery) and not isinstance(content.message, RefusedMessage)

    def unseal(self, max_bytes: int) -> None:
        """Decode it after all."""
        if self.sealed and isinstance(self.content, Delivery):
            payload, received_us = self.content.payload, self.content.received_us
            message = skim_message(payload, max_bytes)
            self.content = Delivery(self.content.gateway_id, payload, received_us, message)
            self.sealed = False

    @property
    def is_set_aside(self) -> bool:
        """Whether the store refused it before."""
        content = self.content
        return (
            isinstance(content, Delivery)
            and isinstance(content.message, RefusedMessage)
            and content.message.refusal.code is RejectCode.REFUSED_BY_STORE
        )

    def arrival(self, mark: Mark) -> Arrival:
        """What it says about its epoch once it is committed."""
        assert isinstance(self.content, Delivery)  # noqa: S101 - only deliveries have marks
        at_us = int(self.since_s * US_PER_SECOND)  # of a clock that never jumps
        return Arrival(mark.seq, at_us, mark.oldest, self.redelivered)


def open_incoming(
    incoming: Incoming, max_bytes: int, now_s: float, flooding: Collection[str] = ()
) -> Held:
    """Decode a message of any topic; what cannot be used becomes a refused delivery.

    Of gateways in `flooding`, only the number is looked for.
    """
    identity = (incoming.topic, incoming.payload)
    if flooding and (sealed := _sealed(incoming, max_bytes, flooding)) is not None:
        weight = incoming.payload.count(b'"ch"') or 1
        return Held(
            sealed, identity, incoming.token, now_s, incoming.redelivered, weight, sealed=True
        )
    content = _content(incoming, max_bytes)
    weight = 1
    if isinstance(content, Delivery) and not isinstance(content.message, RefusedMessage):
        weight = content.message.count or 1
    return Held(content, identity, incoming.token, now_s, incoming.redelivered, weight)


def _sealed(incoming: Incoming, max_bytes: int, flooding: Collection[str]) -> Delivery | None:
    gateway_id, channel, _ = _route(incoming.topic)
    if gateway_id not in flooding or channel is not Channel.READINGS:
        return None
    message = seal_message(incoming.payload, max_bytes)
    if message is None:
        return None
    return Delivery(gateway_id, incoming.payload, incoming.received_us, message)


def set_aside(held: Held, says: str) -> None:
    """Make a message that the store refuses one that is kept whole among the rejects."""
    refusal = Refusal(RejectCode.REFUSED_BY_STORE, plain_text(says))
    refused = RefusedMessage(refusal, held.mark, held.weight)
    _, payload = held.identity
    held.content = Delivery(held.gateway_id, payload, held.content.received_us, refused)


def together_aside(messages: Sequence[Held]) -> list[Aside]:
    """What is kept aside of some messages, a piece per gateway."""
    by_gateway: dict[str, list[tuple[int, bytes]]] = {}
    for held in messages:
        message = (held.content.received_us, held.identity[1])
        by_gateway.setdefault(held.gateway_id or "", []).append(message)
    return [Aside(gateway_id, found) for gateway_id, found in by_gateway.items()]


def _content(incoming: Incoming, max_bytes: int) -> Delivery | StatusNote:
    message: Letter | Message | RefusedMessage
    gateway_id, channel, wrong = _route(incoming.topic)
    if channel is Channel.READINGS and gateway_id is not None:
        message = skim_message(incoming.payload, max_bytes)
    elif channel is Channel.STATUS and gateway_id is not None:
        note = _status(gateway_id, incoming)
        if isinstance(note, StatusNote):
            return note
        message = RefusedMessage(note)
    else:
        message = RefusedMessage(Refusal(RejectCode.BAD_TOPIC, wrong))
    return Delivery(gateway_id, incoming.payload, incoming.received_us, message)


@lru_cache(maxsize=65_536)
def _route(text: str) -> tuple[str | None, Channel | None, str]:
    """Gateway and channel of a topic, or what is wrong with it."""
    try:
        topic = Topic.parse(text)
    except InputRefusedError as error:
        return None, None, error.message
    if topic.channel is Channel.ACK:
        return topic.gateway_id, None, f"{text[:80]!r} is no topic of readings"
    return topic.gateway_id, topic.channel, ""


def _status(gateway_id: str, incoming: Incoming) -> StatusNote | Refusal:
    status = decode_status(incoming.payload)
    if isinstance(status, Refusal):
        return status
    ts_us = status.ts_us
    if isinstance(ts_us, Refusal):
        return ts_us
    return StatusNote(gateway_id, status.online, ts_us, incoming.received_us)
