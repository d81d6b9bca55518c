"""MQTT topics. A `Topic` that a broker or the contract would refuse cannot be built."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from wattwitness.domain.errors import InputRefusedError

PREFIX: Final = "wattwitness/v1"
MAX_ID_LENGTH: Final = 128
READINGS_FILTER: Final = f"{PREFIX}/+/readings"
STATUS_FILTER: Final = f"{PREFIX}/+/status"
ACK_FILTER: Final = f"{PREFIX}/+/ack"


class Channel(StrEnum):
    """What a gateway's topic carries."""

    READINGS = "readings"
    STATUS = "status"
    ACK = "ack"


_CHANNELS: Final = {channel.value: channel for channel in Channel}


def is_wire_name(text: str) -> bool:
    """Whether `text` can name a gateway or a channel: short, printable, storable as UTF-8."""
    return 0 < len(text) <= MAX_ID_LENGTH and text.isprintable()


@dataclass(frozen=True, slots=True)
class Topic:
    """`wattwitness/v1/{gateway_id}/{channel}`.

    Raises:
        InputRefusedError: the gateway id is empty, too long, not printable, or holds one of
            the characters that MQTT gives a meaning (`/`, `+`, `#`).
    """

    gateway_id: str
    channel: Channel

    def __post_init__(self) -> None:
        """Refuse what no broker could carry."""
        if not is_wire_name(self.gateway_id) or any(c in self.gateway_id for c in "/+#"):
            raise InputRefusedError(
                f"{self.gateway_id[:40]!r} cannot be a gateway id",
                f"use 1 to {MAX_ID_LENGTH} printable characters without /, + and #",
            )

    def __str__(self) -> str:
        return f"{PREFIX}/{self.gateway_id}/{self.channel.value}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The topic that `text` spells.

        Raises:
            InputRefusedError: not a topic of this contract.
        """
        before, _, tail = text.partition(f"{PREFIX}/")
        gateway_id, slash, word = tail.rpartition("/")
        channel = _CHANNELS.get(word)
        if before or not slash or channel is None:
            raise InputRefusedError(
                f"{text[:80]!r} is not a topic of {PREFIX}",
                f"publish to {PREFIX}/<gateway_id>/readings",
            )
        return cls(gateway_id, channel)


def readings_topic(gateway_id: str) -> str:
    """Where a gateway publishes its readings."""
    return str(Topic(gateway_id, Channel.READINGS))


def status_topic(gateway_id: str) -> str:
    """Where a gateway keeps its retained status and its last will."""
    return str(Topic(gateway_id, Channel.STATUS))


def ack_topic(gateway_id: str) -> str:
    """Where the collector tells a gateway what is stored."""
    return str(Topic(gateway_id, Channel.ACK))
