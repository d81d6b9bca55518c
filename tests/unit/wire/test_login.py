"""CONNECT and CONNACK byte by byte, as the standard has them."""

import pytest

from wattwitness.wire.login import connack_reason, connect_packet


def test_a_connect_is_what_the_standard_says():
    packet = connect_packet("doc", "user", "päss")
    assert packet == (
        b"\x10\x1d"  # CONNECT, 29 bytes follow
        b"\x00\x04MQTT\x05"  # MQTT 5
        b"\xc2\x00\x0a\x00"  # user name, password, clean start; keep alive 10 s; no properties
        b"\x00\x03doc\x00\x04user\x00\x05p\xc3\xa4ss"
    )


def test_without_a_name_there_is_no_flag():
    assert connect_packet("doc", None, None)[9] == 0x02


def test_a_long_password_has_a_long_length():
    packet = connect_packet("doc", "u", "x" * 300)
    assert packet[1] & 0x80
    assert len(packet) == 3 + (packet[1] & 0x7F) + 128 * packet[2]


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        ("2003000000", 0), ("200601000321000a", 0), ("2003008600", 0x86), ("20020005", 5),
        ("20800100000000", 0), ("2003", None), ("20", None), ("", None), ("48545450", None),
    ],
)  # fmt: skip
def test_the_reason_of_an_answer(packet, reason):
    assert connack_reason(bytes.fromhex(packet)) == reason
