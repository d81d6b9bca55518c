"""The first packet of MQTT 5 and its answer, by hand: enough to ask a broker whether it lets us in.

A CONNECT (MQTT 5.0, section 3.1) with a clean start and no will, and the CONNACK (3.2) to it. No
client library is needed to look, and the collector's own session is not touched.
"""

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_CONNECT: Final = 0x10
_CONNACK: Final = 0x20
_CLEAN_START, _USERNAME, _PASSWORD = 0x02, 0x80, 0x40
_KEEP_ALIVE_S: Final = 10
DISCONNECT: Final = b"\xe0\x00"
REASONS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0x01: "it does not speak MQTT 5",
        0x84: "it does not speak MQTT 5",
        0x85: "it does not take this client id",
        0x86: "wrong user name or password",
        0x87: "we are not allowed in",
        0x88: "it is not available",
        0x89: "it is busy",
        0x8A: "we are banned",
    }
)
"""Reason codes of a CONNACK that people meet."""


def connect_packet(client_id: str, username: str | None, password: str | None) -> bytes:
    """A CONNECT that leaves nothing behind."""
    flags = _CLEAN_START
    if username is not None:
        flags |= _USERNAME
    if password is not None:
        flags |= _PASSWORD
    body = _text("MQTT") + struct.pack(">BBHB", 5, flags, _KEEP_ALIVE_S, 0) + _text(client_id)
    for part in (username, password):
        if part is not None:
            body += _text(part)
    return bytes([_CONNECT]) + _length(len(body)) + body


def connack_reason(packet: bytes) -> int | None:
    """The reason code of an answer, 0 = let in; None = not (yet) the answer of an MQTT broker."""
    flags_at = 2 if packet[1:2] < b"\x80" else 3  # the length takes one byte or two
    if packet[:1] != bytes([_CONNACK]) or len(packet) < flags_at + 2:
        return None
    return packet[flags_at + 1]


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _length(n: int) -> bytes:
    found = bytearray()
    while True:
        n, low = divmod(n, 128)
        found.append(low | (0x80 if n else 0))
        if not n:
            return bytes(found)
