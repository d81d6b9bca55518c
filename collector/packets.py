"""MQTT 5 packets on a stream of bytes: those that come by the thousand are read here, in bulk.

A general client library pays some 40 µs for each message that it reads and 40 µs for each that it
publishes, mostly for what a collector does not use. So the four packets of the hot path are taken
off the stream and put onto it here: PUBLISH to us and our PUBACK (OASIS MQTT 5.0, 3.3 and 3.4), our
own PUBLISH of proofs and the broker's PUBACK. All other packets, and any of these that look
unusual, are left whole to the library.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

PUBLISH: Final = 0x30
PUBACK: Final = 0x40
FIRST_OWN_MID: Final = 32_768  # the library numbers its few packets from 1
LAST_MID: Final = 65_535
_MOST_LENGTH_BYTES: Final = 4

Publish = tuple[bytes, int, bool, bytes]
"""Topic, message id (0: QoS 0, nothing to acknowledge), delivered before, payload."""


@dataclass(slots=True)
class Split:
    """What was found in a piece of the stream."""

    publishes: list[Publish] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)  # own message ids that the broker took
    others: list[bytes] = field(default_factory=list)  # whole packets for the library
    rest: bytes = b""  # the beginning of a packet that is not complete


def split(data: bytes) -> Split:
    """Take a stream apart that begins with a packet."""
    found = Split()
    at, end = 0, len(data)
    while (body := _body(data, at, end)) is not None:
        start, stop = body
        if stop > end:
            break
        head = data[at]
        if head & 0xF0 == PUBLISH and (taken := _publish(data, head, start, stop)) is not None:
            found.publishes.append(taken)
        elif head == PUBACK and stop - start >= 2 and data[start] >= FIRST_OWN_MID >> 8:
            found.acknowledged.append(data[start] << 8 | data[start + 1])
        else:
            found.others.append(data[at:stop])
        at = stop
    found.rest = data[at:]
    return found


def _body(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Where a packet's body begins and ends; None when not even that can be told yet."""
    length, shift = 0, 0
    for start in range(at + 1, min(end, at + 1 + _MOST_LENGTH_BYTES)):
        byte = data[start]
        if byte < 128:
            return start + 1, start + 1 + (length | byte << shift)
        length |= (byte & 127) << shift
        shift += 7
    # a length of more than four bytes is a protocol error: let the library find it
    return None if end - at <= _MOST_LENGTH_BYTES else (end, end)


def _publish(data: bytes, head: int, start: int, stop: int) -> Publish | None:
    """A PUBLISH with QoS 0 or 1; None when it is better left to the library."""
    if head & 0x04 or stop - start < 3:  # QoS 2 was never asked for
        return None
    topic_end = start + 2 + (data[start] << 8 | data[start + 1])
    mid = 0
    at = topic_end
    if head & 0x02:
        if at + 2 >= stop:
            return None
        mid = data[at] << 8 | data[at + 1]
        at += 2
    if at >= stop or topic_end == start + 2:  # an empty topic is an alias, never agreed upon
        return None
    if data[at]:  # properties, none of which matters here
        body = _body(data, at - 1, stop)
        if body is None or body[1] > stop:
            return None
        at = body[1]
    else:
        at += 1
    return data[start + 2 : topic_end], mid, head & 0x08 != 0, data[at:stop]


def pubacks(mids: Sequence[int]) -> bytes:
    """PUBACK for each, in one piece."""
    packets = np.empty(len(mids), dtype=[("head", ">u2"), ("mid", ">u2")])
    packets["head"] = PUBACK << 8 | 2
    packets["mid"] = mids
    return packets.tobytes()


def publish(topic: bytes, mid: int, payload: bytes) -> bytes:
    """A PUBLISH with QoS 1 and without properties."""
    length = len(topic) + len(payload) + 5
    packet = bytearray((PUBLISH | 0x02,))
    while length > 127:
        packet.append(length & 127 | 128)
        length >>= 7
    packet.append(length)
    packet += len(topic).to_bytes(2, "big")
    packet += topic
    packet += mid.to_bytes(2, "big")
    packet.append(0)
    packet += payload
    return bytes(packet)
