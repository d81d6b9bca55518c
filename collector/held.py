"""A message in hand: opened, not yet committed."""

from dataclasses import dataclass

from collector.decode import Delivery
from collector.sequence import Arrival
from collector.sink import StatusNote
from collector.source import Incoming, Token
from wattwitness.domain.errors import InputRefusedError
from wattwitness.domain.rejects import RejectCode
from wattwitness.wire.payload import Mark, Message, RefusedMessage, decode_message, decode_status
from wattwitness.wire.refusals import Refusal
from wattwitness.wire.topics import Channel, Topic


@dataclass(slots=True, eq=False)
class Held:
    """What a message holds, since when, and the token that settles it (None: it has none now)."""

    content: Delivery | StatusNote
    identity: tuple[str, bytes]  # topic and payload
    token: Token | None
    since_s: float
    redelivered: bool

    @property
    def weight(self) -> int:
        """How many readings it counts for in a batch; an empty or refused message counts too."""
        if isinstance(self.content, StatusNote) or isinstance(self.content.message, RefusedMessage):
            return 1
        return max(1, self.content.message.count)

    @property
    def size(self) -> int:
        """Bytes of its payload, which it may have to be kept with."""
        return len(self.identity[1])

    @property
    def gateway_id(self) -> str | None:
        """Who sent it, if its topic says."""
        return self.content.gateway_id

    @property
    def mark(self) -> Mark | None:
        """Its place in its gateway's numbering, if it has one."""
        return self.content.message.mark if isinstance(self.content, Delivery) else None

    def arrival(self, mark: Mark) -> Arrival:
        """What it says about its epoch once it is committed."""
        assert isinstance(self.content, Delivery)  # noqa: S101 - only deliveries have marks
        return Arrival(mark.seq, self.content.received_us, mark.oldest, self.redelivered)


def open_incoming(incoming: Incoming, max_bytes: int, now_s: float) -> Held:
    """Decode a message of any topic; what cannot be used becomes a refused delivery."""
    return Held(
        _content(incoming, max_bytes),
        (incoming.topic, incoming.payload),
        incoming.token,
        now_s,
        incoming.redelivered,
    )


def _content(incoming: Incoming, max_bytes: int) -> Delivery | StatusNote:
    message: Message | RefusedMessage
    gateway_id = None
    try:
        topic = Topic.parse(incoming.topic)
    except InputRefusedError as error:
        message = RefusedMessage(Refusal(RejectCode.BAD_TOPIC, error.message))
    else:
        gateway_id = topic.gateway_id
        if topic.channel is Channel.STATUS:
            note = _status(gateway_id, incoming)
            if isinstance(note, StatusNote):
                return note
            message = RefusedMessage(note)
        else:
            message = decode_message(incoming.payload, max_bytes)
    return Delivery(gateway_id, incoming.payload, incoming.received_us, message)


def _status(gateway_id: str, incoming: Incoming) -> StatusNote | Refusal:
    status = decode_status(incoming.payload)
    if isinstance(status, Refusal):
        return status
    ts_us = status.ts_us
    if isinstance(ts_us, Refusal):
        return ts_us
    return StatusNote(gateway_id, status.online, ts_us, incoming.received_us)
